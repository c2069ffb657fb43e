import { NotFoundError } from "./errors.ts";
import { OperationChangedDocument, type OperationFragment } from "./generated/graphql.ts";
import { type ResumeOptions, resume } from "./resume.ts";
import type { Socket } from "./socket.ts";
import { type Stream, stream } from "./stream.ts";

/** Something that is done to more jobs than one call takes, and how far it is. */
export type Operation = OperationFragment;

interface Parts {
  socket: Socket;
  /** The operation as it is now; null when there is none. */
  read(id: string, signal: AbortSignal): Promise<Operation | null>;
}

/** An operation as it goes on, the last time as it ended. After a lost connection it begins again with how far it is then. */
export function watchOperation(id: string, { socket, read }: Parts, options: ResumeOptions): Stream<Operation> {
  async function* follow(signal: AbortSignal): AsyncGenerator<Operation, void, undefined> {
    const source = {
      open: () => socket.subscribe(OperationChangedDocument, { id }, ({ operationChanged }) => operationChanged),
      cursorOf: (operation: Operation) => operation.id,
      async isOver() {
        const found = await read(id, signal);
        if (found === null) throw new NotFoundError(`There is no operation ${id}.`, "id");
        return found.state !== "RUNNING";
      },
      heardAt: () => socket.heardAt,
      onConnected: socket.onConnected,
    };
    yield* resume<Operation>(source, { ...options, signal });
  }
  return stream(follow, options.signal);
}
