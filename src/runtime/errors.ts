import { DomainError } from "../domain/errors.ts";
import type { RuntimeMessage } from "./protocol.ts";

type UnreadyCode = Extract<RuntimeMessage, { type: "unready" }>["code"];

/** A project's Python cannot serve: its message says why, the hint what to do. */
export class RuntimeStartError extends DomainError {
  /**
   * PYTHON_MISSING: no such interpreter. RUNTIME_SILENT: not ready in time. RUNTIME_DIED: ended before it was ready.
   * The others are what the runtime itself has found.
   */
  readonly code: UnreadyCode | "PYTHON_MISSING" | "RUNTIME_SILENT" | "RUNTIME_DIED";
  readonly hint: string | null;

  constructor(code: RuntimeStartError["code"], message: string, hint: string | null = null, options?: ErrorOptions) {
    super(hint === null ? message : `${message} ${hint}`, null, options);
    this.code = code;
    this.hint = hint;
  }
}
