// tsx run.ts [engine] [creds|static-creds] [role]
import { readFileSync } from "node:fs";
import { endlessClient, type ClientEvent } from "./endless-client";

const [engine = "database", kind = "creds", role = "postgresql-role"] = process.argv.slice(2);
const { VAULT_ADDR, VAULT_TOKEN, DB_HOST, DB_PORT, DB_NAME, DB_CA_FILE } = process.env;

async function main(): Promise<void> {
  if (!VAULT_ADDR || !VAULT_TOKEN) throw new Error("Set VAULT_ADDR and VAULT_TOKEN.");
  if (kind !== "creds" && kind !== "static-creds") throw new Error("The kind is creds or static-creds.");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const events = endlessClient({
    vaultAddress: VAULT_ADDR,
    vaultToken: VAULT_TOKEN,
    credsPath: `${engine}/${kind}/${role}`,
    host: DB_HOST ?? "localhost",
    port: Number(DB_PORT ?? 5432),
    database: DB_NAME ?? "example",
    caCertificate: DB_CA_FILE ? readFileSync(DB_CA_FILE, "utf8") : undefined,
    signal: stop.signal,
  });
  for await (const event of events) console.log(new Date().toISOString(), told(event));
}

function told(event: ClientEvent): string {
  switch (event.kind) {
    case "credential":
      return `credential of ${event.username}, good for ${event.ttlSeconds} s`;
    case "worked":
      return `worked as ${event.username}`;
    case "refused":
      return `PostgreSQL refuses ${event.username} (${event.code}): asking Vault for another`;
    case "failed":
      return `failed, trying again: ${event.message}`;
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
