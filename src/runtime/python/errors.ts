import { DomainError } from "../../domain/errors.ts";
import { oldestPython } from "./interpreter.ts";

/** There is no Python that can run the pipelines. Every message says what to do in one line. */
export abstract class PythonError extends DomainError {}

export class PythonMissingError extends PythonError {
  readonly code = "PYTHON_MISSING";

  constructor(what: string) {
    super(`${what} Install Python ${oldestPython} or newer, or name one with job_queue.python in conf/project.yml.`);
  }
}

export class PythonTooOldError extends PythonError {
  readonly code = "PYTHON_TOO_OLD";

  constructor(path: string, version: string) {
    super(
      `${path} is Python ${version}, FlowerPower needs ${oldestPython} or newer. ` +
        "Make the environment again with a newer one, or name another with job_queue.python in conf/project.yml.",
    );
  }
}

/** It is there and does not run: a virtual environment whose Python was removed, a file that is no Python. */
export class PythonBrokenError extends PythonError {
  readonly code = "PYTHON_BROKEN";

  constructor(path: string, source: string, reason: string) {
    super(
      `${path} (${source}) does not run: ${reason}. Make that environment again, or name another with job_queue.python.`,
    );
  }
}

export class NoVenvModuleError extends PythonError {
  readonly code = "NO_VENV_MODULE";

  constructor(path: string, version: string) {
    const [major, minor] = version.split(".");
    super(
      `${path} can't make virtual environments. Run: sudo apt-get install python${major}.${minor}-venv (or install uv)`,
    );
  }
}

export class PythonDiskFullError extends PythonError {
  readonly code = "DISK_FULL";

  constructor(folder: string, freeBytes: number, neededBytes: number) {
    const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
    super(
      `${folder} has ${gb(freeBytes)} of free disk, the Python environment needs ${gb(neededBytes)}. Free some space first.`,
    );
  }
}

/** The package index can't be reached. What has been downloaded is kept. */
export class PythonOfflineError extends PythonError {
  readonly code = "PYTHON_OFFLINE";

  constructor(reason: string) {
    super(
      `The Python packages can't be downloaded (${reason}). Check the network, the proxy (HTTPS_PROXY) and pip's settings ` +
        "(PIP_INDEX_URL, PIP_CERT), then start again.",
    );
  }
}

export class PythonSetupError extends PythonError {
  readonly code = "PYTHON_SETUP";

  constructor(step: string, reason: string) {
    super(`${step} failed: ${reason}. Start again to resume, or use an environment of your own with job_queue.python.`);
  }
}
