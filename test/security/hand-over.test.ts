import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Client } from "pg";
import { main } from "../../cli/main";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, revoke, verdict, type Credential } from "../e2e/credential";
import { DATABASE, Scenario, type Group } from "../e2e/operator-scenario";
import { FakeShell } from "../sandbox/fake-shell";
import { FaultTable } from "./fault-table";
import { FULL, postgresToTry } from "./servers";

jest.setTimeout(FULL ? 600_000 : 180_000);

const PROJECT = path.resolve(__dirname, "../..");
/** Of several versions, the usual one is tried with many. */
const LARGE_OBJECTS = (name: string) => (!FULL ? 2_000 : name.startsWith("PostgreSQL") ? 10_000 : 200_000);
const TABLES = FULL ? 2_000 : 100;

/** One of each kind that has an owner and that an owner may make. */
const EACH_KIND: readonly string[] = [
  "CREATE TABLE app.serial (id serial PRIMARY KEY, x text)",
  "INSERT INTO app.serial (x) VALUES ('kept')",
  "CREATE TABLE app.identity (id int GENERATED ALWAYS AS IDENTITY)",
  "CREATE TABLE app.parts (id int) PARTITION BY RANGE (id)",
  "CREATE TABLE app.part PARTITION OF app.parts FOR VALUES FROM (0) TO (9)",
  "CREATE SEQUENCE app.alone",
  'CREATE VIEW app."odd ""name" AS SELECT 1 AS one',
  "CREATE MATERIALIZED VIEW app.material AS SELECT 1 AS one",
  "CREATE TYPE app.enum AS ENUM ('a')",
  "CREATE TYPE app.pair AS (a int)",
  "CREATE TYPE app.span AS RANGE (SUBTYPE = int)",
  "CREATE DOMAIN app.domain AS int",
  "CREATE FUNCTION app.function(app.enum, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "CREATE PROCEDURE app.procedure(INOUT x int) LANGUAGE sql AS 'SELECT 1'",
  "CREATE AGGREGATE app.aggregate(int) (SFUNC = int4pl, STYPE = int)",
  "CREATE AGGREGATE app.all_of(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0')",
  "CREATE FUNCTION app.same(app.enum, app.enum) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
  "CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = app.enum, RIGHTARG = app.enum)",
  "CREATE STATISTICS app.statistics ON id, x FROM app.serial",
  "CREATE TEXT SEARCH CONFIGURATION app.configuration (COPY = pg_catalog.simple)",
  "CREATE TEXT SEARCH DICTIONARY app.dictionary (TEMPLATE = simple)",
  'CREATE COLLATION app.collation FROM "C"',
  "CREATE CONVERSION app.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
  "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC, shop_local_reader",
  "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO shop_local_reader",
  "GRANT SELECT ON app.serial TO shop_local_reader",
  "GRANT SELECT (x) ON app.serial TO PUBLIC",
  "CREATE TABLE app.guarded (x int)",
  "CREATE POLICY of_both ON app.guarded TO session_user, shop_local_reader",
  "CREATE POLICY of_one ON app.guarded TO session_user",
];

const table = new FaultTable("hand-over");
const STAYS = "the revocation fails; nobody logs in with it any more, and its lease stays";
const TAKES_BACK = "`vault-postgres hand-over`, which takes back what others gave, and leaves others theirs";

interface HandedOver {
  readonly user: string;
  readonly before: number;
  readonly left: number;
  readonly refused: readonly string[];
  readonly lease?: { readonly id: string; readonly error?: string };
}

describe.each(postgresToTry)("on $name", ({ name, binDirectory }) => {
  const largeObjects = LARGE_OBJECTS(name);
  let sandbox: Sandbox;
  let scenario: Scenario;
  let migrations: Group;
  let reports: Group;

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    scenario = new Scenario(sandbox);
    await scenario.deploy();
    fs.writeFileSync(outputsFile(), JSON.stringify({ local: scenario.outputs }));
    migrations = await scenario.enter("migrations");
    reports = await scenario.enter("reports");
  });
  afterAll(() => sandbox?.stop());

  const outputsFile = () => path.join(sandbox.directory, "outputs.json");
  const variables = () => ({
    ...scenario.variables(),
    PGUSER: sandbox.deployer.postgresUser,
    PGPASSWORD: sandbox.deployer.postgresPassword,
  });
  const command = (...args: string[]) => ["hand-over", "local", "--outputs", outputsFile(), ...args];

  async function handOver(args: readonly string[] = ["--yes"], changes: NodeJS.ProcessEnv = {}) {
    const shell = new FakeShell({ ...variables(), ...changes });
    const code = await main(command(...args, "--json"), shell);
    const users =
      shell.out.length > 0 ? (JSON.parse(shell.out.join("\n")) as { users: HandedOver[] }).users : [];
    return { code, users, err: shell.err.join("\n") };
  }

  /** A credential that has made something as itself, and not as its base role. */
  async function owning(
    group: Group,
    role: string,
    make: (client: Client) => Promise<void>,
  ): Promise<Credential> {
    const { credential, client } = await group.session(role);
    await client.query("SET ROLE NONE");
    await make(client);
    await client.end();
    return credential;
  }

  /** As a revocation leaves a user that could not come to its end: no login, no session, the lease is there. */
  async function endLogin({ username }: Credential, more = ""): Promise<void> {
    await asSuperuser(sandbox, `ALTER ROLE "${username}" NOLOGIN ${more}`);
  }

  /** A revocation fails, and leaves neither a login nor its lease to itself. */
  async function expectKept(credential: Credential): Promise<void> {
    await expect(revoke(sandbox, credential)).rejects.toThrow();
    await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
    const { data } = await sandbox.vault
      .client()
      .write("sys/leases/lookup", { lease_id: credential.leaseId });
    expect(data?.id).toBe(credential.leaseId);
  }

  const exists = async ({ username }: Credential) =>
    (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length > 0;
  const owned = async (owner: string) =>
    Number(
      (
        await asSuperuser(
          sandbox,
          `SELECT count(*)::int FROM pg_shdepend WHERE refobjid = '"${owner}"'::regrole AND deptype = 'o'
           AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          DATABASE,
        )
      )[0],
    );
  const membersOfManager = () =>
    asSuperuser(
      sandbox,
      `SELECT pg_get_userbyid(member)::text || grantor FROM pg_auth_members
       WHERE roleid = 'shop_local_manager'::regrole ORDER BY 1`,
    );

  test("hands over each kind of object and takes each privilege away, and the lease is revoked", async () => {
    const before = await membersOfManager();
    const owner = await migrations.session("owner");
    await owner.client.query("CREATE TABLE app.given (x int)");
    // Which of two leases of one moment is the user's could not be told.
    await pause(3_500);
    const credential = await owning(migrations, "owner", async (client) => {
      for (const statement of EACH_KIND) await client.query(statement);
      await client.query("SELECT lo_create(0) FROM generate_series(1, 20)");
    });
    // What others gave it: by the owner of the table, and as a default privilege.
    await owner.client.query(`GRANT SELECT ON app.given TO "${credential.username}"`);
    await owner.client.query(`GRANT UPDATE (x) ON app.given TO "${credential.username}" WITH GRANT OPTION`);
    await owner.client.query(
      `ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO "${credential.username}"`,
    );
    await owner.client.end();
    await sandbox.vault.client().write("sys/leases/revoke", { lease_id: owner.credential.leaseId });
    await endLogin(credential);
    const { code, users, err } = await handOver();
    expect(err).toContain(`${credential.username}: `);
    expect(users).toMatchObject([
      { user: credential.username, refused: [], lease: { id: credential.leaseId } },
    ]);
    expect(users[0]!.lease!.error).toBeUndefined();
    expect(code).toBe(0);
    // Those for all schemas, which the revocation itself removes.
    expect(users[0]!.left).toBeLessThanOrEqual(1);
    expect(await exists(credential)).toBe(false);
    expect(await asSuperuser(sandbox, "SELECT x FROM app.serial", DATABASE)).toEqual(["kept"]);
    const kinds = await asSuperuser(
      sandbox,
      `SELECT DISTINCT (pg_identify_object(classid, objid, 0)).type FROM pg_shdepend
       WHERE refobjid = 'shop_local_owner'::regrole AND deptype = 'o' ORDER BY 1`,
      DATABASE,
    );
    expect(kinds).toEqual(
      expect.arrayContaining([
        ...["aggregate", "collation", "conversion", "function", "large object"],
        ...["materialized view", "operator", "procedure", "sequence", "statistics object", "table"],
        ...["text search configuration", "text search dictionary", "type", "view"],
      ]),
    );
    const policies = await asSuperuser(sandbox, "SELECT polname FROM pg_policy ORDER BY 1", DATABASE);
    expect(policies).toEqual(["of_both"]);
    expect(await membersOfManager()).toEqual(before);
  });

  test("goes on where it was cut off, and nobody waits for it meanwhile", async () => {
    const credential = await owning(reports, "reader", async (client) => {
      await client.query(`SELECT lo_create(0) FROM generate_series(1, ${largeObjects})`);
    });
    const tables = await owning(migrations, "owner", async (client) => {
      for (let from = 0; from < TABLES; from += 100) {
        const names = Array.from({ length: 100 }, (_, index) => `app.many_${from + index}`);
        await client.query(names.map((name) => `CREATE TABLE ${name} (id serial, x text)`).join(";"));
      }
    });
    // It is too much for a revocation, which says what to do, leaves no login, and is soon over.
    const began = Date.now();
    await expect(revoke(sandbox, credential)).rejects.toThrow(
      /owns or has rights on more than \d+ objects: .*vault-postgres hand-over/,
    );
    expect(Date.now() - began).toBeLessThan(10_000);
    await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
    await endLogin(tables);

    const cut = spawn(
      process.execPath,
      [
        ...["--import", pathToFileURL(require.resolve("tsx")).href, path.join(PROJECT, "cli/main.ts")],
        ...command("--yes", "--batch", "100", "--user", credential.username),
      ],
      { env: variables(), stdio: "ignore" },
    );
    const exited = new Promise((resolve) => cut.once("exit", (_code, signal) => resolve(signal)));
    while ((await owned(credential.username)) > largeObjects * 0.9 && cut.exitCode === null) await pause(20);
    cut.kill("SIGKILL");
    expect(await exited).toBe("SIGKILL");
    // The server notices when it next reads from the connection.
    await pause(500);
    const halfway = await owned(credential.username);
    expect(halfway).toBeGreaterThan(0);
    expect(halfway).toBeLessThan(largeObjects);
    expect((await owned("shop_local_reader")) + halfway).toBe(largeObjects);

    const rest = handOver();
    let isOver = false;
    void rest.finally(() => (isOver = true)).catch(() => undefined);
    let slowest = 0;
    while (!isOver) {
      const began = Date.now();
      const another = await reports.session("reader-2");
      slowest = Math.max(slowest, Date.now() - began);
      await another.client.end();
      await pause(100);
    }
    const { code, users } = await rest;
    expect(users).toHaveLength(2);
    for (const user of users) expect(user).toMatchObject({ left: 0, refused: [] });
    expect({ code, gone: [await exists(credential), await exists(tables)] }).toEqual({
      code: 0,
      gone: [false, false],
    });
    expect(slowest).toBeLessThan(2_000);
    expect(await owned("shop_local_reader")).toBe(largeObjects);
  });

  test("what is locked is left and said, and does not hold up the rest", async () => {
    const credential = await owning(migrations, "owner", async (client) => {
      await client.query("CREATE TABLE app.locked (x int)");
      await client.query("CREATE TABLE app.free (x int)");
    });
    // By its name it is the engine's all the same.
    await endLogin(credential, "VALID UNTIL 'infinity'");
    // A group that somebody has made is not.
    const group = ["CREATE ROLE people", "SET ROLE shop_local_manager", "GRANT shop_local_owner TO people"];
    await asSuperuser(sandbox, group.join("; "));
    const blocker = await sandbox.postgres.connect(DATABASE);
    await blocker.query("BEGIN");
    await blocker.query("SELECT * FROM app.locked");
    const answer = await handOver();
    expect(answer.code).toBe(1);
    expect(answer.users).toMatchObject([
      { left: 1, refused: ["table app.locked: canceling statement due to lock timeout"] },
    ]);
    expect(answer.users[0]!.lease).toBeUndefined();
    await blocker.query("ROLLBACK");
    await blocker.end();
    const again = await handOver();
    expect(again).toMatchObject({ code: 0, users: [{ user: credential.username, before: 1, left: 0 }] });
    expect(again.users).toHaveLength(1);
    await asSuperuser(sandbox, "DROP ROLE people");
    expect(await exists(credential)).toBe(false);
  });

  test("a user whose memberships were taken away is known by its name, once it may not log in", async () => {
    const credential = await owning(reports, "reader", async (client) => {
      await client.query("SELECT lo_create(0)");
    });
    const { username } = credential;
    await asSuperuser(sandbox, `SET ROLE shop_local_manager; REVOKE shop_local_reader FROM "${username}"`);
    expect(await handOver()).toMatchObject({ code: 0, users: [] });
    await endLogin(credential);
    const { code, users } = await handOver();
    expect(users).toMatchObject([{ user: username, baseRole: "shop_local_reader", left: 0, refused: [] }]);
    expect(code).toBe(0);
    expect(await exists(credential)).toBe(false);
  });

  test("a user without a lease costs nobody else's", async () => {
    const ended = await owning(reports, "reader", async (client) => {
      await client.query("SELECT lo_create(0)");
    });
    const holder = await sandbox.postgres.connect(DATABASE);
    await holder.query(`BEGIN; ALTER ROLE "${ended.username}" NOLOGIN`);
    await sandbox.vault.client().write(`sys/leases/revoke-force/${ended.leaseId}`);
    await holder.query("COMMIT");
    await holder.end();
    expect(await exists(ended)).toBe(true);
    await pause(2_500);
    const { credential, client } = await reports.session("reader");
    const { code, users } = await handOver();
    expect(users).toMatchObject([{ user: ended.username, left: 0 }]);
    expect(users[0]).not.toHaveProperty("lease");
    expect(code).toBe(1);
    expect(await verdict(client, "SELECT 1")).toBe("ok");
    await client.end();
    await revoke(sandbox, credential);
    await asSuperuser(sandbox, `DROP ROLE "${ended.username}"`);
  });

  test("takes back what another user has given it that is there still", async () => {
    const rest = "GRANT SELECT ON LARGE OBJECT";
    const { credential: ended, client } = await migrations.session("owner");
    await client.end();
    // Which of two leases of one moment is the user's could not be told.
    await pause(3_500);
    const giver = await migrations.session("owner");
    const before = await membersOfManager();
    const memberships = () =>
      asSuperuser(sandbox, `SELECT roleid::text || member || grantor FROM pg_auth_members ORDER BY 1`);
    const all = await memberships();
    await giver.client.query("SET ROLE NONE");
    const numbers = `generate_series(700001, 701200)`;
    await giver.client.query(`SELECT lo_create(n::oid) FROM ${numbers} AS n`);
    await giver.client.query(
      `DO $$ BEGIN FOR n IN 700001..701200 LOOP EXECUTE format('${rest} %s TO %I', n, '${ended.username}'); END LOOP; END $$`,
    );
    for (const statement of [
      "CREATE TABLE app.of_giver (x int)",
      `GRANT SELECT ON app.of_giver TO "${ended.username}"`,
      `CREATE POLICY of_ended ON app.of_giver TO "${ended.username}"`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO "${ended.username}"`,
    ])
      await giver.client.query(statement);
    await expect(revoke(sandbox, ended)).rejects.toThrow(/vault-postgres hand-over/);
    const { code, users } = await handOver();
    expect(users).toMatchObject([{ user: ended.username, left: 0, refused: [] }]);
    expect(users[0]!.lease).toEqual({ id: ended.leaseId });
    expect({ code, exists: await exists(ended) }).toEqual({ code: 0, exists: false });
    // The giver goes on, and has what is its own.
    expect((await giver.client.query("SELECT x FROM app.of_giver")).rowCount).toBe(0);
    expect(await owned(giver.credential.username)).toBeGreaterThanOrEqual(1_200);
    expect(await membersOfManager()).toEqual(before);
    expect((await memberships()).filter((one) => !all.includes(one))).toEqual([]);
    await giver.client.query(`SELECT lo_unlink(n::oid) FROM ${numbers} AS n`);
    await giver.client.end();
    await revoke(sandbox, giver.credential);
  });

  test("whoever keeps the engine's login from becoming a member of it holds up nothing else", async () => {
    const { credential: ended, client } = await migrations.session("owner");
    await client.end();
    const giver = await migrations.session("owner");
    await giver.client.query("SET ROLE NONE");
    const objects = Array.from({ length: 20 }, (_, index) => 800_001 + index).join();
    await giver.client.query(`SELECT lo_create(n) FROM unnest(ARRAY[${objects}]::oid[]) AS n`);
    await giver.client.query(`GRANT SELECT ON LARGE OBJECT ${objects} TO "${ended.username}"`);
    await endLogin(ended);
    await giver.client.query("BEGIN");
    const isLent = await giver.client
      .query(`GRANT "${giver.credential.username}" TO shop_local_manager`)
      .then(
        () => true,
        () => false,
      );
    const began = Date.now();
    const { users } = await handOver();
    expect(Date.now() - began).toBeLessThan(20_000);
    // From PostgreSQL 15 on, no role may make others members of itself.
    expect(isLent).toBe(name.startsWith("PostgreSQL 14"));
    if (isLent)
      expect(users[0]!.refused[0]).toMatch(/^large object 8000\d\d of v-.*: others have given rights/);
    else expect(users).toMatchObject([{ left: 0, refused: [] }]);
    await giver.client.query("ROLLBACK");
    await giver.client.query(`SELECT lo_unlink(n) FROM unnest(ARRAY[${objects}]::oid[]) AS n`);
    await giver.client.end();
    await scenario.run("revoke", ["--all", "--yes"]);
  });

  test("says of what cannot be taken back whose it is", async () => {
    const { credential, client } = await migrations.session("owner");
    await client.end();
    await asSuperuser(
      sandbox,
      `CREATE TABLE app.of_dba (x int); GRANT SELECT ON app.of_dba TO "${credential.username}"`,
      DATABASE,
    );
    await endLogin(credential);
    const { code, users } = await handOver();
    expect(code).toBe(1);
    expect(users).toMatchObject([
      {
        before: 1,
        left: 1,
        refused: [expect.stringMatching(/^table app\.of_dba.*: others have given rights/)],
      },
    ]);
    expect(users[0]!.lease).toBeUndefined();
    await asSuperuser(sandbox, "DROP TABLE app.of_dba", DATABASE);
    expect(await handOver()).toMatchObject({ code: 0 });
  });

  describe("what was given on by somebody who is not the owner", () => {
    /** Sessions of users that act for themselves, and not for their base role. */
    const asThemselves = async (group: Group, role: string, count: number) => {
      const made: Awaited<ReturnType<Group["session"]>>[] = [];
      for (let index = 0; index < count; index++) {
        const one = await group.session(role);
        await one.client.query("SET ROLE NONE");
        made.push(one);
      }
      return made;
    };
    const nameOf = ({ credential: { username } }: { credential: Credential }) => `"${username}"`;
    const ask = async (sql: string) => (await asSuperuser(sandbox, sql, DATABASE))[0];
    const deployer = async (sql: string) => {
      const { postgresUser: username, postgresPassword: password } = sandbox.deployer;
      const client = await connect(sandbox, { username, password, leaseId: "" }, DATABASE);
      await client.query(sql).finally(() => client.end());
    };

    /** Which lease is whose of those that were made at one moment, this file knows. */
    const endAll = async (users: readonly { readonly credential: Credential }[]) => {
      for (const { credential } of users) {
        await revoke(sandbox, credential).catch(async () => {
          await handOver(["--yes", "--user", credential.username]);
          await revoke(sandbox, credential);
        });
        expect(await exists(credential)).toBe(false);
      }
    };

    table.fault(
      "a credential is revoked whose user has rights that somebody gave it who is not the owner",
      STAYS,
      TAKES_BACK,
      async () => {
        await deployer(`GRANT CREATE ON DATABASE ${DATABASE} TO shop_local_owner`);
        const users = await asThemselves(migrations, "owner", 5);
        const [owner, giver, ended, other, last] = users as [
          (typeof users)[0],
          (typeof users)[0],
          (typeof users)[0],
          (typeof users)[0],
          (typeof users)[0],
        ];
        const given = [
          ["SELECT", "TABLE app.on_table"],
          ["SELECT", "TABLE app.on_view"],
          ["USAGE", "SEQUENCE app.on_sequence"],
          ["EXECUTE", "FUNCTION app.on_function(int, text)"],
          ["USAGE", "TYPE app.on_type"],
          ["USAGE", "TYPE app.on_domain"],
          ["USAGE", 'SCHEMA "on schema"'],
          ["SELECT, UPDATE", "LARGE OBJECT 810001"],
          ["SELECT (x), UPDATE (y)", "TABLE app.on_columns"],
          ["TEMPORARY", `DATABASE ${DATABASE}`],
        ] as const;
        for (const sql of [
          "CREATE TABLE app.on_table (x int, y int)",
          "CREATE VIEW app.on_view AS SELECT 1 AS one",
          "CREATE SEQUENCE app.on_sequence",
          "CREATE FUNCTION app.on_function(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "CREATE TYPE app.on_type AS (x int)",
          "CREATE DOMAIN app.on_domain AS int",
          'RESET ROLE; CREATE SCHEMA "on schema"; SET ROLE NONE',
          "SELECT lo_create(810001)",
          "CREATE TABLE app.on_columns (x int, y int)",
          "CREATE TABLE app.by_table (x int, y int)",
          "CREATE TABLE app.gave_column (x int)",
        ])
          await owner.client.query(sql);
        await ask(`ALTER SCHEMA "on schema" OWNER TO ${nameOf(owner)}`);
        for (const [rights, on] of given) {
          const grant = `GRANT ${rights} ON ${on} TO`;
          const first = `${grant} ${nameOf(giver)} WITH GRANT OPTION`;
          await (on.startsWith("DATABASE") ? deployer(first) : owner.client.query(first));
          await giver.client.query(`${grant} ${nameOf(ended)}, ${nameOf(other)} WITH GRANT OPTION`);
          await ended.client.query(`${grant} ${nameOf(last)}`);
        }
        // By who has the option on the table alone.
        await owner.client.query(
          `GRANT SELECT ON app.by_table TO ${nameOf(giver)} WITH GRANT OPTION;
         GRANT SELECT ON app.gave_column TO ${nameOf(ended)} WITH GRANT OPTION`,
        );
        await giver.client.query(`GRANT SELECT (x) ON app.by_table TO ${nameOf(ended)}, ${nameOf(other)}`);
        await ended.client.query(`GRANT SELECT (x) ON app.gave_column TO ${nameOf(last)}`);
        await ended.client.end();
        await expectKept(ended.credential);

        const memberships = () =>
          asSuperuser(sandbox, "SELECT (to_jsonb(m) - 'oid')::text FROM pg_auth_members AS m ORDER BY 1");
        const before = await memberships();
        const { users: found } = await handOver(["--yes", "--user", ended.credential.username]);
        expect(found).toMatchObject([{ left: 0, refused: [] }]);
        await sandbox.vault
          .client()
          .write("sys/leases/revoke", { lease_id: ended.credential.leaseId, sync: true });
        expect(await exists(ended.credential)).toBe(false);
        expect((await memberships()).filter((one) => !before.includes(one))).toEqual([]);
        const has = async (who: { credential: Credential }) =>
          await ask(
            `SELECT array_to_string(ARRAY[has_table_privilege(r, 'app.on_table', 'SELECT WITH GRANT OPTION'),
             has_table_privilege(r, 'app.on_view', 'SELECT WITH GRANT OPTION'),
             has_sequence_privilege(r, 'app.on_sequence', 'USAGE WITH GRANT OPTION'),
             EXISTS (SELECT FROM pg_proc, aclexplode(proacl) WHERE proname = 'on_function' AND grantee = r AND is_grantable),
             EXISTS (SELECT FROM pg_type, aclexplode(typacl) WHERE typname = 'on_type' AND grantee = r AND is_grantable),
             EXISTS (SELECT FROM pg_type, aclexplode(typacl) WHERE typname = 'on_domain' AND grantee = r AND is_grantable),
             has_schema_privilege(r, 'on schema', 'USAGE WITH GRANT OPTION'),
             (SELECT count(*) = 2 FROM pg_largeobject_metadata, aclexplode(lomacl) WHERE oid = 810001 AND grantee = r AND is_grantable),
             has_column_privilege(r, 'app.on_columns', 'x', 'SELECT WITH GRANT OPTION'),
             has_column_privilege(r, 'app.on_columns', 'y', 'UPDATE WITH GRANT OPTION'),
             EXISTS (SELECT FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee = r AND is_grantable),
             EXISTS (SELECT FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'app.by_table'::regclass AND grantee = r)], ' ')
           FROM CAST('${nameOf(who)}' AS regrole) AS r`,
          );
        expect(await has(other)).toBe("t t t t t t t t t t t t");
        expect(await has(last)).toBe("f f f f f f f f f f f f");
        expect(
          await ask(
            "SELECT attacl::text FROM pg_attribute WHERE attrelid = 'app.gave_column'::regclass AND attname = 'x'",
          ),
        ).toBeNull();
        for (const { client } of users) await client.end().catch(() => undefined);
        await endAll(users);
        await deployer(`REVOKE CREATE ON DATABASE ${DATABASE} FROM shop_local_owner`);
      },
    );

    table.fault(
      "two credentials are revoked whose users have given rights to each other that a third gave them",
      STAYS,
      TAKES_BACK,
      async () => {
        const users = await asThemselves(reports, "reader", 3);
        const [owner, one, two] = users as [(typeof users)[0], (typeof users)[0], (typeof users)[0]];
        await owner.client.query("SELECT lo_create(820001), lo_create(820002)");
        const rights = (number: number) => `GRANT SELECT ON LARGE OBJECT ${number} TO`;
        await owner.client.query(`${rights(820001)} ${nameOf(one)} WITH GRANT OPTION`);
        await owner.client.query(`${rights(820002)} ${nameOf(two)} WITH GRANT OPTION`);
        await one.client.query(`${rights(820001)} ${nameOf(two)}`);
        await two.client.query(`${rights(820002)} ${nameOf(one)}`);
        for (const { client } of users) await client.end();
        await revoke(sandbox, owner.credential);
        for (const { credential } of [one, two]) await expectKept(credential);
        const { users: found } = await handOver();
        expect(found).toMatchObject([
          { left: 0, refused: [] },
          { left: 0, refused: [] },
        ]);
        for (const { credential } of [one, two]) await revoke(sandbox, credential);
        for (const { credential } of users) expect(await exists(credential)).toBe(false);
      },
    );

    test("on what is a superuser's is named, with the statements that take it back", async () => {
      const users = await asThemselves(migrations, "owner", 2);
      const [giver, ended] = users as [(typeof users)[0], (typeof users)[0]];
      for (const sql of [
        "CREATE FOREIGN DATA WRAPPER wrapper",
        "CREATE SERVER server FOREIGN DATA WRAPPER wrapper",
        `CREATE TABLE app.of_superuser (x int)`,
      ])
        await ask(sql);
      const given = [
        ["USAGE", "FOREIGN DATA WRAPPER wrapper"],
        ["USAGE", "FOREIGN SERVER server"],
        ["USAGE", "LANGUAGE plpgsql"],
        ["SELECT", "TABLE app.of_superuser"],
        ...(name.includes(" 14") ? [] : [["SET", "PARAMETER work_mem"] as const]),
      ] as const;
      for (const [rights, on] of given) {
        await ask(`GRANT ${rights} ON ${on} TO ${nameOf(giver)} WITH GRANT OPTION`);
        await giver.client.query(`GRANT ${rights} ON ${on} TO ${nameOf(ended)}`);
      }
      for (const { client } of users) await client.end();
      await endLogin(ended.credential);
      const before = await handOver();
      expect(before).toMatchObject({ code: 1, users: [{ left: given.length }] });
      const { refused } = before.users[0]!;
      expect(refused).toHaveLength(given.length);
      for (const reason of refused) {
        expect(reason).toMatch(
          /neither the engine's login nor that of PGUSER may .*, or as a superuser, in this/,
        );
        await ask(/ in this database: (.*)$/.exec(reason)![1]!);
      }
      const { users: found } = await handOver();
      expect(found).toMatchObject([{ before: 0, left: 0, refused: [] }]);
      await ask(`DROP OWNED BY ${nameOf(giver)}`);
      await endAll(users);
      await ask("DROP TABLE app.of_superuser; DROP SERVER server; DROP FOREIGN DATA WRAPPER wrapper");
    });
  });

  table.fault(
    "a credential is revoked whose user owns something in a schema where its base role may make nothing",
    STAYS,
    "`vault-postgres hand-over`, which gives it to the base role all the same",
    async () => {
      const superuser = (sql: string) => asSuperuser(sandbox, sql, DATABASE);
      await superuser(`GRANT CREATE ON DATABASE ${DATABASE} TO shop_local_owner`);
      const users: Credential[] = [];
      for (const statements of [
        // Its own, which it owns for longer than what is in it.
        [
          "SET ROLE NONE",
          "CREATE FUNCTION app.moved() RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "CREATE SCHEMA own",
          "ALTER FUNCTION app.moved() SET SCHEMA own",
        ],
        // The base role's, which has taken its rights on it from itself.
        [
          "CREATE SCHEMA theirs",
          "SET ROLE NONE",
          "CREATE FUNCTION theirs.made() RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "CREATE TABLE theirs.table (x int)",
          "SET ROLE shop_local_owner",
          "REVOKE ALL ON SCHEMA theirs FROM shop_local_owner",
        ],
      ]) {
        const { credential, client } = await migrations.session("owner");
        for (const statement of statements) await client.query(statement);
        await client.end();
        await expectKept(credential);
        users.push(credential);
      }
      const { users: found } = await handOver();
      expect(found).toMatchObject([
        { left: 0, refused: [] },
        { left: 0, refused: [] },
      ]);
      expect(
        await superuser(
          `SELECT nspname || ' ' || pg_get_userbyid(nspowner) || ' ' || has_schema_privilege('shop_local_owner', oid, 'CREATE')
         FROM pg_namespace WHERE nspname IN ('own', 'theirs') ORDER BY 1`,
        ),
      ).toEqual(["own shop_local_owner true", "theirs shop_local_owner false"]);
      for (const credential of users) {
        await revoke(sandbox, credential);
        expect(await exists(credential)).toBe(false);
      }
      await superuser(
        `DROP SCHEMA own, theirs CASCADE; REVOKE CREATE ON DATABASE ${DATABASE} FROM shop_local_owner`,
      );
    },
  );

  table.fault(
    "a credential is revoked whose user has given itself settings of gigabytes, which take long to delete",
    STAYS,
    "`vault-postgres hand-over`, which resets them; `vault-postgres status` says so",
    async () => {
      // On one server: that takes minutes to write.
      const isWhole = FULL && !name.startsWith("PostgreSQL");
      const [megabytes, places] = isWhole ? [440, 5] : [6, 2];
      const { credential, client } = await reports.session("reader");
      const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
      const where = ["", ...rows.map(({ datname }) => ` IN DATABASE "${datname}"`)].slice(0, places);
      // Nothing that PostgreSQL could compress, and little to send.
      const block = randomBytes(786_432).toString("base64");
      await client.query(
        `SET ROLE NONE; DO $do$ BEGIN
         PERFORM set_config('search_path', '"' || repeat('${block}', ${megabytes}) || '"', true);
         ${where.map((place) => `ALTER ROLE SESSION_USER${place} SET search_path FROM CURRENT;`).join(" ")}
       END $do$`,
      );
      await client.end();
      const settings = `SELECT 1 FROM pg_db_role_setting WHERE setrole = '"${credential.username}"'::regrole`;
      if (isWhole) await expectKept(credential);
      else await endLogin(credential);
      expect(await asSuperuser(sandbox, settings)).not.toEqual([]);
      const { out } = await scenario.run("status");
      expect(out).toContain(`it has settings of ${Math.round(megabytes * places * 1.048576)} MB`);
      expect(out).toMatch(
        new RegExp(`vault-postgres hand-over local --user ${credential.username} resets its`),
      );

      const { code, users, err } = await handOver(["--user", credential.username, "--yes"]);
      expect(err).toContain(" MB, which are reset.");
      expect(users).toMatchObject([
        { user: credential.username, refused: [], lease: { id: credential.leaseId } },
      ]);
      expect(users[0]!.lease!.error).toBeUndefined();
      expect(code).toBe(0);
      expect(await exists(credential)).toBe(false);
    },
  );

  test("leaves users alone that may log in or have a session, and says so", async () => {
    const { credential, client } = await migrations.session("owner");
    expect(await handOver()).toMatchObject({ code: 0, users: [] });
    const live = await handOver(["--yes", "--user", credential.username]);
    expect(live.code).toBe(2);
    expect(live.err).toContain(
      `"${credential.username}" is no user of the environment's engine that may not`,
    );
    expect((await handOver(["--yes", "--user", "shop_local_owner"])).code).toBe(2);
    await endLogin(credential);
    const busy = await handOver();
    expect(busy).toMatchObject({ code: 1, users: [] });
    expect(busy.err).toContain(`${credential.username} has 1 session: end them first`);
    await client.end();
    await scenario.run("revoke", ["--all", "--yes"]);
  });

  test("a login that may not is told which one may", async () => {
    const credential = await owning(migrations, "owner", async (client) => {
      await client.query("SELECT lo_create(0)");
    });
    await endLogin(credential);
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${sandbox.operator.postgresUser}`);
    const operator = { PGUSER: sandbox.operator.postgresUser, PGPASSWORD: sandbox.operator.postgresPassword };
    const refused = await handOver(["--yes"], operator);
    expect(refused.code).toBe(2);
    expect(refused.err).not.toContain("This was while");
    expect(refused.err).toMatch(/The login of PGUSER may not act as the engine's login shop_local_manager/);
    expect(refused.err).toContain("docs/rights/postgres-login.sql");
    const superuser = { PGUSER: sandbox.postgres.superuser, PGPASSWORD: sandbox.postgres.superuserPassword };
    expect(await handOver(["--yes"], superuser)).toMatchObject({ code: 0, users: [{ left: 0 }] });
    await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
  });

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
});

table.isDocumented();
