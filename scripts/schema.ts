/**
 * Writes schema.graphql. With --check it writes nothing and fails when the committed file is not what the code makes, or when
 * the API would break for a client of the last commit.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, findBreakingChanges, lexicographicSortSchema, printSchema } from "graphql";
import { schema } from "../src/schema/index.ts";

const root = join(import.meta.dirname, "..");
const path = join(root, "schema.graphql");
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (!process.argv.includes("--check")) {
  writeFileSync(path, printed);
} else if (readFileSync(path, "utf8") !== printed) {
  fail("schema.graphql is not what src/schema makes. Run: npm run codegen");
} else {
  const before = committed();
  const breaking = before === null ? [] : findBreakingChanges(buildSchema(before), buildSchema(printed));
  if (breaking.length > 0) {
    const list = breaking.map(({ description }) => `  ${description}`).join("\n");
    fail(
      `The API would break for those who use it:\n${list}\nKeep what there is, deprecated with a date, and add what is new.`,
    );
  }
}

/** The file as of the last commit; null where there is none: a packed tarball, the first commit. */
function committed(): string | null {
  try {
    return execFileSync("git", ["show", "HEAD:schema.graphql"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return null;
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
