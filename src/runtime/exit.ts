/** How a runtime's process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What was wrong with the runtime itself, when that was the reason. */
  fault: string | null;
}

/** The end of a process in words for a person, as the part of a sentence that follows "the Python process". */
export function exitText({ code, signal, fault }: Exit): string {
  if (fault !== null) return `was stopped because ${fault}`;
  if (signal === "SIGKILL") return "was killed by SIGKILL (out of memory?)";
  if (signal !== null) return `was killed by ${signal}${signalMeanings[signal] ?? ""}`;
  return `left with exit code ${code} (os._exit, or a library that ends the process?)`;
}

const signalMeanings: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: " (a crash in native code: segmentation fault)",
  SIGBUS: " (a crash in native code: bus error)",
  SIGILL: " (a crash in native code: illegal instruction; built for another processor?)",
  SIGFPE: " (a crash in native code: arithmetic error)",
  SIGABRT: " (native code called abort)",
  SIGXCPU: " (CPU limit reached)",
};
