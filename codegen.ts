/** The typed client: types of the committed documents against the committed schema. `npm run codegen` runs it. */
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: ["src/client/documents/**/*.{graphql,ts}"],
  ignoreNoDocuments: true,
  generates: {
    "src/client/generated/": {
      preset: "client",
      // Fragments are for readers of documents, not a barrier between modules.
      presetConfig: { fragmentMasking: false },
      config: {
        importExtension: ".ts",
        enumType: "string-literal",
        useTypeImports: true,
        // Documents as text and types: a client that only sends them needs no parser.
        documentMode: "string",
        scalars: {
          DateTime: "string",
          JSON: "unknown",
          JSONObject: "Record<string, unknown>",
        },
      },
    },
  },
};

export default config;
