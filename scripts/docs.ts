/** Writes the pages of docs/ that are made from the code. With --check it fails when one of them is out of date. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultsPage } from "./docs-defaults.ts";
import { eventsPage } from "./docs-events.ts";
import { lifecyclePage } from "./docs-lifecycle.ts";

const pages = {
  "docs/lifecycle.md": lifecyclePage(),
  "docs/defaults.md": defaultsPage(),
  "docs/events.md": eventsPage(),
};
const root = join(import.meta.dirname, "..");

for (const [path, text] of Object.entries(pages)) {
  if (!process.argv.includes("--check")) {
    writeFileSync(join(root, path), text);
  } else if (readFileSync(join(root, path), "utf8") !== text) {
    console.error(`${path} is not what the code says. Run: npm run docs`);
    process.exitCode = 1;
  }
}
