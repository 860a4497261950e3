import { LocalBackend, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import type { Client } from "pg";
import {
  Access,
  type AccessGrant,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  PostgresDatabase,
  Revocation,
  WriteOnlySecret,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { FULL } from "../security/servers";
import { announce } from "./announce";
import { asSuperuser, connect, issue, loggedPasswords, revoke, verdict, type Credential } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

// Names that a careless quoting would break at.
const DATABASE = "a database of ours";
const SCHEMA = "App Schema";
const OWNER = "The owner's role";

class AccessStack extends TerraformStack {
  /** @param listed grants of a role of its own; absent while their tables are not there */
  constructor(scope: Construct, { env }: Sandbox, listed?: Access) {
    super(scope, "access");
    new LocalBackend(this, { path: "terraform.tfstate" });
    new VaultProvider(this, "VaultProvider", { address: env.VAULT_ADDR });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: env.PGHOST,
      port: Number(env.PGPORT),
      username: env.PGUSER,
      sslmode: "disable",
      superuser: false,
    });
    const database = new PostgresDatabase(this, "Database", {
      name: DATABASE,
      deletionProtection: false,
      template: "template1",
    });
    database.addSchema(SCHEMA);
    database.addSchema("closed");
    const schemas = [SCHEMA];
    const owner = database.addBaseRole("owner", { name: OWNER, access: Access.owner({ schemas }) });
    const writer = database.addBaseRole("writer", { access: Access.readWrite({ schemas }) });
    const reader = database.addBaseRole("reader", { access: Access.readOnly({ schemas }) });
    const custom = database.addBaseRole("custom", {
      access: Access.custom([
        { on: "database", privileges: ["CONNECT"] },
        { on: "schema", schema: SCHEMA, privileges: ["USAGE"] },
        { on: "table", schema: SCHEMA, privileges: ["INSERT"] },
      ]),
    });
    const connection = new DatabaseSecretsEngine(this, "Secrets", {
      path: "access/database",
    }).addPostgresConnection("c", {
      database,
      endpoint: { host: env.PGHOST ?? "", port: Number(env.PGPORT), sslMode: "disable" },
      manager: new ManagerRole(this, "Manager", {
        name: "access_manager",
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      }),
    });
    const drain = Revocation.drain({ idleSessionTimeout: Duration.seconds(1) });
    connection.addDynamicRole("owner", { baseRole: owner });
    connection.addDynamicRole("writer", { baseRole: writer });
    connection.addDynamicRole("reader", { baseRole: reader });
    connection.addDynamicRole("custom", { baseRole: custom });
    connection.addDynamicRole("draining-owner", { baseRole: owner, revocation: drain });
    connection.addDynamicRole("draining-writer", { baseRole: writer, revocation: drain });
    if (listed) database.addBaseRole("listed", { access: listed });
    connection.addDynamicRole("raw", {
      creationStatements: [
        `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE "${DATABASE}_reader"`,
      ],
    });
  }
}

let sandbox: Sandbox;
let workspace: Workspace;
const credentials: Record<string, Credential> = {};
const sessions: Client[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  workspace = new Workspace(sandbox, "access", (scope) => new AccessStack(scope, sandbox));
  await workspace.apply();
  const owner = await session("owner");
  await owner.query(`CREATE TABLE "${SCHEMA}".t (id serial PRIMARY KEY, x text)`);
});
afterAll(async () => {
  await Promise.all(sessions.map((client) => client.end().catch(() => undefined)));
  await sandbox?.stop();
});

/** A session of a new credential of a role. */
async function session(role: string): Promise<Client> {
  const credential = await issue(sandbox, `access/database/creds/${role}`);
  credentials[role] = credential;
  const client = await connect(sandbox, credential, DATABASE);
  sessions.push(client);
  return client;
}

const denied = "42501";
const exists = (name: string) => asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${name}'`);

test("a list of tables that changes takes and gives what it says, in one deployment", async () => {
  for (const table of ["u", "w"])
    await asSuperuser(sandbox, `SET ROLE "${OWNER}"; CREATE TABLE "${SCHEMA}".${table} ()`, DATABASE);
  const tables = (...objects: string[]): AccessGrant => ({
    ...{ on: "table", schema: SCHEMA, privileges: ["SELECT"], objects },
  });
  const readable = async (...grants: AccessGrant[]) => {
    workspace.edit((scope) => new AccessStack(scope, sandbox, Access.custom(grants)));
    await workspace.apply();
    const sql = `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = '"${SCHEMA}"'::regnamespace
      AND has_table_privilege('${DATABASE}_listed', oid, 'SELECT') ORDER BY 1`;
    return asSuperuser(sandbox, sql, DATABASE);
  };
  expect(await readable(tables("t", "u"))).toEqual(["t", "u"]);
  expect(await readable(tables("w", "u"))).toEqual(["u", "w"]);
  if (!FULL) return;
  expect(await readable(tables("t", "u", "w"))).toEqual(["t", "u", "w"]);
  expect(await readable(tables("u"))).toEqual(["u"]);
  expect(await readable(tables("u"), tables("t", "w"))).toEqual(["t", "u", "w"]);
  expect(await readable(tables("u", "t"), tables("w"))).toEqual(["t", "u", "w"]);
  expect(await workspace.plan()).toEqual([]);
});

describe("an access level", () => {
  const statements = {
    select: `SELECT * FROM "${SCHEMA}".t`,
    insert: `INSERT INTO "${SCHEMA}".t (x) VALUES ('a')`,
    update: `UPDATE "${SCHEMA}".t SET x = 'b'`,
    delete: `DELETE FROM "${SCHEMA}".t`,
    truncate: `TRUNCATE "${SCHEMA}".t`,
    create: `CREATE TABLE "${SCHEMA}".made (id int)`,
    drop: `DROP TABLE "${SCHEMA}".made`,
    elsewhere: `CREATE TABLE closed.made (id int)`,
    public: `CREATE TABLE public.made (id int)`,
    temporary: `CREATE TEMPORARY TABLE made_temporary (id int)`,
    createRole: `CREATE ROLE made`,
    createDatabase: `CREATE DATABASE made`,
    program: `COPY (SELECT 1) TO PROGRAM 'true'`,
    assumeOwner: `SET ROLE "${OWNER}"`,
  };
  const rows = { select: "ok", insert: "ok", update: "ok", delete: "ok" };
  const nothing = Object.fromEntries(Object.keys(statements).map((name) => [name, denied]));

  test.each([
    ["owner", { ...rows, truncate: "ok", create: "ok", drop: "ok", temporary: "ok", assumeOwner: "ok" }],
    ["writer", { ...rows, drop: "42P01" }],
    ["reader", { select: "ok", drop: "42P01" }],
    ["raw", { select: "ok", drop: "42P01" }],
    // Its INSERT draws from a sequence, to which it has no right.
    ["custom", { drop: "42P01" }],
  ])("%s may do what it says and no more", async (role, allowed) => {
    const client = await session(role);
    const verdicts: Record<string, string> = {};
    for (const [name, sql] of Object.entries(statements)) verdicts[name] = await verdict(client, sql);
    expect(verdicts).toEqual({ ...nothing, ...allowed });
  });

  test("of the user's own grants covers tables made later", async () => {
    const owner = await session("owner");
    await owner.query(`CREATE TABLE "${SCHEMA}".later (x text)`);
    const custom = await session("custom");
    expect(await verdict(custom, `INSERT INTO "${SCHEMA}".later VALUES ('a')`)).toBe("ok");
    expect(await verdict(custom, `SELECT * FROM "${SCHEMA}".later`)).toBe(denied);
  });

  test("does not reach another database that is closed to PUBLIC", async () => {
    await session("owner");
    const credential = credentials.owner!;
    await expect(connect(sandbox, credential, "postgres")).rejects.toMatchObject({ code: denied });
  });
});

describe("revocation", () => {
  test("of a credential ends its sessions, keeps what it made, and drops the login", async () => {
    const client = await session("owner");
    const { username } = credentials.owner!;
    // Out of the base role on purpose, so that the table belongs to the login.
    await client.query("SET ROLE NONE");
    expect(await verdict(client, `CREATE TABLE "${SCHEMA}".mine (id int)`)).toBe("ok");
    await revoke(sandbox, credentials.owner!);
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    expect(await exists(username)).toEqual([]);
    expect(
      await asSuperuser(sandbox, `SELECT tableowner FROM pg_tables WHERE tablename = 'mine'`, DATABASE),
    ).toEqual([OWNER]);
    await expect(connect(sandbox, credentials.owner!, DATABASE)).rejects.toMatchObject({
      code: "28P01",
    });
  });

  test("leaves no session to clients that reconnect in a loop", async () => {
    const credential = await issue(sandbox, "access/database/creds/reader");
    let running = true;
    let connected = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (running) {
        try {
          const client = await connect(sandbox, credential, DATABASE);
          connected++;
          await client.query("SELECT pg_sleep(60)").catch(() => undefined);
          await client.end().catch(() => undefined);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await revoke(sandbox, credential);
    const left = await asSuperuser(
      sandbox,
      `SELECT count(*)::int FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`,
    );
    running = false;
    await Promise.all(clients);
    expect(connected).toBeGreaterThanOrEqual(8);
    expect(left).toEqual([0]);
    expect(await exists(credential.username)).toEqual([]);
  });

  test.each(["draining-owner", "draining-writer"])(
    "of %s lets a running transaction commit and then ends the idle session",
    async (role) => {
      const client = await session(role);
      const credential = credentials[role]!;
      await client.query("BEGIN");
      await client.query(`INSERT INTO "${SCHEMA}".t (x) VALUES ('${role} before')`);
      await revoke(sandbox, credential);
      expect(await exists(credential.username)).toEqual([]);
      await client.query(`INSERT INTO "${SCHEMA}".t (x) VALUES ('${role} after')`);
      await client.query("COMMIT");
      expect(
        await asSuperuser(
          sandbox,
          `SELECT count(*)::int FROM "${SCHEMA}".t WHERE x LIKE '${role}%'`,
          DATABASE,
        ),
      ).toEqual([2]);
      await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    },
  );

  test("of a login that is gone already succeeds", async () => {
    const credential = await issue(sandbox, "access/database/creds/reader");
    await asSuperuser(sandbox, `DROP ROLE "${credential.username}"`);
    await revoke(sandbox, credential);
    const leases = await sandbox.vault.client().list("sys/leases/lookup/access/database/creds/reader");
    expect(leases).not.toContain(credential.leaseId.split("/").at(-1));
  });
});

describe("a password", () => {
  test("reaches PostgreSQL as a verifier only", async () => {
    let last: Credential | undefined;
    const { passwords, log } = await loggedPasswords(sandbox, async () => {
      last = await issue(sandbox, "access/database/creds/reader");
      return last.password;
    });
    expect(log).toMatch(/CREATE ROLE .* PASSWORD/);
    expect(log).toContain(last?.username);
    for (const password of passwords) expect(log).not.toContain(password);
  });
});
