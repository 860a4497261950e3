import type { Client } from "pg";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "../e2e/credential";
import { expectDocumented, type Table } from "./documented";
import { credsPath, DATABASE, deployMatrix, IDLE_SECONDS, MODES, OTHER, roleOf } from "./fixture";
import { postgresToTry } from "./servers";
import { ATTEMPTS, LEVELS } from "./statements";
import { judge, type Verdict } from "./verdicts";

jest.setTimeout(120_000);

const PRESETS = LEVELS.flatMap((level) => MODES.map((mode) => ({ level, mode })));

const SERVERS: Table = {
  file: "servers.md",
  introduction: `# Servers on which the presets were tried

Made by \`test/security/matrix.test.ts\`. On each server the stack is deployed with the rights of \`docs/rights\`, by a login
and with a manager that are no superusers. For each preset a credential is issued and logs in; it tries each of the
[statements](verdicts.md), as its base role and as itself, and three other databases; it is renewed, and then revoked with
a transaction open. \`terminate\`: the session has ended. \`drain\`: the transaction commits, and the idle session is ended. The
figure is the number of checks that held.

A row with 59 was made before the statements were 52: it lacks “take default privileges from its base role”. No Vault was at
hand since to make those of Vault again.`,
  columns: ["PostgreSQL", "engine", ...PRESETS.map(({ level, mode }) => `${level}, ${mode}`)],
  keys: 2,
};
const VERDICTS: Table = {
  file: "verdicts.md",
  introduction: `# What a credential may do

Made by \`test/security/matrix.test.ts\` from what PostgreSQL said; the same on each of the [servers](servers.md), in
\`terminate\` and in \`drain\`. The schema is the one that the access level names; the owner has \`createSchemas\` left off.

The last five are what PostgreSQL lets every login do. A password that a credential changes ends with its login, and so do
its settings: \`Revocation.drain()\` bounds idle sessions of clients that do not lift the bounds. Large objects of its own go to
the base role at revocation.`,
  columns: ["statement", ...LEVELS],
};

/** Other databases, of the same login and of others. */
const ELSEWHERE = [OTHER, "postgres", "template1"];
/** Besides statements and databases: log in, renew, revoke, no login, no session. */
const FURTHER_CHECKS = 5;

describe.each(postgresToTry)("on $name", ({ binDirectory }) => {
  let sandbox: Sandbox;
  let manager: Client;
  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    await deployMatrix(sandbox);
    // Somebody whose session could be ended.
    const login = { username: "matrix_manager", password: sandbox.managerPassword, leaseId: "" };
    manager = await connect(sandbox, login, DATABASE);
  });
  afterAll(async () => {
    await manager?.end();
    await sandbox?.stop();
  });

  const measured = new Map<string, Record<string, Verdict>>();

  const isThere = async ({ username }: Credential) =>
    (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length > 0;
  const validUntil = async ({ username }: Credential) => {
    const sql = `SELECT extract(epoch FROM rolvaliduntil)::float FROM pg_roles WHERE rolname = '${username}'`;
    return Number((await asSuperuser(sandbox, sql))[0]);
  };

  test.each(PRESETS)("$level, $mode: what it says and no more, renewed, revoked", async ({ level, mode }) => {
    const credential = await issue(sandbox, credsPath(roleOf(level, mode)));
    const client = await connect(sandbox, credential, DATABASE);

    const verdicts: Record<string, Verdict> = {};
    for (const attempt of ATTEMPTS) {
      verdicts[attempt.what] = await judge(client, attempt).catch((error: unknown) => {
        throw new Error(`${attempt.what}: ${String(error)}`);
      });
    }
    const expected = ATTEMPTS.map(({ what, allowed }) => [
      what,
      allowed.includes(level) ? "allowed" : "refused",
    ]);
    expect(verdicts).toEqual(Object.fromEntries(expected));
    for (const database of ELSEWHERE) {
      await expect(connect(sandbox, credential, database)).rejects.toMatchObject({ code: "42501" });
    }

    const before = await validUntil(credential);
    const renewal = { lease_id: credential.leaseId, increment: 7200 };
    await sandbox.vault.client().write("sys/leases/renew", renewal);
    expect((await validUntil(credential)) - before).toBeGreaterThan(3000);

    await client.query("BEGIN");
    await client.query("SELECT * FROM app.t");
    await revoke(sandbox, credential);
    expect(await isThere(credential)).toBe(false);
    await expect(connect(sandbox, credential, DATABASE)).rejects.toMatchObject({ code: "28P01" });
    if (mode === "drain") {
      expect(await verdict(client, "SELECT * FROM app.t")).toBe("ok");
      expect(await verdict(client, "COMMIT")).toBe("ok");
      await new Promise((resolve) => setTimeout(resolve, (IDLE_SECONDS + 1) * 1000));
    }
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    await client.end().catch(() => undefined);
    measured.set(`${level}, ${mode}`, verdicts);
  });

  test("the engine's login and the deploying login reach neither the server nor what no base role of theirs does", async () => {
    const password = sandbox.deployer.postgresPassword;
    const terraform = await connect(sandbox, { username: "terraform", password, leaseId: "" }, DATABASE);
    for (const login of [manager, terraform]) {
      for (const sql of [
        "CREATE ROLE made SUPERUSER",
        "ALTER ROLE session_user SUPERUSER",
        "SET ROLE postgres",
        "SELECT rolpassword FROM pg_authid",
        "SELECT * FROM closed.t",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER SYSTEM SET log_statement = 'none'",
      ]) {
        expect([sql, await verdict(login, sql)]).toEqual([sql, "42501"]);
      }
      // Before PostgreSQL 16, CREATEROLE hands out every role but a superuser's, so these too.
      const expected = parseInt(sandbox.postgres.version) < 16 ? "ok" : "42501";
      await login.query("BEGIN");
      expect(await verdict(login, "GRANT pg_execute_server_program TO session_user")).toBe(expected);
      await login.query("ROLLBACK");
    }
    await terraform.end();
  });

  test("large objects may be switched off by a superuser", async () => {
    const functions = "lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea)";
    await asSuperuser(sandbox, `REVOKE EXECUTE ON FUNCTION ${functions} FROM PUBLIC`, DATABASE);
    const credential = await issue(sandbox, credsPath(roleOf("owner", "terminate")));
    const client = await connect(sandbox, credential, DATABASE);
    for (const sql of ["SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'a')"]) {
      expect(await verdict(client, sql)).toBe("42501");
    }
    await client.end();
    await revoke(sandbox, credential);
  });

  test("the documentation says so", () => {
    const { product, version } = sandbox.vault;
    const major = `${parseInt(sandbox.postgres.version)}`;
    const engine = `${product} ${version.split(".").slice(0, 2).join(".")}`;
    const checks = PRESETS.map(({ level, mode }) => {
      const verdicts = measured.get(`${level}, ${mode}`);
      return verdicts ? `${Object.keys(verdicts).length + ELSEWHERE.length + FURTHER_CHECKS}` : "failed";
    });
    expectDocumented(SERVERS, [[major, engine, ...checks]]);
    const rows = ATTEMPTS.map(({ what }) => [
      what,
      ...LEVELS.map((level) => measured.get(`${level}, terminate`)?.[what] ?? "failed"),
    ]);
    expectDocumented(VERDICTS, rows, true);
  });
});
