import { BadInputError } from "../domain/errors.ts";
import type { Backend } from "./backend.ts";
import { graphileWorker } from "./graphile-worker/backend.ts";

const backends = new Map<string, Backend>([[graphileWorker.name, graphileWorker]]);

/** The backend of that name; the Python queues will stand beside the default one. */
export function backendNamed(name: string): Backend {
  const backend = backends.get(name);
  if (backend === undefined) {
    throw new BadInputError(`There is no backend ${name}. This version has: ${[...backends.keys()].join(", ")}.`);
  }
  return backend;
}
