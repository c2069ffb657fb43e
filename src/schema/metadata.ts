/** What callers write beside a job to find it by. */
import { z } from "zod";
import type { Problem } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Metadata } from "../domain/run-request.ts";
import { builder } from "./builder.ts";
import { ShapeError } from "./edge-errors.ts";

const most = { keys: 20, keyLength: 100, valueLength: 255 } as const;

export const metadataDescription = `A JSON object of texts, numbers and booleans to find it by, at most ${most.keys}: \`{"customer": "acme", "order": 42}\`.`;

export const MetadataFilter = builder.inputType("MetadataFilter", {
  description: "A key of the metadata with its value.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The key." }),
    value: t.string({ required: true, description: 'The value as text: `"acme"`, `"42"`, `"true"`.' }),
  }),
});

export const metadataFilters = z.array(z.any()).max(5).nullish();

/** @throws ShapeError when a value is no small scalar */
export function metadataOf(value: JsonObject | null | undefined): Metadata | null {
  if (value == null) return null;
  const problems: Problem[] = [];
  const refuse = (path: string, message: string) =>
    problems.push({ path, message: `${path} ${message}`, suggestion: null });
  const entries = Object.entries(value);
  if (entries.length > most.keys) refuse("input.metadata", `has ${entries.length} keys; ${most.keys} are allowed.`);
  for (const [key, item] of entries.slice(0, most.keys)) {
    const path = `input.metadata.${key.slice(0, most.keyLength)}`;
    if (key === "" || key.length > most.keyLength) refuse(path, `is no key of 1 to ${most.keyLength} characters.`);
    if (!["string", "number", "boolean"].includes(typeof item)) refuse(path, "is no text, number or boolean.");
    else if (String(item).length > most.valueLength) refuse(path, `is longer than ${most.valueLength} characters.`);
    else if (/\0/.test(key + String(item))) refuse(path, "has a character U+0000, which cannot be stored.");
  }
  if (problems.length > 0) throw new ShapeError(problems);
  return value as Metadata;
}
