// What one credential holds in numbers: sessions of every kind, each connection of the server, large objects, tables.
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "../e2e/credential";
import { FaultTable } from "./fault-table";
import { credsPath, DATABASE, deployMatrix, roleOf } from "./fixture";
import { FULL } from "./servers";
import type { Level } from "./statements";

jest.setTimeout(240_000);

const SESSIONS = 200;
const WATCHED_SECONDS = 60;
const LARGE_OBJECTS = 1_500_000;
const TABLES = 10_000;
/** Within which others get credentials while one is revoked, and within which its revocation is answered. */
const BESIDE = 2000;
const BOUND = 3000;

const table = new FaultTable("crowd");

if (!FULL) announce("What one credential holds in large numbers is tried in the full set only.");

(FULL ? describe : describe.skip)("a credential is revoked that holds", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce });
    for (const setting of ["max_connections = 300", "max_locks_per_transaction = 256"]) {
      await asSuperuser(sandbox, `ALTER SYSTEM SET ${setting}`);
    }
    await sandbox.postgres.stop();
    await sandbox.postgres.start();
    await deployMatrix(sandbox);
  });
  afterAll(() => sandbox?.stop());

  const superuser = (sql: string) => asSuperuser(sandbox, sql, DATABASE);
  const issueFor = (level: Level) => issue(sandbox, credsPath(roleOf(level, "terminate")));
  const open = async (credential: Credential, ...sql: string[]) => {
    const client = await connect(sandbox, credential, DATABASE);
    for (const statement of sql) await client.query(statement);
    return client;
  };
  const rolesNamed = ({ username }: Credential) =>
    superuser(`SELECT rolcanlogin FROM pg_roles WHERE rolname = '${username}'`);
  const goingOn = async (sessions: readonly Client[]) =>
    (await Promise.all(sessions.map((session) => verdict(session, "SELECT 1")))).filter(
      (each) => each === "ok",
    ).length;

  /** Opens sessions until the server takes no more. */
  async function fill(credential: Credential): Promise<Client[]> {
    const held: Client[] = [];
    for (;;) {
      try {
        held.push(await open(credential));
      } catch (error) {
        expect(String(error)).toMatch(/connection slots|too many clients/);
        return held;
      }
    }
  }

  table.fault(
    "one credential holds every connection of PostgreSQL that it gives to logins, and is revoked by one that the engine has open",
    "it is revoked and its sessions are ended; others are issued",
    "nothing; a `connectionLimit` of the role keeps it from coming to that",
    async () => {
      const credential = await issueFor("read-only");
      const held = await fill(credential);
      expect(held.length).toBeGreaterThan(250);
      await revoke(sandbox, await issueFor("read-write"));
      await revoke(sandbox, credential);
      expect(await goingOn(held)).toBe(0);
      expect(await rolesNamed(credential)).toEqual([]);
    },
  );

  table.fault(
    "one credential holds every connection of PostgreSQL that it gives to logins, and the engine has none open",
    "revocations and requests fail within seconds; its login is not refused and its sessions go on; when a connection is free, they work",
    "a superuser ends its sessions; revoke again, or wait where the engine tries again; set a `connectionLimit`",
    async () => {
      const credential = await issueFor("read-only");
      await superuser(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'matrix_manager'",
      );
      const held = await fill(credential);
      const began = Date.now();
      await expect(revoke(sandbox, credential)).rejects.toThrow();
      await expect(issueFor("read-write")).rejects.toThrow();
      expect(Date.now() - began).toBeLessThan(15_000);
      expect(await rolesNamed(credential)).toEqual([true]);
      expect(await goingOn(held)).toBe(held.length);
      await held.pop()?.end();
      await pause(500);
      await revoke(sandbox, credential);
      expect(await goingOn(held)).toBe(0);
      expect(await rolesNamed(credential)).toEqual([]);
    },
  );

  test(`${SESSIONS} sessions: idle, writing, waiting, in parallel, reconnecting, through postgres_fdw and dblink; none is there for ${WATCHED_SECONDS} s after`, async () => {
    const credential = await issueFor("owner");
    const loopbacks = await prepareLoopbacks(credential);
    await superuser(
      `CREATE TABLE app.wide AS SELECT g AS x FROM generate_series(1, 1000000) g;
       ALTER TABLE app.wide OWNER TO matrix_owner; ANALYZE app.wide;
       CREATE TABLE app.written (at timestamptz DEFAULT clock_timestamp()); ALTER TABLE app.written OWNER TO matrix_owner`,
    );
    const parallel = await open(
      credential,
      ...["max_parallel_workers_per_gather = 4", "parallel_setup_cost = 0", "parallel_tuple_cost = 0"].map(
        (setting) => `SET ${setting}`,
      ),
      "SET min_parallel_table_scan_size = 0",
    );
    const busy = [parallel.query("SELECT count(*) FROM app.wide a WHERE pg_sleep(0.001) IS NOT NULL")];
    const sessions = [...loopbacks, parallel];
    while (sessions.length < SESSIONS) {
      const client = await open(credential);
      const kind = sessions.push(client) % 4;
      if (kind === 1) await client.query("BEGIN; INSERT INTO app.written DEFAULT VALUES");
      if (kind === 2) busy.push(client.query("SELECT pg_sleep(600)"));
      if (kind === 3) await client.query("SET ROLE NONE; SET default_transaction_read_only = off");
    }
    busy.forEach((query) => void query.catch(() => undefined));
    let reconnecting = true;
    const loops = Array.from({ length: 8 }, async () => {
      while (reconnecting) {
        const client = await open(credential, "INSERT INTO app.written DEFAULT VALUES").catch(() =>
          pause(20),
        );
        await client?.end().catch(() => undefined);
      }
    });
    await pause(500);
    const kinds = await superuser(
      `SELECT DISTINCT backend_type FROM pg_stat_activity WHERE usename = '${credential.username}'`,
    );
    expect(kinds).toEqual(expect.arrayContaining(["client backend", "parallel worker"]));

    await revoke(sandbox, credential);
    const written = await superuser("SELECT count(*)::int FROM app.written");
    const until = Date.now() + WATCHED_SECONDS * 1000;
    const seen: unknown[] = [];
    while (Date.now() < until) {
      // Sessions of roles that are gone; pg_stat_activity has no name for these.
      seen.push(
        ...(await superuser(
          `SELECT a.pid FROM pg_stat_get_activity(NULL) a
           WHERE a.usesysid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_authid r WHERE r.oid = a.usesysid)`,
        )),
      );
      await pause(200);
    }
    reconnecting = false;
    await Promise.all(loops);
    expect(seen).toEqual([]);
    expect(await superuser("SELECT count(*)::int FROM app.written")).toEqual(written);
    expect(await goingOn(sessions)).toBe(0);
    expect(await rolesNamed(credential)).toEqual([]);
    expect(await superuser("SELECT umuser FROM pg_user_mapping")).toEqual([]);
  });

  /** Sessions that have a session of the same credential behind them, on the same server; where it brings the extensions. */
  async function prepareLoopbacks(credential: Credential): Promise<Client[]> {
    const { host, port } = sandbox.postgres;
    const available = await superuser(
      "SELECT name FROM pg_available_extensions WHERE name IN ('postgres_fdw', 'dblink')",
    );
    const sessions: Client[] = [];
    if (available.includes("postgres_fdw")) {
      await superuser("CREATE EXTENSION postgres_fdw SCHEMA app");
      await superuser("GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO matrix_owner");
      sessions.push(
        await open(
          credential,
          "SET ROLE NONE",
          `CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${host}', port '${port}', dbname '${DATABASE}')`,
          `CREATE USER MAPPING FOR "${credential.username}" SERVER loop OPTIONS (user '${credential.username}', password '${credential.password}')`,
          "CREATE FOREIGN TABLE app.far (x text) SERVER loop OPTIONS (schema_name 'app', table_name 't')",
          "BEGIN",
          "SELECT * FROM app.far",
        ),
      );
    }
    if (available.includes("dblink")) {
      await superuser("CREATE EXTENSION dblink SCHEMA app");
      const target = `host=${host} port=${port} dbname=${DATABASE} user=${credential.username} password=${credential.password}`;
      sessions.push(
        await open(
          credential,
          `SELECT app.dblink_connect('loop', '${target}')`,
          "SELECT app.dblink_send_query('loop', 'SELECT pg_sleep(600)')",
        ),
      );
    }
    announce(`Loopback sessions by ${available.join(", ") || "nothing: no such extension is here"}`);
    const behind = await superuser(
      `SELECT count(*)::int FROM pg_stat_activity WHERE usename = '${credential.username}'`,
    );
    expect(behind).toEqual([2 * sessions.length]);
    return sessions;
  }

  test(`${LARGE_OBJECTS.toLocaleString("en")} large objects: in time, and others are issued meanwhile`, async () => {
    const credential = await issueFor("read-only");
    const session = await open(credential, "SET ROLE NONE");
    for (let made = 0; made < LARGE_OBJECTS; made += 100_000) {
      await session.query("SELECT count(lo_create(0)) FROM generate_series(1, 100000)");
    }
    await expectBounded(credential, session, "read-write");
  });

  test(`${TABLES.toLocaleString("en")} tables: in time, and others are issued meanwhile`, async () => {
    const credential = await issueFor("owner");
    const session = await open(credential, "SET ROLE NONE");
    for (let made = 0; made < TABLES; made += 1000) {
      await session.query(
        `DO $$ BEGIN FOR i IN ${made + 1}..${made + 1000} LOOP
           EXECUTE format('CREATE TABLE app.big_%s (id int)', i);
         END LOOP; END $$`,
      );
    }
    await expectBounded(credential, session, "read-only");
  });

  /** Fails, for it is too much, or is done: in time either way, with nobody logged in afterwards. */
  async function expectBounded(credential: Credential, session: Client, other: Level): Promise<void> {
    const began = Date.now();
    const revocation = revoke(sandbox, credential).then(
      () => "done" as const,
      (error: unknown) => String(error),
    );
    await pause(20);
    const another = await issueFor(other);
    expect(Date.now() - began).toBeLessThan(BESIDE);
    const outcome = await revocation;
    expect(Date.now() - began).toBeLessThan(BOUND);
    await revoke(sandbox, another);
    expect(await verdict(session, "SELECT 1")).not.toBe("ok");
    await expect(open(credential)).rejects.toMatchObject({
      code: expect.stringMatching(/^28/) as string,
    });
    if (outcome !== "done") {
      expect(outcome).toContain("vault-postgres hand-over");
      expect(await rolesNamed(credential)).toEqual([false]);
    }
    announce(`${outcome === "done" ? "Revoked" : "Refused"} after ${Date.now() - began} ms`);
  }
});

describe("of the crowd", () => table.isDocumented());
