import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  type GraphQLField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from "graphql";
import { describe, expect, it } from "vitest";
import { eventTypeNames } from "../../src/domain/event-types.ts";
import { scopes } from "../../src/schema/context.ts";
import { schema } from "../../src/schema/index.ts";

const own = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith("__") && !isSpecifiedScalarType(type),
);
const rootFields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((root) =>
  Object.values(root?.getFields() ?? {}).map((field) => ({ name: `${root?.name}.${field.name}`, field })),
);

/** Everything in the schema that has a description, by its coordinate. */
function described(type: GraphQLNamedType): [string, string | null | undefined][] {
  const entries: [string, string | null | undefined][] = [[type.name, type.description]];
  if (isEnumType(type))
    entries.push(
      ...type.getValues().map((v): [string, string | null | undefined] => [`${type.name}.${v.name}`, v.description]),
    );
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields()))
      entries.push([`${type.name}.${field.name}`, field.description]);
  }
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      entries.push([`${type.name}.${field.name}`, field.description]);
      for (const arg of field.args) entries.push([`${type.name}.${field.name}(${arg.name})`, arg.description]);
    }
  }
  return entries;
}

describe("the schema", () => {
  it("describes every type, field, argument and value", () => {
    const entries = own.flatMap(described);
    expect(entries.length).toBeGreaterThan(300);
    expect(entries.filter(([, description]) => !description?.trim()).map(([name]) => name)).toEqual([]);
  });

  it.each(rootFields)("declares a scope for $name", ({ field }) => {
    expect(declaredScopes(field)).toHaveLength(1);
    expect(scopes).toContain(declaredScopes(field)[0]);
  });

  it("has an object type for every type of event", () => {
    const types = schema.getPossibleTypes(schema.getType("JobEvent") as never).map(({ name }) => name);
    expect(types).toHaveLength(eventTypeNames.length + 1);
    expect(types).toContain("UnknownEvent");
  });

  it("lets every error be read as an Error", () => {
    const errors = own.filter(
      (type) => isObjectType(type) && type.name.endsWith("Error") && !["RunError", "EventError"].includes(type.name),
    );
    expect(errors.length).toBeGreaterThanOrEqual(6);
    for (const type of errors) {
      expect(isObjectType(type) && type.getInterfaces().map(({ name }) => name), type.name).toEqual(["Error"]);
    }
  });

  it("returns a union of its success and its errors from every mutation", () => {
    for (const { name, field } of rootFields.filter((root) => root.name.startsWith("Mutation."))) {
      const capital = field.name.charAt(0).toUpperCase() + field.name.slice(1);
      expect(String(field.type), name).toBe(`${capital}Result!`);
      expect(schema.getType(`${capital}Success`), name).toBeDefined();
      expect(
        field.args.map((arg) => arg.name),
        name,
      ).toEqual(["input"]);
    }
  });

  it("is made without I/O, without configuration, and lets its process end", async () => {
    // With the sockets and the environment of a process that may use neither.
    const guard = `
      import net from "node:net";
      import dns from "node:dns";
      const refuse = () => { throw new Error("I/O while the schema is made"); };
      net.Socket.prototype.connect = refuse; dns.lookup = refuse;
      process.env = new Proxy({}, { get: (_t, key) => { if (/DATABASE|POSTGRES|^PG|FLOWERPOWER/.test(String(key))) refuse(); }, has: () => false });
      const { schema } = await import(${JSON.stringify(new URL("../../src/schema/index.ts", import.meta.url).href)});
      console.log(schema.getQueryType().name);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", guard], {
      timeout: 25_000,
    });
    expect(stdout.trim()).toBe("Query");
  });
});

function declaredScopes(field: GraphQLField<unknown, unknown>): string[] {
  const options = field.extensions.pothosOptions as { authScopes?: object } | undefined;
  return Object.keys(options?.authScopes ?? {});
}
