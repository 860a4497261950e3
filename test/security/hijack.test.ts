// Whoever may make operators, functions, types and views in a schema makes one of each that others might run unawares.
import * as fs from "node:fs";
import * as path from "node:path";
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
const MANAGER = "shop_local_manager";
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
    for (const [turn, schema] of ["app", "public", ...NAMESAKES].entries())
      await plant(planted, schema, turn);
    await superuser(
      "postgres",
      `CREATE ROLE ${GUEST} LOGIN PASSWORD 'guest'`,
      `GRANT CONNECT, CREATE ON DATABASE postgres TO ${GUEST}`,
      ...letIn(GUEST),
      `ALTER DATABASE postgres ${FIRST}`,
    );
    const guest = await connect(sandbox, { username: GUEST, password: "guest", leaseId: "" }, "postgres");
    for (const [turn, schema] of ["public", ...NAMESAKES].entries()) {
      if (schema !== "credentials_operator") await plant(guest, schema, turn);
    }
    await guest.end();
    await reconnected();
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

  async function plant(client: Client, schema: string, turn: number): Promise<void> {
    await client.query("SET search_path = pg_catalog");
    for (const sql of planting(schema, turn)) await client.query(sql);
  }

  /** The engine's sessions that are open keep the search_path that they began with. */
  const reconnected = () =>
    superuser(
      "postgres",
      `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename OPERATOR(pg_catalog.=) '${MANAGER}'`,
    );

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

  test.each([
    ["an operator or a view", "SELECT 1 FROM pg_roles WHERE oid = 1::oid AND now() IS NULL", /operator =/],
    ["a table", "SELECT 1 FROM pg_authid", /planted_note/],
    ["a domain", "SELECT 'shop_local_owner'::regrole", /planted_note/],
    [
      "a cast",
      "SELECT pg_catalog.now()::pg_catalog.timestamptz::planted_type",
      /cast_planted_type_timestamptz_0/,
    ],
    // In several schemas they would be ambiguous, and the query would fail.
    [
      "a cast that nobody asks for",
      "SET search_path = app; SELECT quote_ident(1::pg_catalog.int4)",
      /cast_planted_type_int4_0/,
    ],
  ])("%s that a query finds by search_path is caught", async (_, sql, planted) => {
    const reader = await web.session("reader");
    const caught = await outcome(() => reader.client.query(sql));
    expect(caught.ran.join()).toMatch(planted);
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

  const asDeployer = () => ({
    PGUSER: sandbox.deployer.postgresUser,
    PGPASSWORD: sandbox.deployer.postgresPassword,
  });

  /** A user that owns more than a revocation hands over, and whose revocation so has failed. */
  async function overfull(): Promise<void> {
    const { credential, client } = await web.session("reader");
    await client.query(
      "SELECT pg_catalog.lo_create(0::pg_catalog.oid) FROM pg_catalog.generate_series(1, 1100)",
    );
    await client.end();
    await expect(revoke(sandbox, credential)).rejects.toThrow(/1000/);
  }
  const handOver = async () => {
    const { code, out, err } = await scenario.run("hand-over", ["--yes"], asDeployer());
    if (code !== 0 || !out.includes("is revoked")) throw new Error(`${code} ${out} ${err}`);
  };

  test("vault-postgres hand-over", async () => {
    let failed = "";
    const revocation = async () => {
      await overfull().catch((error: unknown) => (failed = String(error)));
    };
    expect(await outcome(revocation)).toEqual(clean);
    expect(failed).toBe("");
    expect(await outcome(handOver)).toEqual(clean);
  });

  test.each(["Terraform's login", "the operator's"])("vault-postgres footholds, as %s", async (login) => {
    await superuser("postgres", `GRANT CONNECT ON DATABASE ${DATABASE} TO credentials_operator`);
    const look = async () => {
      const { code, out, err } = await scenario.run(
        "footholds",
        [],
        login === "the operator's" ? {} : asDeployer(),
      );
      if (code === 1 || !out.includes("planted_note")) throw new Error(`${code} ${err}`);
    };
    expect(await outcome(look)).toEqual(clean);
    await superuser("postgres", `REVOKE CONNECT ON DATABASE ${DATABASE} FROM credentials_operator`);
  });

  if (FULL) {
    test("vault-postgres import", async () => {
      const state = path.join(scenario.workspace.directory, "terraform.local.tfstate");
      const kept = fs.readFileSync(state);
      fs.rmSync(state);
      const importing = async () => {
        const { code, out, err } = await scenario.run("import", [], scenario.variablesOfDeployer());
        if (code !== 0 || out === "") throw new Error(`${code} ${err}`);
      };
      expect(await outcome(importing)).toEqual(clean);
      fs.writeFileSync(state, kept);
    });
  }

  // As one that this package has not made: it has no search_path of its own.
  describe("by an engine's login that is imported", () => {
    beforeAll(async () => {
      await superuser("postgres", `ALTER ROLE ${MANAGER} RESET search_path`);
      await reconnected();
    });
    afterAll(async () => {
      await superuser(
        "postgres",
        `ALTER ROLE ${MANAGER} SET search_path = pg_catalog, pg_temp`,
        `ALTER DATABASE ${DATABASE} ${FIRST}`,
      );
      await reconnected();
    });

    test("issuing for each role, renewal, and revocation with sessions", async () => {
      const work = async () => {
        const issued = [await web.issue("reader")];
        issued.push(await (await scenario.enter("api")).issue("writer"));
        issued.push(await (await scenario.enter("migrations")).issue("owner"));
        for (const credential of issued) {
          const lease = { lease_id: credential.leaseId, increment: 600 };
          await sandbox.vault.client().write("sys/leases/renew", lease);
          const session = await connect(sandbox, credential, DATABASE);
          await session.query("BEGIN");
          await revoke(sandbox, credential);
          await session.end().catch(() => undefined);
        }
      };
      expect(await outcome(work)).toEqual(clean);
    });

    test("hand-over", async () => {
      await overfull();
      expect(await outcome(handOver)).toEqual(clean);
    });

    test("status, which names it", async () => {
      const { out } = await scenario.run("status");
      expect(out).toContain(`ALTER ROLE "${MANAGER}" SET search_path = pg_catalog, pg_temp;`);
    });

    if (FULL) {
      test("verify, and a deployment", async () => {
        const { vaultToken } = sandbox.verifier;
        const verify = () => scenario.run("verify", [], { VAULT_TOKEN: vaultToken });
        expect(await outcome(verify)).toEqual(clean);
        expect(await outcome(() => scenario.workspace.apply())).toEqual(clean);
      });
    }

    // The engine's own SQL for it finds first what the database's search_path has before pg_catalog.
    test("rotation, with the database's usual search_path", async () => {
      await superuser("postgres", `ALTER DATABASE ${DATABASE} RESET search_path`);
      await reconnected();
      const rotate = async () => {
        const vault = sandbox.vault.client();
        await vault.write(`${MOUNT}/rotate-root/${DATABASE}`);
        await vault.write(`${MOUNT}/rotate-role/legacy`);
      };
      expect(await outcome(rotate)).toEqual(clean);
    });
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
