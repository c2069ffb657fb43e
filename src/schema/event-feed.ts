/** The events of all jobs. */
import { type EventType, eventTypeNames } from "../domain/event-types.ts";
import type { FeedItem as FeedItemShape } from "../events/feed.ts";
import { builder } from "./builder.ts";
import { eventTypenames, JobEvent } from "./event.ts";
import { batchOf, idsOf, pipelineOf } from "./job-filter.ts";
import { limits } from "./limits.ts";

/** `node.succeeded` is NODE_SUCCEEDED. */
type EventTypeName<T extends EventType> = T extends `${infer Group}.${infer Name}`
  ? Uppercase<`${Group}_${Name}`>
  : never;

const EventTypeEnum = builder.enumType("EventType", {
  description: "The types of events.",
  values: Object.fromEntries(
    eventTypeNames.map((type) => [
      type.replace(".", "_").toUpperCase(),
      { value: type, description: `\`${type}\`, the type ${eventTypenames[type]}.` },
    ]),
  ) as { [T in EventType as EventTypeName<T>]: { value: T; description: string } },
});

const FeedFilter = builder.inputType("FeedFilter", {
  description: "Which events: those to which all of it applies. An empty list fits none.",
  fields: (t) => ({
    ids: t.idList({ description: `Only events of these jobs, at most ${limits.pageSize}.` }),
    project: t.string({ description: "Only events of jobs of this project." }),
    pipeline: t.string({
      description: "Only events of jobs of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    queue: t.string({ description: "Only events of jobs of this queue." }),
    batch: t.id({ description: "Only events of jobs of this batch: `bat_…`." }),
    types: t.field({ type: [EventTypeEnum], description: "Only events of these types." }),
  }),
});

const FeedItem = builder.objectRef<FeedItemShape>("FeedItem").implement({
  description: "An event of the feed; or a mark, which has none and says how far the feed has come.",
  fields: (t) => ({
    cursor: t.exposeString("cursor", { description: "Resumes the feed after this item, on any server." }),
    event: t.field({
      type: JobEvent,
      nullable: true,
      description:
        "The event; null for a mark, which comes at the start and when nothing that fits was recorded for a while.",
      resolve: ({ event }) => event,
    }),
  }),
});

builder.subscriptionField("feed", (t) =>
  t.field({
    type: FeedItem,
    description:
      "The events of all jobs, in one order: those after the cursor, then each new one. Resumes without gap or repeat.",
    authScopes: { read: true },
    args: {
      filter: t.arg({ type: FeedFilter, description: "Which events; without it: all." }),
      after: t.arg.string({ description: "Cursor of the last item that was seen; without it: from now on." }),
    },
    extensions: { cursorOf: (item: FeedItemShape) => item.cursor },
    subscribe: (_root, { filter, after }, { tail, resumeAfter }) =>
      tail.feed(resumeAfter ?? after ?? null, {
        ...pipelineOf(filter ?? {}),
        queue: filter?.queue,
        batchId: batchOf(filter ?? {}),
        jobIds: idsOf(filter ?? {}),
        types: filter?.types,
      }),
    resolve: (item) => item,
  }),
);
