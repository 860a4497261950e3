import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import {
  assumingCreation,
  drainingRevocation,
  Duration,
  membershipCreation,
  renewal,
  Revocation,
  terminatingRevocation,
  type RoleStatements,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "../e2e/credential";
import { FaultTable, testInFull } from "./fault-table";
import { BASE_ROLES, credsPath, DATABASE, deployMatrix, ENGINE, roleOf, type Mode } from "./fixture";
import { asPerson, enableIdentities } from "./identities";
import { FULL, ignoringSetRole, postgresToTry } from "./servers";
import type { Level } from "./statements";

jest.setTimeout(FULL ? 300_000 : 60_000);

/** A connection that somebody else has configured, with the engine's own template for names. */
const IMPORTED = "imported";

if (!FULL) announce("A database that a login has locked is tried in the full set only.");

const table = new FaultTable("survivors");
const AND_STAYS = "nobody logs in with it any more, its sessions are ended, and its lease stays";

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

  /** Fails with these words, in time for who asks for a credential beside it, and the lease stays. */
  async function expectFailing(credential: Credential, words: RegExp): Promise<void> {
    const began = Date.now();
    const revocation = expect(revoke(sandbox, credential)).rejects.toThrow(words);
    await pause(20);
    const another = await issueFor(credential.username.includes("read-wri") ? "owner" : "read-write");
    const waited = Date.now() - began;
    await revocation;
    await revoke(sandbox, another);
    expect(waited).toBeLessThan(2_000);
    const { data } = await sandbox.vault
      .client()
      .write("sys/leases/lookup", { lease_id: credential.leaseId });
    expect(data?.id).toBe(credential.leaseId);
  }

  /** And nobody logs in any more. */
  async function expectRefused(credential: Credential, words: RegExp): Promise<void> {
    await expectFailing(credential, words);
    expect(await mayLogIn(credential)).toBe(false);
  }

  /** The login cannot be switched off, but nobody gets a right by it any more. */
  async function expectStripped(credential: Credential, words: RegExp): Promise<void> {
    await expectFailing(credential, words);
    await expect(open(credential)).rejects.toThrow(/permission denied for database/);
    const memberships = `SELECT 1 FROM pg_auth_members WHERE member = '"${credential.username}"'::regrole`;
    expect(await superuser(memberships)).toEqual([]);
  }

  table.fault(
    "a session is starting while its credential is revoked",
    "it does not come up",
    "nothing",
    async () => {
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
    },
  );

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

  table.fault(
    "a credential has made another login a member of itself, which PostgreSQL 14 lets it do, and is revoked",
    "the sessions of that login are ended too, as they may act as its base role; from PostgreSQL 15 on it may not",
    "nothing; the other login may connect again",
    async () => {
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
      const again: Client[] = [];
      let goesOn = true;
      const reconnecting = (async () => {
        while (goesOn) again.push(await open(third, "SET ROLE matrix_owner").catch(() => lending));
      })();
      await revoke(sandbox, lender).finally(() => (goesOn = false));
      await reconnecting;
      for (const client of [...again, lending, further, borrowing, byTheThird]) {
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
    },
  );

  test("a member of a user that drains goes on no longer than the user", async () => {
    if (major >= 15) return; // nobody makes others members of itself there
    const [lender, borrower] = [await issueFor("owner", "drain"), await issueFor("read-only")];
    const lending = await open(
      lender,
      "SET ROLE NONE",
      `GRANT "${lender.username}" TO "${borrower.username}"`,
    );
    const borrowing = await open(borrower, "SET ROLE matrix_owner");
    await revoke(sandbox, lender);
    for (const client of [lending, borrowing]) {
      expect(await verdict(client, "INSERT INTO app.t (x) VALUES ('outlived')")).not.toBe("ok");
    }
    await revoke(sandbox, borrower);
  });

  test("who was a member is known to the next attempt, where the first one got no further", async () => {
    if (major >= 15) return; // nobody makes others members of itself there
    const [lender, borrower] = [await issueFor("owner"), await issueFor("read-only")];
    const lending = await open(
      lender,
      "SET ROLE NONE",
      `GRANT "${lender.username}" TO "${borrower.username}"`,
    );
    const borrowing = await open(borrower, `SET ROLE "${lender.username}"`, "SET ROLE matrix_owner");
    const [sql = ""] = terminatingRevocation(BASE_ROLES.owner);
    const engine = await sandbox.postgres.connect(DATABASE);
    await engine.query("SET SESSION AUTHORIZATION matrix_manager");
    const [first = ""] = sql.replaceAll("{{name}}", lender.username).split("COMMIT AND CHAIN");
    await engine.query(`BEGIN; ${first}; COMMIT`);
    await engine.end();
    const joined = `SELECT 1 FROM pg_auth_members WHERE roleid = '"${lender.username}"'::regrole AND member = '"${borrower.username}"'::regrole`;
    expect(await superuser(joined)).toEqual([]);
    expect(await verdict(borrowing, "INSERT INTO app.t (x) VALUES ('lent')")).toBe("ok");
    await revoke(sandbox, lender);
    for (const client of [lending, borrowing]) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    await revoke(sandbox, borrower);
  });

  test("sessions of a member that begin while its login is being refused are ended", async () => {
    if (major >= 16) return; // SECURITY.md: a member by an administrator's grant stays one there
    const [owner, reader] = [await issueFor("owner"), await issueFor("read-only")];
    const lending = await open(owner, "SET ROLE NONE");
    // From 15 on an administrator alone can.
    if (major >= 15) await superuser(`GRANT "${owner.username}" TO "${reader.username}"`);
    else await lending.query(`GRANT "${owner.username}" TO "${reader.username}"`);
    // So that the refusal takes its time.
    await lending.query("BEGIN; ALTER ROLE session_user PASSWORD 'x'");
    const borrowed: Client[] = [];
    let goesOn = true;
    const borrowing = [1, 2, 3, 4].map(async () => {
      while (goesOn && borrowed.length < 60) {
        const client = await open(reader).catch(() => undefined);
        const took = await client?.query(`SET ROLE ${BASE_ROLES.owner}`).then(
          () => true,
          () => false,
        );
        if (client !== undefined) borrowed.push(client);
        if (took !== true) await pause(5);
      }
    });
    await pause(20);
    try {
      await revoke(sandbox, owner).catch(() => revoke(sandbox, owner));
    } finally {
      goesOn = false;
      await Promise.all(borrowing);
    }
    expect(borrowed.length).toBeGreaterThan(0);
    for (const client of borrowed)
      expect(await verdict(client, "CREATE TABLE app.borrowed ()")).not.toBe("ok");
    await revoke(sandbox, reader);
  });

  const preparedBy: [Level, Mode, string, string][] = [
    ["owner", "terminate", "as its base role", "SELECT 1"],
    ["owner", "terminate", "as itself", "SET ROLE NONE"],
    ["read-write", "terminate", "as itself", "SELECT 1"],
    ["read-write", "drain", "as its base role", "SELECT 1"],
    ["read-only", "drain", "as itself", "SET ROLE NONE"],
  ];
  table.fault(
    "a credential is revoked that has left a transaction prepared (two-phase commit)",
    `the revocation fails and names the transaction; ${AND_STAYS}`,
    "`COMMIT PREPARED` or `ROLLBACK PREPARED`, as its owner or a superuser, and revoke again",
    async () => {
      for (const each of preparedBy) await refusesPrepared(...each);
    },
  );
  const refusesPrepared = async (level: Level, mode: Mode, _as: string, first: string) => {
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
  };
  /** As a deployment does that gives the role another base role. */
  async function withSqlOf(level: Level, role: Level, act: () => Promise<void>): Promise<void> {
    const client = sandbox.vault.client();
    const [pathOf, other] = [
      `${ENGINE}/roles/${roleOf(role, "terminate")}`,
      `${ENGINE}/roles/${roleOf(level, "terminate")}`,
    ];
    const usual = (await client.read(pathOf)).data!;
    await client.write(pathOf, (await client.read(other)).data!);
    try {
      await act();
    } finally {
      await client.write(pathOf, usual);
    }
  }

  test("what a user owns goes to no base role with more rights, should its role be given one", async () => {
    await superuser(`GRANT CREATE ON SCHEMA app TO ${BASE_ROLES["read-only"]}`);
    const [credential, loner] = [await issueFor("read-only"), await issueFor("read-only")];
    for (const [user, name] of [
      [credential, "planted"],
      [loner, "alone"],
    ] as const) {
      const client = await open(user);
      await client.query(
        `CREATE FUNCTION app.${name}() RETURNS void SECURITY DEFINER LANGUAGE sql AS 'TRUNCATE app.t'`,
      );
      await client.end();
    }
    await superuser(`REVOKE ${BASE_ROLES["read-only"]} FROM "${loner.username}" GRANTED BY matrix_manager`);
    // Which may act as the owner, but does not do so by itself, and its members may not.
    if (major >= 16)
      await superuser(`GRANT ${BASE_ROLES.owner} TO ${BASE_ROLES["read-only"]} WITH INHERIT FALSE`);
    await withSqlOf("owner", "read-only", async () => {
      await revoke(sandbox, credential);
      await expectRefused(
        loner,
        /owns objects, and is no member of matrix_owner, which may have more rights/,
      );
    });
    const owner = "SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'planted'";
    expect(await superuser(owner)).toEqual([BASE_ROLES["read-only"]]);
    const other = await open(await issueFor("read-write"));
    expect(await verdict(other, "SELECT app.planted()")).not.toBe("ok");
    if (major >= 16) await superuser(`REVOKE ${BASE_ROLES.owner} FROM ${BASE_ROLES["read-only"]}`);
    await superuser(
      `DROP FUNCTION app.planted(), app.alone(); REVOKE CREATE ON SCHEMA app FROM ${BASE_ROLES["read-only"]}`,
    );
    await revoke(sandbox, loner);
  });

  test("what is prepared as the base role of before counts, once its user is a member of nothing", async () => {
    const credential = await issueFor("owner");
    const preparing = await open(credential, "BEGIN", "INSERT INTO app.t (x) VALUES ('outlived')");
    await preparing.query("PREPARE TRANSACTION 'of before'");
    await preparing.end();
    const holding = await open(credential, "SET ROLE NONE", "BEGIN", "ALTER ROLE session_user PASSWORD 'x'");
    await holding.query("PREPARE TRANSACTION 'of the row'");
    await holding.end();
    await withSqlOf("read-write", "owner", async () => {
      await expectStripped(credential, /prepared transactions/);
      await superuser("ROLLBACK PREPARED 'of the row'");
      await expectRefused(credential, /prepared transactions .* are left.*: of before/);
      await superuser("ROLLBACK PREPARED 'of before'");
      await revoke(sandbox, credential);
    });
  });

  test("what is prepared as a role of the base role counts, also once the user is a member of nothing", async () => {
    await superuser(`CREATE ROLE grp; GRANT grp TO ${BASE_ROLES.owner}; GRANT ALL ON SCHEMA app TO grp`);
    const credential = await issueFor("owner");
    const preparing = await open(credential, "SET ROLE grp", "BEGIN", "CREATE TABLE app.by_grp ()");
    await preparing.query("PREPARE TRANSACTION 'of grp'");
    await preparing.end();
    const holding = await open(credential, "SET ROLE NONE", "BEGIN", "ALTER ROLE session_user PASSWORD 'x'");
    await holding.query("PREPARE TRANSACTION 'of the row'");
    await holding.end();
    await expectStripped(credential, /prepared transactions/);
    await superuser("ROLLBACK PREPARED 'of the row'");
    await expectRefused(credential, /prepared transactions .* are left.*: of grp/);
    await superuser("ROLLBACK PREPARED 'of grp'");
    await revoke(sandbox, credential);
    await superuser("DROP OWNED BY grp; DROP ROLE grp");
  });

  table.fault(
    "a credential is revoked whose transaction is prepared, and committed soon",
    "the revocation waits for it half a second, and is done",
    "nothing",
    async () => {
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
    },
  );

  table.fault(
    "a credential is revoked whose user owns, or has rights on, more than 1,000 objects",
    `the revocation fails at once and says so; ${AND_STAYS}; others get credentials meanwhile`,
    "`vault-postgres hand-over`, which gives them to the base role in batches",
    async () => {
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
    },
  );

  table.fault(
    "a credential is revoked whose user owns a table that somebody has locked",
    `the revocation fails after a second; ${AND_STAYS}; others get credentials meanwhile`,
    "end the session that holds the lock, which `vault-postgres status` names; then `vault-postgres revoke`, or wait where the engine tries again",
    async () => {
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
    },
  );

  table.fault(
    "a credential is revoked whose user has changed its own password in a transaction that it leaves open",
    "its sessions are ended, and the revocation is done; others get credentials meanwhile",
    "nothing",
    async () => {
      const credential = await issueFor("read-only");
      const holder = await open(credential, "BEGIN", "ALTER ROLE session_user PASSWORD 'x'");
      const began = Date.now();
      const [, another] = await Promise.all([revoke(sandbox, credential), issueFor("read-write")]);
      expect(Date.now() - began).toBeLessThan(2_000);
      expect(await isThere(credential)).toBe(false);
      expect(await verdict(holder, "COMMIT")).not.toBe("ok");
      await revoke(sandbox, another);
    },
  );

  table.fault(
    "a credential is revoked that has prepared a transaction (two-phase commit) in which it changes its own password",
    "the revocation fails and names the transaction; its login cannot be switched off, but has no rights any more, and its lease stays",
    "`ROLLBACK PREPARED`, as its owner or a superuser, and revoke again",
    async () => {
      const credential = await issueFor("read-write", "drain");
      const change = `ALTER ROLE session_user PASSWORD ${literal(credential.password)}`;
      const insert = "INSERT INTO app.t (x) VALUES ('later')";
      await (await open(credential, "BEGIN", insert, "PREPARE TRANSACTION 'later'")).end();
      await (await open(credential, "SET ROLE NONE", "BEGIN", change, "PREPARE TRANSACTION 'own row'")).end();
      await expectStripped(credential, /prepared transactions of .* are left.*: .*own row/);
      // What it prepared as its base role is its own still, though it is no member any more.
      await superuser("ROLLBACK PREPARED 'own row'");
      await expect(revoke(sandbox, credential)).rejects.toThrow(
        /prepared transactions of .* are left.*: later/,
      );
      await superuser("ROLLBACK PREPARED 'later'");
      await revoke(sandbox, credential);
      expect(await isThere(credential)).toBe(false);
    },
  );

  table.fault(
    "a credential is revoked whose session has changed its own password, and then runs what looks at no interrupt",
    "the revocation fails; its login cannot be switched off, but has no rights any more, and its lease stays; others get credentials meanwhile",
    "the session ends when it looks; then `vault-postgres revoke`, or wait where the engine tries again",
    async () => {
      const credential = await issueFor("read-only");
      const deaf = await open(credential, "BEGIN", "ALTER ROLE session_user PASSWORD 'x'");
      const ended = deaf
        .query("SELECT strpos(repeat('a', 400000), 'b' || repeat('a', 200000))")
        .catch(() => 0);
      await pause(300);
      // With the password of before, since the change is not committed.
      await expectStripped(credential, /sessions of .* could not be ended/);
      expect(await ended).toBe(0);
      await revoke(sandbox, credential);
      expect(await isThere(credential)).toBe(false);
    },
    testInFull,
  );

  table.fault(
    "a credential has made itself a member of others and back, and left that open, which PostgreSQL 14 lets it do, and is revoked",
    `the revocation fails at most once; nobody logs in with it any more, and its sessions are ended`,
    "`vault-postgres revoke`, or wait where the engine tries again",
    async () => {
      const [credential, other] = [await issueFor("read-only"), await issueFor("read-only")];
      const self = `"${credential.username}"`;
      if (major >= 15) {
        const client = await open(credential);
        expect(await verdict(client, `GRANT ${self} TO matrix_manager`)).toBe("42501");
        for (const each of [credential, other]) await revoke(sandbox, each);
        return;
      }
      const holding = [
        ["SELECT 1", "BEGIN", `GRANT ${self} TO matrix_manager`],
        [`GRANT ${self} TO "${other.username}"`, "BEGIN", `REVOKE ${self} FROM "${other.username}"`],
      ];
      for (const statements of holding) {
        const user = statements === holding[0] ? credential : await issueFor("read-only");
        const client = await open(
          user,
          ...statements.map((sql) => sql.replaceAll(self, `"${user.username}"`)),
        );
        await revoke(sandbox, user).catch(async () => {
          expect(await mayLogIn(user)).toBe(false);
          expect(await verdict(client, "SELECT 1")).not.toBe("ok");
          await revoke(sandbox, user);
        });
        expect(await isThere(user)).toBe(false);
        expect(await verdict(client, "SELECT 1")).not.toBe("ok");
      }
      // Another one holds a membership without a session: who is a member gets nothing by it any more.
      const [lender, third] = [await issueFor("owner"), await issueFor("read-only")];
      const lent = `"${lender.username}"`;
      await open(lender, "SET ROLE NONE", `GRANT ${lent} TO "${other.username}" WITH ADMIN OPTION`);
      await open(lender, "SET ROLE NONE", `GRANT ${lent} TO "${third.username}"`);
      const parting = `REVOKE ${lent} FROM "${third.username}"`;
      await open(other, "BEGIN", parting, "PREPARE TRANSACTION 'parting'");
      await expect(revoke(sandbox, lender)).rejects.toThrow(/prepared transactions/);
      expect(await mayLogIn(lender)).toBe(false);
      expect(await verdict(await open(third), "SET ROLE matrix_owner")).toBe("42501");
      await superuser("ROLLBACK PREPARED 'parting'");
      for (const each of [lender, other, third]) await revoke(sandbox, each);
    },
  );

  table.fault(
    "a credential is revoked whose user owns what takes long to hand over, such as tables that others read all the time",
    `the revocation fails within 2 seconds; ${AND_STAYS}; others get credentials meanwhile`,
    "`vault-postgres hand-over`; `vault-postgres revoke`, or wait where the engine tries again",
    async () => {
      const [credential, reader] = [await issueFor("owner"), await issueFor("read-only")];
      const owner = await open(credential, "SET ROLE NONE");
      const holders = new Map<string, Client>();
      for (let n = 0; n < 15; n++) {
        await owner.query(`CREATE TABLE app.read_${n} (); GRANT SELECT ON app.read_${n} TO PUBLIC`);
        holders.set(`app.read_${n}`, await open(reader, "BEGIN", `SELECT FROM app.read_${n}`));
      }
      let goesOn = true;
      const others = (async () => {
        // Each is let go once the revocation has waited for it.
        while (goesOn) {
          const [relation] = await superuser(
            "SELECT relation::regclass::text FROM pg_locks WHERE NOT granted AND locktype = 'relation'",
          );
          await pause(220);
          await holders.get(String(relation))?.query("ROLLBACK");
        }
      })();
      await expectRefused(credential, /timeout/).finally(() => (goesOn = false));
      await others;
      for (const holder of holders.values()) await holder.end();
      await revoke(sandbox, credential);
      for (const name of holders.keys()) await superuser(`DROP TABLE ${name}`);
      await revoke(sandbox, reader);
    },
  );

  testInFull(
    "autovacuum of a user's table, which runs what its index says, does not keep it from being dropped",
    async () => {
      if ((await superuser("SHOW track_counts"))[0] === "off") {
        announce("This server could not start its collector of statistics, and so no autovacuum: not tried.");
        return;
      }
      await superuser("ALTER SYSTEM SET autovacuum_naptime = 1");
      await superuser("SELECT pg_reload_conf()");
      const credential = await issueFor("owner");
      const owner = await open(credential, "SET ROLE NONE");
      for (const sql of [
        `CREATE FUNCTION app.endless(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
         WHILE pg_catalog.current_setting('application_name') = '' LOOP PERFORM pg_catalog.pg_sleep(1); END LOOP;
         RETURN $1; END $$`,
        "CREATE TABLE app.vacuumed (a integer) WITH (autovacuum_analyze_threshold = 1)",
        "SET application_name = 'me'",
        "INSERT INTO app.vacuumed SELECT generate_series(1, 5000)",
        "CREATE INDEX ON app.vacuumed (app.endless(a))",
        "INSERT INTO app.vacuumed SELECT generate_series(1, 5000)",
      ]) {
        await owner.query(sql);
      }
      const worker = "backend_type = 'autovacuum worker' AND query LIKE '%app.vacuumed%'";
      const giveUp = Date.now() + 90_000;
      while ((await superuser(`SELECT 1 FROM pg_stat_activity WHERE ${worker}`)).length === 0) {
        if (Date.now() > giveUp) throw new Error("no autovacuum came");
        await pause(600);
        await owner.query("SELECT 1"); // a session tells what it has written twice a second at most, and before it waits
      }
      await revoke(sandbox, credential);
      expect(await isThere(credential)).toBe(false);
      await superuser("DROP FUNCTION app.endless CASCADE");
      await superuser("DROP TABLE app.vacuumed");
    },
  );

  test("renewing a credential whose user holds its own row waits for it a tenth of a second", async () => {
    const credential = await issueFor("read-only");
    const holder = await open(credential, "BEGIN", "ALTER ROLE session_user PASSWORD 'x'");
    const renewed = sandbox.vault.client().write("sys/leases/renew", { lease_id: credential.leaseId });
    const began = Date.now();
    await expect(renewed).rejects.toThrow(/lock timeout/);
    expect(Date.now() - began).toBeLessThan(1_000);
    await holder.end();
    await revoke(sandbox, credential);
  });

  // Two sessions of any login can do it: whoever comes after them waits to log in.
  testInFull(
    "a locked database keeps out an engine without a connection, which says so within the bound",
    async () => {
      const credential = await issueFor("read-only");
      const [holder, waiting] = [await open(credential), await open(credential)];
      const locking = `ALTER ROLE "${credential.username}" IN DATABASE ${DATABASE} SET work_mem = '5MB'`;
      for (const statement of ["BEGIN", locking]) await holder.query(statement);
      void waiting.query(`DROP DATABASE ${DATABASE}`).catch(() => undefined);
      await pause(300);
      const began = Date.now();
      const reset = sandbox.vault.client().done(`${ENGINE}/reset/${DATABASE}`);
      await expect(reset).rejects.toThrow(/timeout|deadline/);
      const attempts = [revoke(sandbox, credential), issueFor("read-write")].map((attempt) =>
        expect(attempt).rejects.toThrow(/timeout|deadline/),
      );
      await Promise.all(attempts);
      expect(Date.now() - began).toBeLessThan(20_000);
      // What ends it: the session that holds the lock is ended, from another database, or ends.
      const holding = `SELECT pid FROM pg_stat_activity WHERE usename = ${literal(credential.username)} AND state LIKE 'idle in%'`;
      await asSuperuser(sandbox, `SELECT pg_terminate_backend(pid) FROM (${holding}) AS held`, "postgres");
      await revoke(sandbox, credential);
      expect(await isThere(credential)).toBe(false);
      await revoke(sandbox, await issueFor("read-write"));
    },
  );

  table.fault(
    "somebody leaves a transaction open that grants a base role",
    "from PostgreSQL 16 on a credential of that role is refused after half a second; others are issued and revoked",
    "end that transaction",
    async () => {
      const credential = await issueFor("read-write");
      const holder = await sandbox.postgres.connect(DATABASE);
      await holder.query(`BEGIN; CREATE ROLE somebody; GRANT ${BASE_ROLES["read-only"]} TO somebody`);
      const began = Date.now();
      const refused = issueFor("read-only").then(
        (issued) => revoke(sandbox, issued),
        (error: Error) => error.message,
      );
      await revoke(sandbox, credential);
      await revoke(sandbox, await issueFor("owner"));
      if (major >= 16) expect(await refused).toMatch(/lock timeout/);
      expect(Date.now() - began).toBeLessThan(3_000);
      await holder.end();
    },
  );

  /** Any login can have the server wait so: for a lock of its own, and before PostgreSQL looks at whether it may do this. */
  async function waitingFor(catalog: string, credential: Credential): Promise<() => Promise<void>> {
    const seen = catalog === "pg_authid" ? "pg_roles" : catalog; // which others may read
    const holder = await open(credential, "BEGIN", `SELECT count(*) FROM pg_catalog.${seen}`);
    const waiting = await open(credential);
    const rule = `CREATE RULE r AS ON INSERT TO pg_catalog.${catalog} DO INSTEAD NOTHING`;
    const refused = waiting.query(rule).catch(() => undefined);
    await pause(300);
    return async () => {
      await holder.end().catch(() => undefined);
      await refused;
      await waiting.end().catch(() => undefined);
    };
  }

  table.fault(
    "somebody waits for a lock on the server's settings of roles",
    "a revocation ends its sessions all the same",
    "nothing",
    async () => {
      const credential = await issueFor("read-only");
      const session = await open(credential, "SELECT FROM pg_catalog.pg_roles");
      const end = await waitingFor("pg_db_role_setting", credential);
      await revoke(sandbox, credential).finally(end);
      expect(await verdict(session, "SELECT 1")).not.toBe("ok");
    },
  );

  table.fault(
    "a credential's sessions hold and wait for a lock on the server's roles or memberships",
    "from PostgreSQL 16 on revocations fail within a second, and so does what is issued; its sessions go on, and as long as it is `pg_authid` or `pg_auth_members` its login is not refused",
    "end the process that waits: [SECURITY.md](../../SECURITY.md) says how to find it",
    async () => {
      for (const catalog of FULL ? ["pg_authid", "pg_auth_members", "pg_shdepend"] : ["pg_auth_members"]) {
        const credential = await issueFor("read-only");
        const end = await waitingFor(catalog, credential);
        try {
          for (const attempt of [() => revoke(sandbox, credential), () => issueFor("owner")]) {
            const began = Date.now();
            const outcome = await attempt().then(
              () => "done",
              (error: Error) => error.message,
            );
            expect(outcome).toMatch(major >= 16 ? /lock timeout/ : /lock timeout|^done$/);
            expect(Date.now() - began).toBeLessThan(1_500);
          }
        } finally {
          await end();
        }
        await revoke(sandbox, credential);
      }
    },
  );

  testInFull(
    "a lock on the comments of roles keeps no login on; one on functions does, for a new connection",
    async () => {
      const locker = await issueFor("read-only");
      // Before the lock: a new session would wait for it as well.
      const watcher = await sandbox.postgres.connect(DATABASE);
      const isOnNow = async ({ username }: Credential) => {
        const sql = `SELECT rolcanlogin FROM pg_roles WHERE rolname = ${literal(username)}`;
        const { rows } = await watcher.query<{ rolcanlogin: boolean }>(sql);
        return rows[0]?.rolcanlogin;
      };
      for (const [catalog, isOn] of [
        ["pg_shdescription", false],
        ["pg_proc", true],
      ] as const) {
        const credential = await issueFor("read-write");
        expect(await isOnNow(credential)).toBe(true);
        const end = await waitingFor(catalog, locker);
        try {
          await sandbox.vault.client().write(`${ENGINE}/reset/${DATABASE}`);
          await expect(revoke(sandbox, credential)).rejects.toThrow(/lock timeout/);
          expect(await isOnNow(credential)).toBe(isOn);
        } finally {
          await end();
        }
        await revoke(sandbox, credential);
      }
      await watcher.end();
      await revoke(sandbox, locker);
    },
  );

  test("a right that another user has given does not keep a user from being dropped", async () => {
    const [giver, credential] = [await issueFor("read-only"), await issueFor("read-write")];
    const giving = await open(giver, "SELECT lo_create(777)");
    await giving.query(`GRANT SELECT ON LARGE OBJECT 777 TO "${credential.username}"`);
    await revoke(sandbox, credential);
    expect(await isThere(credential)).toBe(false);
    expect(await verdict(giving, "SELECT lo_unlink(777)")).toBe("ok");
    await revoke(sandbox, giver);
  });

  test("a server that commits late and crashes after a revocation has the user no more", async () => {
    const late = ["synchronous_commit = off", "wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'"];
    for (const setting of late) await superuser(`ALTER SYSTEM SET ${setting}`);
    await superuser("SELECT pg_reload_conf()");
    const credential = await issueFor("read-only");
    const unwritten = await sandbox.postgres.connect(DATABASE);
    // What was not waited for is lost, or this shows nothing.
    await unwritten.query("SELECT pg_sleep(0.5)");
    const kept = await issueFor("owner");
    await (
      await open(kept, "SET ROLE NONE", "BEGIN", "SELECT lo_create(0)", "PREPARE TRANSACTION 'kept'")
    ).end();
    await superuser("CHECKPOINT");
    await revoke(sandbox, credential);
    await expect(revoke(sandbox, kept)).rejects.toThrow(/prepared transactions/);
    const password = `SELECT rolpassword FROM pg_authid WHERE rolname = ${literal(kept.username)}`;
    expect(await superuser(password)).toEqual([null]);
    await unwritten.query("CREATE TABLE app.unwritten ()");
    await sandbox.postgres.crash();
    await sandbox.postgres.start();
    expect(await mayLogIn(kept)).toBe(false);
    await superuser("ROLLBACK PREPARED 'kept'");
    await revoke(sandbox, kept);
    expect(await superuser("SELECT to_regclass('app.unwritten')::text")).toEqual([null]);
    expect(await isThere(credential)).toBe(false);
    for (const setting of late) await superuser(`ALTER SYSTEM RESET ${setting.split(" ")[0]}`);
    await superuser("SELECT pg_reload_conf()");
  });

  test("a revocation waits for no standby where the server does not", async () => {
    const settings = ["synchronous_standby_names = 'nobody'", "synchronous_commit = local"];
    const credential = await issueFor("read-only");
    for (const setting of settings) await superuser(`ALTER SYSTEM SET ${setting}`);
    await superuser("SELECT pg_reload_conf()");
    await pause(200);
    const began = Date.now();
    await revoke(sandbox, credential);
    expect(Date.now() - began).toBeLessThan(3_000);
    for (const setting of settings) await superuser(`ALTER SYSTEM RESET ${setting.split(" ")[0]}`);
    await superuser("SELECT pg_reload_conf()");
  });

  test("many sessions, some of which come again and again", async () => {
    const credential = await issueFor("owner");
    const count = FULL ? 60 : 25;
    const clients = await Promise.all(Array.from({ length: count }, () => open(credential, "SELECT 1")));
    let goesOn = true;
    const loops = Array.from({ length: 8 }, async () => {
      while (goesOn) await open(credential, "SELECT 1").catch(() => pause(5));
    });
    try {
      await pause(200);
      await revoke(sandbox, credential);
      await pause(200);
      expect(await sessionsOf(credential)).toEqual([]);
      for (const client of clients) expect(await verdict(client, "SELECT 1")).not.toBe("ok");
    } finally {
      goesOn = false;
      await Promise.all(loops);
    }
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

    table.fault(
      "a role's revocation was changed from `terminate` to `drain` while credentials lived",
      "the sessions of those issued before are ended, as was promised for them",
      "nothing",
      async () => {
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
      },
    );

    test("a credential cannot make itself one whose sessions go on, should its role come to drain", async () => {
      for (const level of ["owner", "read-only"] as const) {
        await declare("changing", Revocation.terminate().statementsFor(BASE_ROLES[level], level));
        const credential = await issue(sandbox, credsPath("changing"));
        const session = await open(credential, "SET ROLE NONE");
        const own = `ROLE "${credential.username}"`;
        expect(await verdict(session, `ALTER ${own} SET idle_session_timeout = '1d'`)).toBe("ok");
        expect(await verdict(session, `COMMENT ON ${own} IS NULL`)).toBe("42501");
        expect(await verdict(session, `COMMENT ON ${own} IS 'another'`)).toBe("42501");
        await declare("changing", Revocation.drain().statementsFor(BASE_ROLES[level], level));
        await revoke(sandbox, credential);
        expect(await verdict(session, "SELECT 1")).not.toBe("ok");
        expect(await isThere(credential)).toBe(false);
      }
    });

    table.fault(
      "a credential is revoked whose user is not on the server, and was not issued by this connection as it is now",
      "the revocation fails and says so; the lease stays",
      "see where the user is: `db_name` of the role or the URL of the connection were changed; if it was dropped by hand, `vault lease revoke -force -prefix …`",
      async () => {
        const theirs = await issue(sandbox, credsPath("theirs"));
        await superuser(`DROP OWNED BY "${theirs.username}"`);
        await superuser(`DROP ROLE "${theirs.username}"`);
        await expect(revoke(sandbox, theirs)).rejects.toThrow(/there is no user .* on this server/);
      },
    );

    table.fault(
      "a credential of a role without a base role is revoked, and owns something",
      "the revocation fails and says so, for nobody else is to act with what its functions may do; nobody logs in with it any more",
      "drop what it owns, or give it to another role; give the role a base role",
      async () => {
        const creation = [
          `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' IN ROLE ${BASE_ROLES.owner};`,
        ];
        await declare("own", { creation, renewal: renewal(), revocation: terminatingRevocation() });
        const credential = await issue(sandbox, credsPath("own"));
        const planting = await open(
          credential,
          "CREATE FUNCTION app.planted(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE q; END'",
        );
        await expect(revoke(sandbox, credential)).rejects.toThrow(
          /owns objects, and its role has no base role/,
        );
        expect(await mayLogIn(credential)).toBe(false);
        expect(await verdict(planting, "SELECT 1")).not.toBe("ok");
        expect(
          await superuser("SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'planted'"),
        ).toEqual([`"${credential.username}"`]);
        await superuser("DROP FUNCTION app.planted");
        await revoke(sandbox, credential);
        expect(await isThere(credential)).toBe(false);
      },
    );

    test("names hold what an identity provider says", async () => {
      await enableIdentities(sandbox, ENGINE);
      for (const person of ["o'b", "a;b", "$$", "x\\'", "--", "/*", "é", "%s", "}}", "$n$", "\n"]) {
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
      for (const person of ['a"b', 'x"--', "{{name}}", "{{e"]) {
        await expect(asPerson(sandbox, person, credsPath("theirs"))).rejects.toThrow(
          /the user name .*: set username_template/,
        );
      }
      expect(await users()).toEqual(before);
    });
  });
});

table.isDocumented();

/** Only the full set brings such a server. */
(FULL ? describe : describe.skip)(`on ${ignoringSetRole.name}, which ignores ALTER ROLE … SET role`, () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    const postgresBinDirectory = ignoringSetRole.binDirectory();
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory });
  });
  afterAll(() => sandbox?.stop());

  test("no owner's credential is issued, and what to do is said; others are", async () => {
    await expect(deployMatrix(sandbox)).rejects.toThrow(
      /PostgreSQL 17\.1 ignores ALTER ROLE \.\.\. SET role: update it to the next minor release/,
    );
    const credential = await issue(sandbox, credsPath(roleOf("read-only", "terminate")));
    await revoke(sandbox, credential);
    expect(await asSuperuser(sandbox, "SELECT 1 FROM pg_roles WHERE rolname LIKE 'v-%'")).toEqual([]);
  });
});

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
