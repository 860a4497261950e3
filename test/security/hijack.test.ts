// Whoever may make operators, functions, types and views in a schema makes one of each that others might run unawares.
import * as fs from "node:fs";
import type { Client } from "pg";
import { requireDroppable } from "../../cli/destroy-plan";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { connect, revoke, type Credential } from "../e2e/credential";
import { DATABASE, MOUNT, Scenario, type Group } from "../e2e/operator-scenario";
import { CHANGING, changingTables, MARK, planting } from "./planted";
import { FULL, postgresToTry } from "./servers";

jest.setTimeout(180_000);

const OWNER = "shop_local_owner";
/** Somebody who was let into the database that the operator and Terraform's login work from. */
const GUEST = "planting_guest";
/** A search_path finds the schema that is named like the user first. */
const NAMESAKES = ["shop_local_manager", "terraform", "credentials_operator", "shop_local_legacy"];

describe.each(postgresToTry)("on $name, what was planted is run by nobody else in", ({ binDirectory }) => {
  let sandbox: Sandbox;
  let scenario: Scenario;
  let planter: Credential;
  let planted: Client;
  let web: Group;
  let seen = 0;

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    scenario = new Scenario(sandbox);
    await scenario.deploy();
    web = await scenario.enter("web");
    const migrations = await scenario.enter("migrations");
    planter = await migrations.issue("owner");
    planted = await connect(sandbox, planter, DATABASE);
    await superuser(DATABASE, ...letIn(OWNER), `ALTER DATABASE ${DATABASE} ${FIRST}`);
    for (const schema of ["app", "public", ...NAMESAKES]) await plant(planted, schema);
    await superuser(
      "postgres",
      `CREATE ROLE ${GUEST} LOGIN PASSWORD 'guest'`,
      `GRANT CONNECT, CREATE ON DATABASE postgres TO ${GUEST}`,
      ...letIn(GUEST),
      `ALTER DATABASE postgres ${FIRST}`,
    );
    const guest = await connect(sandbox, { username: GUEST, password: "guest", leaseId: "" }, "postgres");
    for (const schema of ["public", ...NAMESAKES]) {
      if (schema !== "credentials_operator") await plant(guest, schema);
    }
    await guest.end();
    // The engine's sessions that are open keep the search_path that they began with.
    await superuser(
      "postgres",
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename OPERATOR(pg_catalog.=) 'shop_local_manager'",
    );
  });
  afterAll(async () => {
    await planted?.end().catch(() => undefined);
    await sandbox?.stop();
  });

  // The worst that a server may be set up to: what anybody made is found before what PostgreSQL has.
  const FIRST = `SET search_path = "$user", app, public, pg_catalog`;

  const letIn = (user: string) => [
    `GRANT ALL ON SCHEMA public TO ${user} WITH GRANT OPTION`,
    ...NAMESAKES.filter((name) => user === OWNER || name !== "credentials_operator").map(
      (name) => `CREATE SCHEMA ${name} AUTHORIZATION ${user}`,
    ),
  ];

  async function superuser(database: string, ...statements: string[]): Promise<void> {
    const client = await sandbox.postgres.connect(database);
    try {
      await client.query("SET search_path = pg_catalog");
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async function plant(client: Client, schema: string): Promise<void> {
    await client.query("SET search_path = pg_catalog");
    for (const sql of planting(schema)) await client.query(sql);
  }

  /** What ran since the last look, by whom; the planters and the test's own superuser aside. */
  function ranSince(): string[] {
    const log = fs.readFileSync(sandbox.postgres.logFile, "utf8");
    const lines = log.slice(seen).split("\n");
    seen = log.length;
    const ran = lines
      .map((line) => new RegExp(`LOG: +${MARK} (.*)`).exec(line)?.[1])
      .filter((one) => one !== undefined);
    const own = [OWNER, GUEST, planter.username, "postgres"];
    return [...new Set(ran)].filter((one) => !own.includes(one.split(" ")[1] ?? ""));
  }

  /** What failed, so that it is told beside what ran. */
  async function outcome(work: () => Promise<unknown>): Promise<{ failed?: string; ran: string[] }> {
    ranSince();
    const failed = await work().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    return { ...(failed !== undefined && { failed }), ran: ranSince() };
  }
  const clean = { ran: [] };

  test("a query that trusts search_path is caught", async () => {
    const reader = await web.session("reader");
    const caught = await outcome(() =>
      reader.client.query("SELECT 1 FROM pg_roles WHERE oid = 1::oid AND now() IS NULL"),
    );
    expect(caught.ran.join()).toMatch(/planted_note.*operator =/);
    await reader.client.end();
    await revoke(sandbox, reader.credential).catch(() => undefined);
    ranSince();
  });

  let reader: Credential;
  test("issuing", async () => {
    expect(await outcome(async () => (reader = await web.issue("reader")))).toEqual(clean);
  });

  test("issuing for each role", async () => {
    const api = await scenario.enter("api");
    const migrations = await scenario.enter("migrations");
    expect(
      await outcome(async () => {
        await api.issue("writer");
        await migrations.issue("owner");
      }),
    ).toEqual(clean);
  });

  test("renewal", async () => {
    const renew = () =>
      sandbox.vault.client().write("sys/leases/renew", { lease_id: reader.leaseId, increment: 600 });
    expect(await outcome(renew)).toEqual(clean);
  });

  test("revocation, with sessions", async () => {
    const session = await connect(sandbox, reader, DATABASE);
    await session.query("BEGIN");
    expect(await outcome(() => revoke(sandbox, reader))).toEqual(clean);
    await session.end().catch(() => undefined);
  });

  test("rotation of the root password", async () => {
    const rotate = () => sandbox.vault.client().write(`${MOUNT}/rotate-root/${DATABASE}`);
    expect(await outcome(rotate)).toEqual(clean);
  });

  test("rotation of a static login", async () => {
    const rotate = () => sandbox.vault.client().write(`${MOUNT}/rotate-role/legacy`);
    expect(await outcome(rotate)).toEqual(clean);
  });

  test.each([
    ["status"],
    ["rotate-root"],
    ["rotate", "legacy"],
    ["revoke", "--role", "reader", "--end-sessions", "--yes"],
  ])("vault-postgres %s", async (command, ...args) => {
    await web.issue("reader");
    expect(
      await outcome(async () => {
        const { code, err } = await scenario.run(command, args);
        if (err.includes("Unknown argument")) throw new Error(err);
        return code;
      }),
    ).toEqual(clean);
  });

  test("vault-postgres verify", async () => {
    const { vaultToken } = sandbox.verifier;
    const verify = () => scenario.run("verify", [], { VAULT_TOKEN: vaultToken });
    expect(await outcome(verify)).toEqual(clean);
  });

  test("vault-postgres verify, whose tables another owner changes as soon as they are there", async () => {
    const watcher = await connect(sandbox, planter, DATABASE);
    await watcher.query("SET search_path = pg_catalog; SET lock_timeout = '20ms'");
    const watching = watcher.query(changingTables("app")).catch(() => undefined);
    try {
      const { vaultToken } = sandbox.verifier;
      const verify = () => scenario.run("verify", [], { VAULT_TOKEN: vaultToken });
      expect(await outcome(verify)).toEqual(clean);
      const left = "SELECT relname FROM pg_class WHERE relname LIKE 'verify\\_%' OR relname LIKE 'owned\\_%'";
      expect((await planted.query(left)).rows).toEqual([]);
    } finally {
      await superuser(
        "postgres",
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%${CHANGING}%' AND pid <> pg_backend_pid()`,
      );
      await watching;
      await watcher.end().catch(() => undefined);
    }
  });

  test("a plan and a deployment", async () => {
    if (FULL) expect(await outcome(() => scenario.workspace.plan())).toEqual(clean);
    // It plans as well.
    expect(await outcome(() => scenario.workspace.apply())).toEqual(clean);
  });

  test("the revocation of who planted it", async () => {
    expect(await outcome(() => revoke(sandbox, planter))).toEqual(clean);
  });

  test("vault-postgres revoke --all, and drain", async () => {
    await web.issue("reader");
    expect(await outcome(() => scenario.run("revoke", ["--all", "--end-sessions", "--yes"]))).toEqual(clean);
    expect(await outcome(() => scenario.run("drain", ["--yes"]))).toEqual(clean);
  });

  test("what destroy looks at, and the destruction", async () => {
    const look = () =>
      requireDroppable(
        ["local"],
        scenario.output,
        scenario.outputs,
        sandbox.vault.client(),
        scenario.variablesOfDeployer(),
      );
    expect(await outcome(look)).toEqual(clean);
    expect(await outcome(() => scenario.workspace.destroy())).toEqual(clean);
  });
});
