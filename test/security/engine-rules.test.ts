// What checks at synthesis take for the engine's rules, held against the engine itself.
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import { checkStatements, Duration, type StatementKind } from "../../lib";
import { checkLimits } from "../../lib/vault/connection-limits";
import { checkPostgresUsernameTemplate } from "../../lib/vault/username-template";
import { checkConnectionUrl, connectionUrl } from "../../lib/vault/postgres-endpoint";
import { VaultClient } from "../../cli/vault-client";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";

jest.setTimeout(120_000);

let sandbox: Sandbox;
let vault: VaultClient;
let superuser: Client;

beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  vault = sandbox.vault.client();
  superuser = await sandbox.postgres.connect();
  await vault.write("sys/mounts/database", { type: "database" });
  await connection("c", "/postgres");
  await superuser.query("CREATE ROLE lasting LOGIN");
});
afterAll(async () => {
  await superuser?.end();
  await sandbox?.stop();
});

const urlOf = (tail: string) =>
  `postgresql://{{username}}:{{password}}@${sandbox.postgres.host}:${sandbox.postgres.port}${tail}`;

function connection(name: string, tail: string, more: Readonly<Record<string, unknown>> = {}) {
  return vault.write(`database/config/${name}`, {
    plugin_name: "postgresql-database-plugin",
    allowed_roles: "*",
    connection_url: urlOf(tail + (tail.includes("?") ? "&" : "?") + "sslmode=disable"),
    username: sandbox.postgres.superuser,
    password: sandbox.postgres.superuserPassword,
    ...more,
  });
}

/** `ok`, or what the engine says. */
async function outcomeOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return "ok";
  } catch (error) {
    return (error as Error).message;
  }
}

function isTaken(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`;
const DROP = `DROP ROLE IF EXISTS "{{name}}"`;
const NEEDED: Readonly<Record<"creation" | "revocation" | "renewal" | "rotation", string>> = {
  creation: CREATE,
  revocation: DROP,
  renewal: `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`,
  rotation: `ALTER ROLE "{{name}}" PASSWORD '{{password}}'`,
};
const BLOCK = "DO $$ BEGIN PERFORM 1; END $$";
const STATEMENTS: readonly string[] = [
  ...[
    BLOCK,
    "DO $$ BEGIN PERFORM 1; END; $$;",
    "DO $$ BEGIN PERFORM 1; END$$",
    "DO $$ begin perform 1; end $$",
  ],
  ...["SELECT 'a;b'", 'SELECT 1 AS "a;b"', "SELECT 1 -- a;b", "SELECT 1 /* a;b */", "SELECT E'a\\';b'"],
  ...[
    "SELECT 'a', 'b'; SELECT 1 /* c */;",
    "SELECT 1; SELECT 2 -- the end",
    "SELECT CASE WHEN true THEN 1 END; SELECT 1",
  ],
  ...[
    JSON.stringify([BLOCK]),
    JSON.stringify(["SELECT 'a;b'"]),
    JSON.stringify(["DO $$ begin perform 1; end $$"]),
  ],
  JSON.stringify([`DO $$ BEGIN EXECUTE 'COMMENT ON DATABASE postgres IS ''x'''; PERFORM 1 AS "a"; END $$`]),
  Buffer.from(JSON.stringify(["SELECT 'a;b'"])).toString("base64"),
  "DO $outer$ BEGIN EXECUTE $$SELECT ';'$$; END $outer$",
];

describe("statements are taken if the engine runs them, and refused if it splits them,", () => {
  const run: Readonly<Record<keyof typeof NEEDED, (statements: readonly string[]) => Promise<unknown>>> = {
    creation: (creation) => useRole({ creation_statements: creation }),
    revocation: (revocation) => useRole({ revocation_statements: revocation }),
    renewal: (renewal) => useRole({ renew_statements: renewal }),
    rotation: (rotation) =>
      vault.write("database/static-roles/s", {
        ...{ db_name: "c", username: "lasting", rotation_period: 86_400 },
        rotation_statements: rotation,
      }),
  };

  async function useRole(statements: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const usual = { creation_statements: [CREATE], revocation_statements: [DROP] };
    await vault.write("database/roles/r", {
      db_name: "c",
      default_ttl: 60,
      max_ttl: 600,
      ...usual,
      ...statements,
    });
    const { lease_id } = await vault.read("database/creds/r");
    const renewed = await outcomeOf(() => vault.write("sys/leases/renew", { lease_id }));
    const revoked = await outcomeOf(() => vault.write("sys/leases/revoke", { lease_id, sync: true }));
    await vault.write("database/roles/r", { db_name: "c", ...usual });
    if (revoked !== "ok") await vault.write("sys/leases/revoke", { lease_id, sync: true });
    for (const outcome of [renewed, revoked]) if (outcome !== "ok") throw new Error(outcome);
  }

  test.each(["creation", "revocation", "renewal", "rotation"] as const)("of %s", async (kind) => {
    const outcomes: Record<string, readonly [boolean, string]> = {};
    for (const statement of STATEMENTS) {
      const list = [NEEDED[kind], statement];
      const taken = isTaken(() => checkStatements("r", kind satisfies StatementKind, list));
      outcomes[statement] = [taken, await outcomeOf(() => run[kind](list))];
      if (kind === "rotation") await vault.delete("database/static-roles/s");
    }
    const wrong = Object.entries(outcomes).filter(([, [taken, outcome]]) => taken !== (outcome === "ok"));
    expect(wrong).toEqual([]);
    expect(Object.values(outcomes).filter(([taken]) => taken).length).toBeGreaterThan(5);
    expect(Object.values(outcomes).filter(([taken]) => !taken).length).toBeGreaterThan(3);
  });
});

test("a connection URL is taken if it leads to the connection's database, and refused if it leads to another", async () => {
  const tails = ["/postgres", "/template1", "/%70ostgres", "//postgres", "/", "", "?dbname=template1"];
  const options = [
    "dbname=template1",
    "database=template1",
    "%64bname=template1",
    "dbname=",
    "application_name=x",
  ];
  const more = [
    "/template1?dbname=postgres",
    "/postgres?dbname=template1&dbname=postgres",
    "/postgres#/template1",
  ];
  const wrong: unknown[] = [];
  for (const tail of [...tails, ...options.map((option) => `/postgres?${option}`), ...more]) {
    const reached = await databaseReached(tail);
    for (const database of ["postgres", "template1"]) {
      const connected = { database, username: sandbox.postgres.superuser };
      const taken = isTaken(() => checkConnectionUrl(urlOf(tail), connected));
      // Where two names are there, one of them by chance, none is taken.
      if (taken && reached !== database) wrong.push({ tail, database, reached });
      if (!taken && reached === database && !tail.includes("&dbname"))
        wrong.push({ tail, database, reached });
    }
  }
  expect(wrong).toEqual([]);
});

async function databaseReached(tail: string): Promise<string> {
  await connection("u", tail);
  await vault.write("database/roles/u", {
    db_name: "u",
    creation_statements: [
      CREATE,
      `DO $$ BEGIN EXECUTE format('COMMENT ON ROLE "{{name}}" IS %L', current_database()); END $$`,
    ],
    revocation_statements: [DROP],
  });
  const { data, lease_id } = await vault.read("database/creds/u");
  const { rows } = await superuser.query<{ name: string }>(
    "SELECT pg_catalog.shobj_description(oid, 'pg_authid') AS name FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [data?.username],
  );
  await vault.write("sys/leases/revoke", { lease_id, sync: true });
  return rows[0]?.name ?? "";
}

test("a server that does not answer is waited for no longer than a connection's URL says", async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const wait = { connectTimeout: Duration.seconds(1) };
  const url = connectionUrl({ host: "127.0.0.1", port, sslMode: "disable", ...wait }, "postgres");
  await connection("silent", "/postgres", { connection_url: url, verify_connection: false });
  const creation_statements = [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`];
  await vault.write("database/roles/silent", { db_name: "silent", creation_statements });
  const start = performance.now();
  expect(await outcomeOf(() => vault.read("database/creds/silent"))).toMatch(/timeout|deadline/);
  expect((performance.now() - start) / 1000).toBeGreaterThanOrEqual(1);
  expect((performance.now() - start) / 1000).toBeLessThan(5);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test("a connection that is to keep no session open keeps none, as it is synthesized", async () => {
  const sessions = async () =>
    (await superuser.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'idle'")).rows.length;
  for (const [idle, kept] of [
    [1, 1],
    [0, 0],
  ] as const) {
    const { maxIdleConnections } = checkLimits("idle", { maxIdleConnections: idle });
    const limits = { max_open_connections: 2, max_idle_connections: maxIdleConnections };
    await connection("idle", "/postgres?application_name=idle", limits);
    await vault.write("database/roles/idle", { db_name: "idle", creation_statements: [CREATE] });
    const { lease_id } = await vault.read("database/creds/idle");
    await vault.done("sys/leases/revoke", { lease_id, sync: true });
    for (let left = 20; left > 0 && (await sessions()) !== kept; left--) await pause(100);
    expect(await sessions()).toBe(kept);
  }
});

test("username templates that are taken are such as the engine reads", async () => {
  for (const template of [
    "v-5f0c1a-{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}",
    '{{printf "v-%s-%s" (.DisplayName | sha256 | truncate 8) (random 20) | truncate 63}}',
    '{{replace "-" "_" .RoleName | lowercase}}-{{uuid}}',
    '{{truncate 8 (.RoleName | uppercase)}}{{timestamp "2006-01-02"}}-{{unix_time_millis}}',
    "{{.RoleName | truncate_sha256 20}}-{{random 8}}",
  ]) {
    checkPostgresUsernameTemplate(template);
    await connection("u", "/postgres", { username_template: template });
    await vault.write("database/roles/u", {
      db_name: "u",
      creation_statements: [CREATE],
      revocation_statements: [DROP],
    });
    const { data, lease_id } = await vault.read("database/creds/u");
    expect(data?.username).toMatch(/^[A-Za-z0-9_-]{8,63}$/);
    await vault.write("sys/leases/revoke", { lease_id, sync: true });
  }
});

test("a quota is put on an engine of a namespace by a path from the root, and by no other", async () => {
  const { address, rootToken, product } = sandbox.vault;
  if (product !== "OpenBao")
    return announce("SKIPPED: quotas of namespaces: Vault has them in its Enterprise edition only");
  await vault.write("sys/namespaces/team");
  const team = new VaultClient({ address, token: rootToken, namespace: "team" });
  // An engine of version 1, for one of version 2 answers 400 for a moment after it was mounted.
  for (const client of [vault, team]) await client.write("sys/mounts/values", { type: "kv" });
  await team.write("values/config", { any: "value" });
  await vault.write("values/config", { any: "value" });
  const quota = { rate: 0.01, interval: 60 };
  await expect(team.write("sys/quotas/rate-limit/q", { path: "values/", ...quota })).rejects.toThrow(
    "only available in root namespace",
  );
  await vault.write("sys/quotas/rate-limit/q", { path: "team/values/", ...quota });
  expect((await vault.read("sys/quotas/rate-limit/q")).data).toMatchObject({ path: "team/values/" });
  await team.read("values/config");
  await expect(team.read("values/config")).rejects.toThrow("rate limit quota exceeded");
  for (let n = 0; n < 3; n++) await vault.read("values/config");
});
