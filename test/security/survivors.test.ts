import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import {
  assumingCreation,
  drainingRevocation,
  Duration,
  membershipCreation,
  renewal,
  terminatingRevocation,
  type RoleStatements,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "../e2e/credential";
import { BASE_ROLES, credsPath, DATABASE, deployMatrix, ENGINE, roleOf, type Mode } from "./fixture";
import { asPerson, enableIdentities } from "./identities";
import { FULL, postgresToTry } from "./servers";
import type { Level } from "./statements";

jest.setTimeout(FULL ? 300_000 : 60_000);

/** A connection that somebody else has configured, with the engine's own template for names. */
const IMPORTED = "imported";

describe.each(postgresToTry)("after a revocation that says success, on $name", ({ binDirectory }) => {
  let sandbox: Sandbox;
  let major: number;
  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    major = parseInt(sandbox.postgres.version);
    await asSuperuser(sandbox, "ALTER SYSTEM SET max_prepared_transactions = 10");
    await sandbox.postgres.stop();
    await sandbox.postgres.start();
    await deployMatrix(sandbox);
  });
  afterAll(() => sandbox?.stop());

  const superuser = (sql: string) => asSuperuser(sandbox, sql, DATABASE);
  const issueFor = (level: Level, mode: Mode = "terminate") => issue(sandbox, credsPath(roleOf(level, mode)));
  const open = async (credential: Credential, ...sql: string[]) => {
    const client = await connect(sandbox, credential, DATABASE);
    for (const statement of sql) await client.query(statement);
    return client;
  };
  const isThere = async ({ username }: Credential) =>
    (await superuser(`SELECT 1 FROM pg_roles WHERE rolname = ${literal(username)}`)).length > 0;
  const mayLogIn = async ({ username }: Credential) =>
    (await superuser(`SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(username)}`))[0];
  const sessionsOf = ({ username }: Credential) =>
    superuser(`SELECT pid FROM pg_stat_activity WHERE usename = ${literal(username)}`);

  /** Refused with these words, in time; nobody logs in any more, and the lease stays. */
  async function expectRefused(credential: Credential, words: RegExp): Promise<void> {
    const began = Date.now();
    const revocation = expect(revoke(sandbox, credential)).rejects.toThrow(words);
    await pause(20);
    const another = await issueFor(credential.username.includes("read-wri") ? "owner" : "read-write");
    const waited = Date.now() - began;
    await revocation;
    await revoke(sandbox, another);
    expect(waited).toBeLessThan(2_000);
    expect(await mayLogIn(credential)).toBe(false);
    const { data } = await sandbox.vault
      .client()
      .write("sys/leases/lookup", { lease_id: credential.leaseId });
    expect(data?.id).toBe(credential.leaseId);
  }

  test("no session comes up that had been starting, also as the base role", async () => {
    for (const role of ["", " -c role=none", " -c role=matrix_owner"]) {
      const credential = await issueFor("owner");
      const slow = new Client({
        ...{ host: sandbox.postgres.host, port: sandbox.postgres.port, database: DATABASE },
        ...{ user: credential.username, password: credential.password },
        options: `-c post_auth_delay=3${role}`,
      });
      slow.on("error", () => undefined);
      const connected = slow.connect().then(
        () => "up",
        () => "refused",
      );
      await pause(500);
      expect(await sessionsOf(credential)).toEqual([]);
      await revoke(sandbox, credential);
      // PostgreSQL may say that it is ready, and end the session at once.
      if ((await Promise.race([connected, pause(4_000, "hangs")])) === "up") {
        expect(await verdict(slow, "SELECT 1")).not.toBe("ok");
      }
    }
  });

  test("others' sessions that start go on", async () => {
    const [ended, other] = [await issueFor("owner"), await issueFor("read-only")];
    const slow = new Client({
      ...{ host: sandbox.postgres.host, port: sandbox.postgres.port, database: DATABASE },
      ...{ user: other.username, password: other.password, options: "-c post_auth_delay=1" },
    });
    const connected = slow.connect();
    await pause(300);
    await revoke(sandbox, ended);
    await connected;
    expect(await verdict(slow, "SELECT * FROM app.t")).toBe("ok");
    await slow.end();
    await revoke(sandbox, other);
  });

  test("no session of a login that the user had made a member of itself", async () => {
    const [lender, borrower, third] = [
      await issueFor("owner"),
      await issueFor("read-only"),
      await issueFor("read-only"),
    ];
    const lending = await open(lender, "SET ROLE NONE");
    const grant = await verdict(lending, `GRANT "${lender.username}" TO "${borrower.username}"`);
    if (major >= 15) {
      expect(grant).toBe("42501");
      for (const credential of [lender, borrower, third]) await revoke(sandbox, credential);
      return;
    }
    expect(grant).toBe("ok");
    const further = await open(borrower, `GRANT "${borrower.username}" TO "${third.username}"`);
    const borrowing = await open(borrower, "SET ROLE matrix_owner");
    const byTheThird = await open(third, "SET ROLE matrix_owner", "INSERT INTO app.t (x) VALUES ('lent')");
    const bystander = await open(await issueFor("read-only"), "SELECT 1");
    await revoke(sandbox, lender);
    for (const client of [lending, further, borrowing, byTheThird]) {
      expect(await verdict(client, "INSERT INTO app.t (x) VALUES ('outlived')")).not.toBe("ok");
    }
    expect(await verdict(bystander, "SELECT 1")).toBe("ok");
    // Who was only a member has its own rights still, and the engine keeps no membership.
    expect(await verdict(await open(borrower), "SELECT * FROM app.t")).toBe("ok");
    expect(
      await superuser(
        "SELECT roleid::regrole FROM pg_auth_members WHERE member = 'matrix_manager'::regrole AND NOT admin_option",
      ),
    ).toEqual([]);
    for (const credential of [borrower, third]) await revoke(sandbox, credential);
  });

  test.each<[Level, Mode, string, string]>([
    ["owner", "terminate", "as its base role", "SELECT 1"],
    ["owner", "terminate", "as itself", "SET ROLE NONE"],
    ["read-write", "terminate", "as itself", "SELECT 1"],
    ["read-write", "drain", "as its base role", "SELECT 1"],
    ["read-only", "drain", "as itself", "SET ROLE NONE"],
  ])("no prepared transaction: %s, %s, %s", async (level, mode, _as, first) => {
    const credential = await issueFor(level, mode);
    const client = await open(
      credential,
      first,
      "BEGIN",
      level === "read-only" ? "SELECT lo_create(0)" : "INSERT INTO app.t (x) VALUES ('prepared')",
      "PREPARE TRANSACTION 'left behind'",
    );
    await client.end();
    await expectRefused(credential, /prepared transactions of .* are left.*: left behind/);
    await superuser("ROLLBACK PREPARED 'left behind'");
    await revoke(sandbox, credential);
    expect(await isThere(credential)).toBe(false);
  });

  test("a prepared transaction that is committed meanwhile holds nothing up", async () => {
    const credential = await issueFor("owner");
    const other = await open(await issueFor("owner"));
    await (
      await open(credential, "BEGIN", "CREATE TABLE app.two_phase ()", "PREPARE TRANSACTION 'soon'")
    ).end();
    const revocation = revoke(sandbox, credential);
    await pause(300);
    await other.query("COMMIT PREPARED 'soon'");
    // The next one came after the credential's sessions had ended.
    for (const sql of ["BEGIN", "DROP TABLE app.two_phase", "PREPARE TRANSACTION 'later'"]) {
      await other.query(sql);
    }
    await revocation;
    await other.query("ROLLBACK PREPARED 'later'");
    await other.query("DROP TABLE app.two_phase");
    await other.end();
  });

  test("a user with many objects holds nobody up, and is told", async () => {
    const many = FULL ? 50_000 : 1_500;
    const credential = await issueFor("read-only");
    const client = await open(credential, "SET ROLE NONE");
    await client.query(`SELECT count(lo_create(0)) FROM generate_series(1, ${many})`);
    await expectRefused(
      credential,
      /owns or has rights on more than 1000 objects: .* vault-postgres hand-over/,
    );
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    const left = () => superuser("SELECT 1 FROM pg_largeobject_metadata WHERE oid <> 4242 LIMIT 1");
    while ((await left()).length > 0) {
      await superuser("SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid <> 4242 LIMIT 2000");
    }
    await revoke(sandbox, credential);
    expect(await isThere(credential)).toBe(false);
  });

  test("a table of the user's that somebody else has locked holds nobody up, and nor does a row of them", async () => {
    const credential = await issueFor("owner");
    const client = await open(credential, "SET ROLE NONE");
    for (let n = 0; n < 20; n++) await client.query(`CREATE TABLE app.locked_${n} ()`);
    const lockers = [];
    for (let n = 0; n < 20; n += 5) {
      const locker = await sandbox.postgres.connect(DATABASE);
      await locker.query("BEGIN");
      await locker.query(`LOCK TABLE app.locked_${n}`);
      lockers.push(locker);
    }
    await expectRefused(credential, /lock timeout/);
    for (const locker of lockers) await locker.end();
    await revoke(sandbox, credential);
    for (let n = 0; n < 20; n++) await superuser(`DROP TABLE app.locked_${n}`);
  });

  test("many sessions, some of which come again and again", async () => {
    const credential = await issueFor("owner");
    const count = FULL ? 60 : 25;
    const clients = await Promise.all(Array.from({ length: count }, () => open(credential, "SELECT 1")));
    let goesOn = true;
    const loops = Array.from({ length: 8 }, async () => {
      while (goesOn) await open(credential, "SELECT 1").catch(() => pause(5));
    });
    await pause(200);
    await revoke(sandbox, credential);
    await pause(200);
    expect(await sessionsOf(credential)).toEqual([]);
    for (const client of clients) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    goesOn = false;
    await Promise.all(loops);
  });

  test("a client that never reads, COPY, and a loopback of its own", async () => {
    const credential = await issueFor("owner");
    const deaf = await open(credential);
    const socket = (deaf as unknown as { connection: { stream: Socket } }).connection.stream;
    void deaf.query("SELECT repeat('x', 100000) FROM generate_series(1, 2000)").catch(() => undefined);
    socket.pause();
    const copying = await open(credential);
    void copying.query("COPY app.t (x) FROM STDIN").catch(() => undefined);
    const available = await superuser("SELECT 1 FROM pg_available_extensions WHERE name = 'dblink'");
    if (available.length > 0) {
      await superuser("CREATE EXTENSION IF NOT EXISTS dblink SCHEMA app");
      const { host, port } = sandbox.postgres;
      const to = `host=${host} port=${port} dbname=${DATABASE} user=${credential.username} password=${credential.password}`;
      await open(credential, "SET ROLE NONE", `SELECT app.dblink_connect('loop', ${literal(to)})`);
    }
    await pause(300);
    expect((await sessionsOf(credential)).length).toBe(available.length > 0 ? 4 : 2);
    await revoke(sandbox, credential);
    expect(await sessionsOf(credential)).toEqual([]);
    expect(await isThere(credential)).toBe(false);
    socket.destroy();
  });

  describe("where others have configured the connection", () => {
    const base = BASE_ROLES.owner;
    const idle = Duration.minutes(5);
    const terminate: RoleStatements = {
      creation: assumingCreation(base, undefined, { connectionLimit: 2 }),
      renewal: renewal(),
      revocation: terminatingRevocation(base),
    };
    const drain: RoleStatements = {
      creation: assumingCreation(base, { idleSession: idle, idleInTransaction: idle }),
      renewal: renewal(),
      revocation: drainingRevocation(base),
    };
    const declare = (role: string, { creation, renewal: renew, revocation }: RoleStatements) =>
      sandbox.vault.client().write(`${ENGINE}/roles/${role}`, {
        db_name: IMPORTED,
        creation_statements: creation,
        renew_statements: renew,
        revocation_statements: revocation,
      });

    beforeAll(async () => {
      const { host, port } = sandbox.postgres;
      await sandbox.vault.client().write(`${ENGINE}/config/${IMPORTED}`, {
        plugin_name: "postgresql-database-plugin",
        allowed_roles: "*",
        connection_url: `postgresql://{{username}}:{{password}}@${host}:${port}/${DATABASE}?sslmode=disable`,
        username: "matrix_manager",
        password: sandbox.managerPassword,
      });
      await declare("theirs", terminate);
      await declare("reading", {
        creation: membershipCreation(BASE_ROLES["read-only"]),
        renewal: renewal(),
        revocation: terminatingRevocation(BASE_ROLES["read-only"]),
      });
    });

    test("a credential has no more sessions than its role says", async () => {
      const credential = await issue(sandbox, credsPath("theirs"));
      await open(credential);
      await open(credential);
      await expect(open(credential)).rejects.toMatchObject({ code: "53300" });
      await revoke(sandbox, credential);
    });

    test("nothing is left of one that was issued with another kind of revocation", async () => {
      await declare("changing", terminate);
      const before = await issue(sandbox, credsPath("changing"));
      const outliving = await open(before, "BEGIN", "SELECT 1");
      await declare("changing", drain);
      const after = await issue(sandbox, credsPath("changing"));
      const drained = await open(after, "BEGIN", "SELECT 1");
      for (const credential of [before, after]) await revoke(sandbox, credential);
      expect(await verdict(outliving, "SELECT 1")).not.toBe("ok");
      expect(await verdict(drained, "COMMIT")).toBe("ok");
      await drained.end();
    });

    test("that a user is not there is no success, unless it was this connection's", async () => {
      const theirs = await issue(sandbox, credsPath("theirs"));
      await superuser(`DROP OWNED BY "${theirs.username}"`);
      await superuser(`DROP ROLE "${theirs.username}"`);
      await expect(revoke(sandbox, theirs)).rejects.toThrow(/there is no user .* on this server/);
    });

    test("names hold what an identity provider says", async () => {
      await enableIdentities(sandbox, ENGINE);
      for (const person of ["o'b", "a;b", "$$", "x\\'", "--", "/*", "é", "%s", "{{name}}", "$n$", "\n"]) {
        const { data, lease_id } = await asPerson(sandbox, person, credsPath("reading"));
        const credential = { ...(data as { username: string; password: string }), leaseId: lease_id ?? "" };
        const client = await open(credential, "SELECT * FROM app.t");
        await sandbox.vault.client().write("sys/leases/renew", { lease_id: credential.leaseId });
        await revoke(sandbox, credential);
        expect(await isThere(credential)).toBe(false);
        expect(await verdict(client, "SELECT 1")).not.toBe("ok");
      }
      const users = () => superuser("SELECT count(*)::int FROM pg_roles");
      const before = await users();
      for (const person of ['a"b', 'x"--']) {
        await expect(asPerson(sandbox, person, credsPath("theirs"))).rejects.toThrow(
          /the user name .* holds a double quote .*: set username_template/,
        );
      }
      expect(await users()).toEqual(before);
    });
  });
});

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
