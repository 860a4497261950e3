/**
 * Says once a second how many tables the dashboard can read, and as whom, whatever becomes of its credentials:
 *
 *   VAULT_ADDR=… VAULT_TOKEN=… npx tsx dashboard.ts
 */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { FallbackPool } from "../shared/fallback-pool";
import { isSessionEnded } from "../shared/swapping-pool";

const READABLE =
  "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')";

async function main(): Promise<void> {
  const { VAULT_ADDR, VAULT_TOKEN, PGSSLMODE, PGSSLROOTCERT, ENGINE, KEY_VALUE, LOOK_AGAIN_SECONDS } =
    process.env;
  const kept = `${KEY_VALUE ?? "secret"}/data/delphi/database`;
  const pool = await FallbackPool.open({
    vault: VAULT_ADDR && VAULT_TOKEN ? { address: VAULT_ADDR, token: VAULT_TOKEN } : undefined,
    credsPath: `${ENGINE ?? "database"}/creds/delphi-readonly`,
    configPath: `${kept}/config`,
    passwordPath: `${kept}/password`,
    environment: process.env,
    defaults: { host: "localhost", port: 5432, database: "delphi", username: "delphi" },
    ssl:
      PGSSLMODE === "disable" ? false : PGSSLROOTCERT ? { ca: fs.readFileSync(PGSSLROOTCERT, "utf8") } : true,
    retrySeconds: Number(LOOK_AGAIN_SECONDS ?? 60),
    onTaken: ({ source, username, passed }) => {
      for (const each of passed) console.log(`passed over: ${each.source}: ${each.reason}`);
      console.log(`login from: ${source}: ${username}`);
    },
    onRenewed: (seconds) => console.log(`renewed for ${seconds} s`),
    onError: (error) => console.error(`goes on as before: ${error.message}`),
  });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  try {
    while (!stop.signal.aborted) {
      await count(pool);
      await sleep(1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    await pool.close();
  }
}

async function count(pool: FallbackPool): Promise<void> {
  try {
    const { rows } = await pool.query<{ count: string }>(READABLE);
    console.log(`${rows[0]?.count} tables, read by ${pool.username}`);
  } catch (error) {
    // By a revocation; the next is asked with another login.
    if (!isSessionEnded(error)) throw error;
    console.log("PostgreSQL ended the session");
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
