import type { GraphQLObjectType } from "graphql";
import { type EventType, eventTypeNames, isTerminalEvent } from "../src/domain/event-types.ts";
import { eventTypenames } from "../src/schema/event.ts";
import { schema } from "../src/schema/index.ts";

/** The closed union of events, from the types and their GraphQL descriptions. */
export function eventsPage(): string {
  return `# Events

Made from the code by \`npm run docs\`. What is recorded of a job, once and in order: \`seq\` is 1, 2, 3 … within the job, without gaps, and
each life ends with exactly one of the events in **bold**. Subscribe to them by \`jobEvents\` or \`feed\`, or read \`job { events }\`: [api.md](api.md).

Every event has ${common()}. A type or a version that this server does not know, because a newer one has
written it, is an \`UnknownEvent\` with its \`data\` as stored. New types may come with any version: let your client meet them.

## Of a job

${table(eventTypeNames.filter((type) => type.startsWith("job.")))}
## Of a run

${table(eventTypeNames.filter((type) => !type.startsWith("job.")))}
\`ArtifactStored\` comes when the run has ended, before the event that ends the attempt, in the transaction that writes the artifact: once for each
result that is a file, each file that the run has left, and the log when it was cut, also for those that could not be kept (\`omitted\` says why,
\`bytes\` is null). Values small enough for the database have none: they are in \`job { results }\`.
`;
}

function table(types: readonly EventType[]): string {
  const rows = types.map((type) => {
    const { name, description } = objectOf(eventTypenames[type]);
    const shown = isTerminalEvent(type) ? `**\`${type}\`**` : `\`${type}\``;
    return `| ${shown} | \`${name}\` | ${cell(description ?? "")} | ${fieldsOf(type)} |`;
  });
  return `| stored as | type | what | fields of its own |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

function fieldsOf(type: EventType): string {
  const fields = Object.values(objectOf(eventTypenames[type]).getFields());
  const own = fields.filter(({ name }) => name === "node" || !commonFields().includes(name));
  // `node` is common to all, and never null where a type declares it anew.
  const shown = own.filter(({ name, type: its }) => name !== "node" || String(its).endsWith("!"));
  return shown.map(({ name, type: its }) => `\`${name}: ${its}\``).join(", ");
}

function common(): string {
  return commonFields()
    .map((name) => `\`${name}\``)
    .join(", ");
}

function commonFields(): string[] {
  return Object.keys((schema.getType("JobEvent") as GraphQLObjectType).getFields());
}

function objectOf(name: string): GraphQLObjectType {
  return schema.getType(name) as GraphQLObjectType;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
