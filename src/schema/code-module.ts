import { builder } from "./builder.ts";

export interface CodeModuleShape {
  name: string;
  file: string;
  sha256: string;
}

export const CodeModule = builder.objectRef<CodeModuleShape>("CodeModule").implement({
  description: "A file of the project that a pipeline is made of.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The module's name." }),
    file: t.exposeString("file", { description: "Its path within the project." }),
    sha256: t.exposeString("sha256", { description: "SHA-256 of its content, in hexadecimal." }),
  }),
});
