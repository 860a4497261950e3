import type { Client } from "pg";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "../e2e/credential";
import { BASE_ROLES, credsPath, DATABASE, deployMatrix, MODES, OTHER, roleOf, type Mode } from "./fixture";
import { postgresToTry } from "./servers";
import { LEVELS, type Level } from "./statements";

jest.setTimeout(120_000);

/** What a login might leave behind, made as itself and not as its base role. */
const OBJECTS: readonly string[] = [
  "CREATE TABLE app.left_table (id serial PRIMARY KEY, x text)",
  "INSERT INTO app.left_table (x) VALUES ('kept')",
  "CREATE SEQUENCE app.left_sequence",
  "CREATE VIEW app.left_view AS SELECT 1 AS one",
  "CREATE MATERIALIZED VIEW app.left_materialized AS SELECT 1 AS one",
  "CREATE FUNCTION app.left_function() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "CREATE TYPE app.left_type AS ENUM ('a')",
  "CREATE DOMAIN app.left_domain AS int",
  "CREATE TEMPORARY TABLE left_temporary (id int)",
  "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC",
  "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO matrix_sibling",
  "GRANT SELECT ON app.left_table TO matrix_sibling",
  "GRANT SELECT ON app.left_table TO PUBLIC",
  "SELECT lo_create(0)",
  "ALTER ROLE session_user SET work_mem = '8MB'",
];

describe.each(postgresToTry)("on $name", ({ binDirectory }) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    await deployMatrix(sandbox);
  });
  afterAll(() => sandbox?.stop());

  const superuser = (sql: string) => asSuperuser(sandbox, sql, DATABASE);
  const issueFor = (level: Level, mode: Mode) => issue(sandbox, credsPath(roleOf(level, mode)));

  /** Nothing in any database of the server refers to the login, and nobody gets in with it. */
  async function expectGone(credential: Credential, oid: number): Promise<void> {
    expect(await superuser(`SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`)).toEqual([]);
    expect(
      await superuser(
        `SELECT classid::regclass FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = ${oid}`,
      ),
    ).toEqual([]);
    expect(await superuser(`SELECT 1 FROM pg_db_role_setting WHERE setrole = ${oid}`)).toEqual([]);
    expect(
      await superuser(`SELECT 1 FROM pg_auth_members WHERE ${oid} IN (member, grantor, roleid)`),
    ).toEqual([]);
    await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
  }

  async function oidOf({ username }: Credential): Promise<number> {
    return Number((await superuser(`SELECT oid FROM pg_roles WHERE rolname = '${username}'`))[0]);
  }

  const sessionsOf = (oid: number) => superuser(`SELECT 1 FROM pg_stat_activity WHERE usesysid = ${oid}`);

  test("no session is left: idle, in a transaction, in a query, with a cursor, acting as the base role", async () => {
    const credential = await issueFor("owner", "terminate");
    const oid = await oidOf(credential);
    const open = (...sql: string[]) =>
      connect(sandbox, credential, DATABASE).then(async (client) => {
        for (const statement of sql) await client.query(statement);
        return client;
      });
    const clients = await Promise.all([
      open("SELECT 1"),
      open("SET ROLE NONE", "BEGIN", "LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE"),
      open(
        "BEGIN",
        "DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 1000)",
        "FETCH 1 FROM c",
        "COMMIT",
      ),
      open("SET ROLE matrix_owner", "PREPARE p AS SELECT 1", "LISTEN something"),
      open("SELECT pg_advisory_lock(1)"),
    ]);
    const busy = await open();
    const running = busy.query("SELECT pg_sleep(60)").catch((error: { code?: string }) => error.code);
    await revoke(sandbox, credential);
    expect(await sessionsOf(oid)).toEqual([]);
    await expectGone(credential, oid);
    // What it had inserted and not committed is gone; what others read is free again.
    expect(await superuser("SELECT count(*) >= 0 FROM app.t")).toEqual([true]);
    for (const client of clients) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    expect(await running).not.toBe(undefined);
    await Promise.all([...clients, busy].map((client) => client.end().catch(() => undefined)));
  });

  test.each(MODES)("%s: what an owner made is kept by its base role", async (mode) => {
    const credential = await issueFor("owner", mode);
    const oid = await oidOf(credential);
    const client = await connect(sandbox, credential, DATABASE);
    await client.query("SET ROLE NONE");
    for (const statement of OBJECTS) await client.query(statement);
    expect((await superuser(`SELECT 1 FROM pg_shdepend WHERE refobjid = ${oid}`)).length).toBeGreaterThan(10);
    await (mode === "drain" ? client.end() : undefined);
    await revoke(sandbox, credential);
    await expectGone(credential, oid);

    const owners = await superuser(`
      SELECT DISTINCT pg_get_userbyid(owner) FROM (
        SELECT relowner FROM pg_class WHERE relname LIKE 'left\\_%'
        UNION ALL SELECT proowner FROM pg_proc WHERE proname LIKE 'left\\_%'
        UNION ALL SELECT typowner FROM pg_type WHERE typname LIKE 'left\\_%'
      ) AS objects (owner)`);
    expect(owners).toEqual([BASE_ROLES.owner]);
    expect(await superuser("SELECT x FROM app.left_table")).toEqual(["kept"]);
    const large = `SELECT pg_get_userbyid(lomowner) FROM pg_largeobject_metadata WHERE oid <> 4242`;
    expect(new Set(await superuser(large))).toEqual(new Set([BASE_ROLES.owner]));
    // The next owner may take it all away.
    const next = await connect(sandbox, await issueFor("owner", mode), DATABASE);
    for (const drop of [
      "DROP TABLE app.left_table",
      "DROP SEQUENCE app.left_sequence",
      "DROP VIEW app.left_view",
      "DROP MATERIALIZED VIEW app.left_materialized",
      "DROP FUNCTION app.left_function",
      "DROP TYPE app.left_type",
      "DROP DOMAIN app.left_domain",
      "SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid <> 4242",
    ]) {
      await next.query(drop);
    }
    await next.end();
  });

  test.each(LEVELS.flatMap((level) => MODES.map((mode) => ({ level, mode }))))(
    "$level, $mode: large objects and settings of its own hold nothing up, nor does a login that is gone",
    async ({ level, mode }) => {
      const credential = await issueFor(level, mode);
      const oid = await oidOf(credential);
      const client = await connect(sandbox, credential, DATABASE);
      await client.query("SET ROLE NONE");
      await client.query("SELECT lo_create(0)");
      await client.query("ALTER ROLE session_user SET work_mem = '8MB'");
      await client.end();
      await revoke(sandbox, credential);
      await expectGone(credential, oid);

      const another = await issueFor(level, mode);
      await superuser(`DROP OWNED BY "${another.username}"`);
      await superuser(`DROP ROLE "${another.username}"`);
      await revoke(sandbox, another);
      expect(await leases(level, mode)).not.toContain(another.leaseId.split("/").at(-1));
    },
  );

  const leases = (level: Level, mode: Mode) =>
    sandbox.vault.client().list(`sys/leases/lookup/${credsPath(roleOf(level, mode))}`);

  test("drain: every running transaction commits, though its login is dropped", async () => {
    const credentials = await Promise.all(LEVELS.map((level) => issueFor(level, "drain")));
    const clients: Client[] = [];
    for (const credential of credentials) {
      const client = await connect(sandbox, credential, DATABASE);
      await client.query("BEGIN");
      await client.query("SELECT * FROM app.t");
      clients.push(client);
    }
    await Promise.all(credentials.map((credential) => revoke(sandbox, credential)));
    for (const client of clients) {
      expect(await verdict(client, "SELECT * FROM app.t")).toBe("ok");
      expect(await verdict(client, "COMMIT")).toBe("ok");
      await client.end();
    }
  });

  // Prevented by design: it takes a grant that somebody else gives.
  test.each(MODES)(
    "%s: an object in another database is a clear error, and no login all the same",
    async (mode) => {
      const credential = await issueFor("read-only", mode);
      const oid = await oidOf(credential);
      const { username } = credential;
      await asSuperuser(sandbox, `GRANT CONNECT, CREATE ON DATABASE ${OTHER} TO "${username}"`, OTHER);
      const elsewhere = await connect(sandbox, credential, OTHER);
      await elsewhere.query("SET ROLE NONE");
      await elsewhere.query("CREATE SCHEMA left_schema");
      await elsewhere.end();
      await expect(revoke(sandbox, credential)).rejects.toThrow(
        /cannot be dropped because some objects depend on it/,
      );
      await expect(connect(sandbox, credential, OTHER)).rejects.toMatchObject({ code: "28P01" });
      await asSuperuser(sandbox, `DROP OWNED BY "${username}" CASCADE`, OTHER);
      await revoke(sandbox, credential);
      await expectGone(credential, oid);
    },
  );

  test("terminate: a session that does not end is a clear error, no login all the same, and the lease stays", async () => {
    const credential = await issueFor("read-write", "terminate");
    const oid = await oidOf(credential);
    const client = await connect(sandbox, credential, DATABASE);
    client.on("error", () => undefined);
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const [{ pid } = { pid: NaN }] = rows;
    process.kill(pid, "SIGSTOP");
    try {
      await expect(revoke(sandbox, credential)).rejects.toThrow(
        `sessions of ${credential.username} could not be ended`,
      );
      await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
      expect(await leases("read-write", "terminate")).toHaveLength(1);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await revoke(sandbox, credential);
    await expectGone(credential, oid);
    expect(await sessionsOf(oid)).toEqual([]);
  });
});
