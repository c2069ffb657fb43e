import type { ObjectFieldsShape } from "@pothos/core";
import type { EventData, EventType } from "../domain/event-types.ts";
import type { EventRow } from "../events/read.ts";
import { builder } from "./builder.ts";
import { eventTypenames, JobEvent } from "./event.ts";

/** An event whose data are those of its type. */
export type EventOf<T extends EventType> = Omit<EventRow, "data"> & { data: EventData<T> };

type Types = (typeof builder)["$inferSchemaTypes"];

/** Adds the GraphQL type of one type of event. */
export function eventType<T extends EventType>(
  type: T,
  description: string,
  fields: ObjectFieldsShape<Types, EventOf<T>> = () => ({}),
): void {
  builder.objectType(builder.objectRef<EventOf<T>>(eventTypenames[type]), {
    description,
    interfaces: [JobEvent as never],
    fields,
  });
}
