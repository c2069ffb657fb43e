import { expect, it } from "vitest";
import { messageSchema, requestSchema } from "../../src/runtime/protocol.ts";
import brokenRequests from "../protocol/broken-requests.json" with { type: "json" };
import messages from "../protocol/messages.json" with { type: "json" };
import requests from "../protocol/requests.json" with { type: "json" };

/** What a message is about, for the name of its test. */
function nameOf(message: { type: string; body?: { event: string } }): string {
  return message.body?.event ?? message.type;
}

it.each(messages.map((message, index) => ({ index, name: nameOf(message), message })))(
  "reads the runtime's message $index: $name",
  ({ message }) => {
    // Equal, so that no field is left out of the schema and silently dropped.
    expect(messageSchema.parse(message)).toEqual(message);
  },
);

it.each(requests.map((request, index) => ({ index, type: request.type, request })))(
  "writes request $index as Python reads it: $type",
  ({ request }) => {
    expect(requestSchema.parse(request)).toEqual(request);
  },
);

it.each(brokenRequests.map((request, index) => ({ index, request })))(
  "refuses broken request $index, as Python does",
  ({ request }) => {
    expect(requestSchema.safeParse(request).success).toBe(false);
  },
);

it("has a golden message of every type and event", () => {
  const types = messageSchema.options.map((option) => option.shape.type.value);
  expect(new Set(messages.map((message) => message.type))).toEqual(new Set(types));
  const event = messageSchema.options.find((option) => option.shape.type.value === "event");
  const bodies = event !== undefined && "body" in event.shape ? event.shape.body.options : [];
  const events = bodies.map((option) => option.shape.event.value);
  expect(events.length).toBeGreaterThan(0);
  expect(new Set(messages.flatMap((m) => ("body" in m && m.body ? [m.body.event] : [])))).toEqual(new Set(events));
});
