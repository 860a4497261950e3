// The program that Terraform starts as a provider plugin: `plugin <provider> <file with its schema>`.
import { readFileSync } from "node:fs";
import { providerCalls } from "./protocol/provider-calls";
import { servePlugin } from "./protocol/serve";
import { PROVIDERS } from "./providers";
import type { ProviderSchema } from "./schema/types";
import type { ProviderName } from "./versions";

async function main([name, schemaFile]: readonly string[]): Promise<void> {
  if ((name !== "postgresql" && name !== "vault") || schemaFile === undefined) {
    throw new Error("usage: plugin postgresql|vault <schema.json>");
  }
  const schema = JSON.parse(readFileSync(schemaFile, "utf8")) as ProviderSchema;
  await servePlugin(providerCalls(PROVIDERS[name satisfies ProviderName], schema), process.env);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
