import { defineConfig } from "vitest/config";

export default defineConfig({
  // Vite would take the ES build of graphql for our files, Node takes the other one for libraries: one schema, two worlds.
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/postgres.ts"],
    // A process for each file: tests kill connections, set signal handlers and start children.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    // A test that passes at the second try is a bug that was not looked at; so is a file without tests.
    retry: 0,
    passWithNoTests: false,
    allowOnly: false,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
