import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import type { StatusReport } from "../../cli/status-report";
import { VaultError, type VaultClient } from "../../cli/vault-client";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { blocksOf } from "../docs/blocks";
import { testInFull } from "../security/fault-table";
import { announce } from "./announce";
import { asSuperuser, issue, revoke } from "./credential";
import { DATABASE, MOUNT, Scenario, secretsIn, type Group } from "./operator-scenario";

jest.setTimeout(180_000);

let sandbox: Sandbox;
let scenario: Scenario;
let web: Group;
let reports: Group;

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  await openStorage();
  await asSuperuser(sandbox, "ALTER SYSTEM SET max_prepared_transactions = 4");
  await sandbox.postgres.stop();
  await sandbox.postgres.start();
  scenario = new Scenario(sandbox);
  await scenario.deploy();
  web = await scenario.enter("web");
  reports = await scenario.enter("reports");
});
afterAll(() => sandbox?.stop());

/** Lets the root token write to the engine's storage, to make what else takes ten minutes. */
async function openStorage(): Promise<void> {
  const file = path.join(sandbox.directory, "vault", "config.json");
  const configuration = JSON.parse(fs.readFileSync(file, "utf8")) as object;
  fs.writeFileSync(file, JSON.stringify({ ...configuration, raw_storage_endpoint: true }));
  await sandbox.vault.stop();
  await sandbox.vault.start();
}

const status = () => scenario.json<StatusReport>("status");
const kinds = (report: StatusReport) => report.findings.map(({ kind }) => kind);
const named = <T extends { name: string }>(list: readonly T[], name: string) =>
  list.find((entry) => entry.name === name);

test("of an environment in use counts by role and by AppRole, and finds nothing amiss", async () => {
  const idle = await status();
  expect(idle).toMatchObject({ code: 0, leases: [], findings: [], notLookedAt: [] });
  await web.issue("reader");
  await reports.issue("reader");
  await reports.issue("reader-2");

  const report = await status();
  expect(report.code).toBe(0);
  expect(report.connections).toEqual([
    { name: DATABASE, allowedRoles: ["legacy", "owner", "reader", "reader-2", "writer"] },
  ]);
  expect(named(report.roles, "reader")).toMatchObject({ leases: 2 });
  expect(named(report.roles, "owner")).toEqual({
    name: "owner",
    leases: 0,
    readers: ["shop-local-migrations"],
  });
  expect(named(report.staticRoles, "legacy")).toMatchObject({ rotationPeriodSeconds: 86_400 });
  expect(named(report.approles, "shop-local-reports")).toMatchObject({
    ...{ tokens: 1, secretIds: 1 },
    // Of the role that it reads alone, and of the one that it shares.
    ...{ leases: 1, sharedLeases: { reader: 2 } },
  });
  expect(named(report.approles, "shop-local-web")).toMatchObject({ leases: 0, sharedLeases: { reader: 2 } });
  expect(report.postgres).toMatchObject({ users: 3 });
});

test("names the user of a lease that was alone, and says so where two were made together", async () => {
  await revokeAll();
  const alone = await reports.issue("reader-2");
  const [one, two] = await Promise.all([web.issue("reader"), reports.issue("reader")]);
  const report = await status();
  const lease = report.leases.find(({ role }) => role === "reader-2");
  expect(lease).toMatchObject({ id: alone.leaseId, user: alone.username });
  expect(report.postgres?.together).toHaveLength(1);
  expect(new Set(report.postgres?.together[0]?.users)).toEqual(new Set([one.username, two.username]));
  expect(report.findings).toEqual([]);
  const { out } = await scenario.run("status");
  expect(out).toContain("Of 2 that were made together with others, the lease cannot be told, only counted.");
});

test.each([[["*"]], [["re*", "*er", "le*y"]]])(
  "counts another stack's leases, allowed by %j",
  async (allowed) => {
    await revokeAll();
    const vault = sandbox.vault.client();
    const { data } = await vault.read(`${MOUNT}/roles/reader`);
    await vault.write(`${MOUNT}/config/${DATABASE}`, { allowed_roles: allowed });
    await vault.write(`${MOUNT}/roles/reporting`, data);
    const credential = await issue(sandbox, `${MOUNT}/creds/reporting`);
    const report = await status();
    expect(report).toMatchObject({ code: 0, findings: [] });
    expect(named(report.roles, "reporting")).toMatchObject({ leases: 1, readers: [] });
    const { out } = await scenario.run("revoke", ["--all", "--yes"]);
    expect(out).toMatch(/^This ends 1 credential of shop-local\/database\./);
    expect(
      await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`),
    ).toEqual([]);
    await vault.delete(`${MOUNT}/roles/reporting`);
    await scenario.workspace.apply();
  },
);

test("for people is a table, and tells no secret", async () => {
  const credential = await web.issue("reader");
  const { code, out, err } = await scenario.run("status");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^ {2}ROLE +LEASES +OLDEST +NEXT END +READ BY$/m);
  expect(out).toMatch(/^ {2}legacy +shop_local_legacy +\S+ \S+ ago +1 d +shop-local-web$/m);
  expect(out).toMatch(
    /Nothing is amiss in what was looked at\.[^]*cdktf diff local[^]*verify local[^]*password/,
  );
  expect(secretsIn(sandbox, out, [credential])).toEqual([]);
});

test("finds a user without a lease, and a lease without a user", async () => {
  await revokeAll();
  const credential = await reports.issue("reader-2");
  await asSuperuser(sandbox, `DROP ROLE "${credential.username}"`);
  await asSuperuser(sandbox, "CREATE ROLE stray LOGIN VALID UNTIL '2099-01-01' IN ROLE shop_local_reader");
  const report = await status();
  expect(report.code).toBe(1);
  expect(report.findings).toMatchObject([
    { kind: "user-without-lease", subject: "stray" },
    { kind: "lease-without-user", subject: credential.leaseId },
  ]);
  await asSuperuser(sandbox, "DROP ROLE stray");
  await revoke(sandbox, credential);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

test("finds a user whose password has no end, with its lease and without one", async () => {
  await revokeAll();
  const credential = await reports.issue("reader-2");
  const stray = credential.username.replace(/-[A-Za-z0-9]{20}-\d+$/, "-aaaaaaaaaaaaaaaaaaaa-1700000000");
  await asSuperuser(sandbox, `ALTER ROLE "${credential.username}" VALID UNTIL 'infinity'`);
  await asSuperuser(sandbox, `CREATE ROLE "${stray}" LOGIN`);
  // A member of a base role by a person's hand, which lasts, is nobody's credential, and told as that.
  await asSuperuser(sandbox, "CREATE ROLE person LOGIN IN ROLE shop_local_reader");
  const report = await status();
  expect(report.code).toBe(1);
  expect(report.findings).toHaveLength(4);
  expect(report.findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: "excess-right", subject: "person" }),
      expect.objectContaining({ kind: "user-without-lease", subject: stray }),
      expect.objectContaining({ kind: "endless-user", subject: stray }),
      expect.objectContaining({ kind: "endless-user", subject: credential.username }),
    ]),
  );
  await asSuperuser(sandbox, `DROP ROLE "${stray}", person`);
  await revoke(sandbox, credential);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

test("finds a session that outlived its role", async () => {
  const api = await scenario.enter("api");
  const { credential, client } = await api.session("writer");
  expect(kinds(await status())).toEqual([]);
  await revoke(sandbox, credential);
  const report = await status();
  expect(report.code).toBe(1);
  expect(report.findings).toMatchObject([
    { kind: "session-without-role", detail: expect.stringMatching(/^idle, connected \d+ s ago$/) as string },
  ]);
  await client.end();
  await api.application.leave();
});

test("finds a lease that was given up to revoke, and revokes it once that is possible", async () => {
  const credential = await web.issue("reader");
  await makeIrrevocable(credential.leaseId);
  const report = await status();
  expect(report.code).toBe(1);
  expect(report.findings).toContainEqual({
    kind: "irrevocable-lease",
    subject: credential.leaseId,
    detail: "made so by a test",
    remedy: `Vault tries no more: mend the cause; then vault-postgres revoke local --lease ${credential.leaseId}`,
  });
  // Its user is not without a lease.
  expect(kinds(report)).toEqual(["irrevocable-lease"]);
  const { code } = await scenario.run("revoke", ["--lease", credential.leaseId, "--yes"]);
  expect(code).toBe(0);
  expect(
    await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`),
  ).toEqual([]);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

test("of a group that is ended again, a lease that was given up to revoke is ended, too", async () => {
  const api = await scenario.enter("api");
  const credential = await api.issue("writer");
  await makeIrrevocable(credential.leaseId);
  const { code, out } = await scenario.run("revoke", ["--approle", "shop-local-api", "--yes"]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /; and 1 credential that Vault has given up to revoke[^]*, 1 credential\.\nGone from PostgreSQL: 1 user\.$/,
  );
  expect(
    await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`),
  ).toEqual([]);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

describe("of a user that could not be dropped says what keeps it, and what to do", () => {
  /** Revokes, which has to fail, and returns what status says of it then. */
  async function failedRevocation(leaseId: string): Promise<StatusReport["findings"][number][]> {
    const vault = sandbox.vault.client();
    await expect(vault.write("sys/leases/revoke", { lease_id: leaseId, sync: true })).rejects.toThrow();
    const report = await status();
    expect(report.code).toBe(1);
    return [...report.findings];
  }

  test("a session that does not end", async () => {
    const { credential, client } = await web.session("reader");
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const pid = rows[0]!.pid;
    process.kill(pid, "SIGSTOP");
    try {
      const found = await failedRevocation(credential.leaseId);
      expect(found).toMatchObject([{ kind: "login-off", subject: credential.username }]);
      expect(found[0]?.detail).toContain(`lease ${credential.leaseId} is kept`);
      expect(found[0]?.detail).toContain(`its session goes on: process ${pid}`);
      expect(found[0]?.remedy).toContain(`pg_terminate_backend(${pid})`);
      expect(found[0]?.remedy).toContain(`vault-postgres revoke local --lease ${credential.leaseId}`);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await scenario.run("revoke", ["--lease", credential.leaseId, "--yes"])).toMatchObject({ code: 0 });
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("what it owns in another database", async () => {
    const credential = await web.issue("reader");
    const user = `"${credential.username}"`;
    await asSuperuser(sandbox, `CREATE SCHEMA left_behind AUTHORIZATION ${user}`, "postgres");
    const found = await failedRevocation(credential.leaseId);
    expect(found).toMatchObject([{ kind: "login-off", subject: credential.username }]);
    expect(found[0]?.detail).toContain("it owns 1 object in postgres");
    expect(found[0]?.remedy).toContain(
      `As a superuser in postgres, after a look at what it owns there: DROP OWNED`,
    );
    await asSuperuser(sandbox, `DROP OWNED BY ${user}`, "postgres");
    await revoke(sandbox, credential);
  });

  test("a transaction that it prepared", async () => {
    const gid = "two-phase \u001b[31m'x'";
    const { credential, client } = await (await scenario.enter("api")).session("writer");
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(7)");
    await client.query(`PREPARE TRANSACTION ${client.escapeLiteral(gid)}`);
    await client.end();
    await revoke(sandbox, credential).catch(() => undefined);
    const { code, findings } = await status();
    expect(code).toBe(1);
    const prepared = findings.find(({ kind }) => kind === "prepared-transaction");
    expect(prepared).toMatchObject({ subject: "two-phase \\u001b[31m'x'" });
    expect(prepared?.detail).toMatch(/^of \S+ in shop_local, prepared \d+ s ago/);
    const [, rollback = ""] = /in shop_local: (ROLLBACK PREPARED .*;)$/m.exec(prepared?.remedy ?? "") ?? [];
    expect(rollback).toContain("\\u001b[31m");
    await asSuperuser(sandbox, rollback, DATABASE);
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("somebody's lock on what it owns, or on the user itself, prepared or not", async () => {
    const [other, owned] = [
      await web.session("reader"),
      await (await scenario.enter("migrations")).session("owner"),
    ];
    for (const sql of ["SET ROLE NONE", "CREATE TABLE app.mine ()", "GRANT SELECT ON app.mine TO PUBLIC"]) {
      await owned.client.query(sql);
    }
    const [named, waiting] = [await web.issue("reader"), await reports.issue("reader-2")];
    const granting = await web.session("reader");
    const pids = await Promise.all([other, granting].map(({ client }) => pidOf(client)));
    await other.client.query("BEGIN; SELECT FROM app.mine");
    for (const { username } of [named, waiting]) {
      await granting.client.query("BEGIN");
      const [{ oid }] = (await granting.client.query<{ oid: number }>("SELECT lo_create(0) AS oid")).rows as [
        { oid: number },
      ];
      await granting.client.query(`GRANT SELECT ON LARGE OBJECT ${oid} TO "${username}"`);
      if (username === waiting.username) break;
      await granting.client.query("PREPARE TRANSACTION 'of another'");
    }
    for (const { leaseId } of [owned.credential, named]) await failedRevocation(leaseId);
    const found = await failedRevocation(waiting.leaseId);
    const about = ({ username }: { username: string }) =>
      found.find(({ subject, kind }) => subject === username && kind === "login-off");
    const reader = other.credential.username;
    expect(about(owned.credential)?.detail).toMatch(
      new RegExp(
        `process ${pids[0]} of ${reader}, in shop_local, open for \\d+ s, holds a lock on what the user owns`,
      ),
    );
    expect(about(owned.credential)?.remedy).toMatch(
      new RegExp(
        `as a superuser: SELECT pg_catalog.pg_terminate_backend\\(${pids[0]}\\);[^]*` +
          "time after time: vault-postgres hand-over local --user .* in small batches",
      ),
    );
    expect(about(waiting)?.detail).toMatch(
      new RegExp(`process ${pids[1]} of .*, open for \\d+ s, holds a lock on the user`),
    );
    expect(about(waiting)?.remedy).toContain(`pg_terminate_backend(${pids[1]})`);
    expect(about(named)?.detail).toMatch(
      /the prepared transaction of another of v-.*holds a lock on the user/,
    );
    expect(about(named)?.remedy).toContain("ROLLBACK PREPARED 'of another';");

    await asSuperuser(
      sandbox,
      `SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[${pids.join()}]) AS one (pid)`,
    );
    await asSuperuser(sandbox, "ROLLBACK PREPARED 'of another'", DATABASE);
    await revokeAll();
    await asSuperuser(sandbox, "DROP TABLE app.mine", DATABASE);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("rights that were given by somebody who is not the owner, and what has them back", async () => {
    const [owner, giver] = [await web.session("reader"), await web.session("reader")];
    const victim = await reports.issue("reader-2");
    const rights = "GRANT SELECT ON LARGE OBJECT 7001 TO";
    for (const { client } of [owner, giver]) await client.query("SET ROLE NONE");
    await owner.client.query("SELECT lo_create(7001)");
    await owner.client.query(`${rights} "${giver.credential.username}" WITH GRANT OPTION`);
    await giver.client.query(`${rights} "${victim.username}"`);
    for (const { client } of [owner, giver]) await client.end();
    // As a revocation leaves it that fails for this.
    await asSuperuser(sandbox, `ALTER ROLE "${victim.username}" NOLOGIN`);
    const unseen = await status();
    expect(unseen.findings).toMatchObject([{ kind: "login-off", subject: victim.username }]);
    expect(unseen.findings[0]?.detail).toMatch(
      /it has rights of its own on 1 object in shop_local; who gave it these is seen from within that database alone/,
    );
    expect(unseen.findings[0]?.remedy).toMatch(
      /time after time: vault-postgres hand-over local --user v-\S+ takes its rights back, whoever gave them/,
    );
    const operator = sandbox.operator.postgresUser;
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${operator}`);
    const seen = await status();
    await asSuperuser(sandbox, `REVOKE CONNECT ON DATABASE ${DATABASE} FROM ${operator}`);
    expect(seen.findings[0]?.detail).toContain(`large object 7001, by ${giver.credential.username}`);
    const { out } = await scenario.run("hand-over", ["--yes"], {
      PGUSER: sandbox.deployer.postgresUser,
      PGPASSWORD: sandbox.deployer.postgresPassword,
    });
    expect(out).toContain(
      `${victim.username}: 1 of 1 handed over to shop_local_reader-2, or taken away; 0 left.`,
    );
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  testInFull("what it owns in a schema where its base role may make nothing", async () => {
    await asSuperuser(sandbox, `GRANT CREATE ON DATABASE ${DATABASE} TO shop_local_owner`);
    const { credential, client } = await (await scenario.enter("migrations")).session("owner");
    for (const sql of [
      "CREATE SCHEMA theirs",
      "SET ROLE NONE",
      "CREATE FUNCTION theirs.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "SET ROLE shop_local_owner",
      "REVOKE CREATE ON SCHEMA theirs FROM shop_local_owner",
    ])
      await client.query(sql);
    await client.end();
    const operator = sandbox.operator.postgresUser;
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${operator}`);
    await asSuperuser(sandbox, `ALTER ROLE "${credential.username}" NOLOGIN`);
    const { findings } = await status();
    expect(findings).toMatchObject([{ kind: "login-off", subject: credential.username }]);
    expect(findings[0]?.detail).toContain(
      "its base role may make nothing in the schema of function theirs.f()",
    );
    expect(findings[0]?.remedy).toMatch(/time after time: vault-postgres hand-over local --user/);
    const { out } = await scenario.run("hand-over", ["--yes"], {
      PGUSER: sandbox.deployer.postgresUser,
      PGPASSWORD: sandbox.deployer.postgresPassword,
    });
    expect(out).toContain(`Its lease ${credential.leaseId} is revoked.`);
    for (const sql of [
      `REVOKE CONNECT ON DATABASE ${DATABASE} FROM ${operator}`,
      "DROP SCHEMA theirs CASCADE",
      `REVOKE CREATE ON DATABASE ${DATABASE} FROM shop_local_owner`,
    ])
      await asSuperuser(sandbox, sql, DATABASE);
  });

  test("somebody's lock on a table with a policy that names it", async () => {
    const [owned, reader] = [
      await (await scenario.enter("migrations")).session("owner"),
      await web.session("reader"),
    ];
    const victim = await reports.issue("reader-2");
    for (const sql of [
      "CREATE TABLE app.hot (x int)",
      `CREATE POLICY p ON app.hot TO "${victim.username}" USING (true)`,
    ])
      await owned.client.query(sql);
    await owned.client.end();
    const pid = await pidOf(reader.client);
    await reader.client.query("BEGIN; SELECT FROM app.hot");
    await pause(1_000);
    await asSuperuser(sandbox, `ALTER ROLE "${victim.username}" NOLOGIN`);
    const about = (report: StatusReport) =>
      report.findings.find(({ subject }) => subject === victim.username);
    const unseen = about(await status());
    expect(unseen?.detail).toMatch(
      new RegExp(
        `process ${pid} of .* holds locks on tables, of which one may have a policy that names the user`,
      ),
    );
    expect(unseen?.remedy).toContain(`pg_terminate_backend(${pid})`);
    const operator = sandbox.operator.postgresUser;
    await asSuperuser(sandbox, `GRANT CONNECT ON DATABASE ${DATABASE} TO ${operator}`);
    const seen = about(await status());
    await asSuperuser(sandbox, `REVOKE CONNECT ON DATABASE ${DATABASE} FROM ${operator}`);
    expect(seen?.detail).toMatch(
      new RegExp(`process ${pid} of .* holds a lock on a table with a policy that names the user`),
    );
    await reader.client.end();
    await revokeAll();
    await asSuperuser(sandbox, "DROP TABLE app.hot", DATABASE);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("a statement of its own that heeds no signal", async () => {
    const { credential, client } = await web.session("reader");
    const pid = await pidOf(client);
    const statement = client.query("SELECT pg_sleep(60)").catch(() => undefined);
    await pause(200);
    process.kill(pid, "SIGSTOP");
    try {
      const [found] = await failedRevocation(credential.leaseId);
      expect(found?.remedy).toMatch(
        new RegExp(
          `One that goes on \\(${pid} is active for \\d+ s\\) heeds no signal until its statement ends\\. Wait`,
        ),
      );
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await statement;
    await revokeAll();
  });

  testInFull("a worker of autovacuum that runs code of its index", async () => {
    await asSuperuser(sandbox, "ALTER SYSTEM SET autovacuum_naptime = 1");
    await asSuperuser(sandbox, "SELECT pg_reload_conf()");
    const { credential, client } = await (await scenario.enter("migrations")).session("owner");
    for (const sql of [
      "SET ROLE NONE",
      `CREATE FUNCTION app.slow(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
         $$BEGIN IF current_setting('application_name') = '' THEN PERFORM pg_sleep(30); END IF; RETURN i; END$$`,
      "CREATE TABLE app.vacuumed (i int) WITH (autovacuum_analyze_threshold = 1)",
      "SET application_name = 'not autovacuum'",
      "CREATE INDEX ON app.vacuumed (app.slow(i))",
      "INSERT INTO app.vacuumed SELECT generate_series(1, 200)",
    ]) {
      await client.query(sql);
    }
    await client.end();
    const workers = () =>
      asSuperuser(
        sandbox,
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query ~ 'vacuumed'",
      );
    const deadline = Date.now() + 20_000;
    while ((await workers()).length === 0 && Date.now() < deadline) await pause(100);
    const [pid] = await workers();
    await asSuperuser(sandbox, `ALTER ROLE "${credential.username}" NOLOGIN`);
    await pause(1_000);
    const { findings } = await status();
    expect(findings).toMatchObject([{ kind: "login-off", subject: credential.username }]);
    expect(findings[0]?.detail).toMatch(
      new RegExp(
        `process ${String(pid)} \\(autovacuum\\), in shop_local, .*holds a lock on what the user owns`,
      ),
    );
    expect(findings[0]?.remedy).toMatch(/Autovacuum comes back to the table.*autovacuum_enabled = off/);
    await asSuperuser(sandbox, "ALTER SYSTEM RESET autovacuum_naptime");
    await asSuperuser(sandbox, "SELECT pg_reload_conf()");
    await asSuperuser(sandbox, "DROP TABLE app.vacuumed; DROP FUNCTION app.slow", DATABASE);
    await revokeAll();
  });

  test("its own row, which kept its login on, so that its memberships were taken away", async () => {
    const { credential, client } = await web.session("reader");
    for (const sql of ["BEGIN", "ALTER ROLE session_user PASSWORD 'x'", "PREPARE TRANSACTION 'row'"]) {
      await client.query(sql);
    }
    await client.end();
    const { username, leaseId } = credential;
    const findings = await failedRevocation(leaseId);
    const found = findings.filter(({ kind }) => kind !== "prepared-transaction");
    expect(found).toMatchObject([{ kind: "stripped-user", subject: username }]);
    expect(found[0]?.detail).toContain(
      "has taken its memberships away: it has no rights any more, and is not gone",
    );
    expect(found[0]?.detail).toContain(`lease ${leaseId} is kept; it has 1 prepared transaction`);
    expect(found[0]?.remedy).toMatch(
      /ROLLBACK PREPARED 'row';\n[^]*Vault does not try again before the lease ends, in 5\d min.*--lease/,
    );
    await asSuperuser(sandbox, "ROLLBACK PREPARED 'row'", DATABASE);
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("a lease that is over, though it may still log in, and one whose base role was taken away", async () => {
    const late = await web.issue("reader");
    await asSuperuser(sandbox, `ALTER ROLE "${late.username}" VALID UNTIL '2020-01-01'`);
    const bare = await reports.issue("reader-2");
    const { username } = bare;
    await asSuperuser(
      sandbox,
      `SET ROLE shop_local_manager; REVOKE "shop_local_reader-2" FROM "${username}"; RESET ROLE; ALTER ROLE "${username}" NOLOGIN`,
    );
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { kind: "login-off", subject: username },
      { kind: "expired-user", subject: late.username },
    ]);
    await revokeAll();
  });
});

test("finds a user of a former login of the engine, which cannot be revoked, and says how it can", async () => {
  await revokeAll();
  const { username, leaseId } = await web.issue("reader");
  // What is left of it where the login was dropped, which takes back what that has granted, and made anew.
  for (const sql of [
    `SET ROLE shop_local_manager; REVOKE shop_local_reader FROM "${username}"`,
    `REVOKE "${username}" FROM shop_local_manager`,
  ])
    await asSuperuser(sandbox, sql);
  await expect(revoke(sandbox, { username, leaseId, password: "" })).rejects.toThrow(/permission denied/);
  const { code, findings } = await status();
  expect(code).toBe(1);
  expect(findings).toMatchObject([{ kind: "missing-right", subject: username }]);
  expect(findings[0]?.detail).toContain(
    `the engine's login shop_local_manager has no ADMIN on it, as where that login was dropped and made anew since`,
  );
  expect(findings[0]?.detail).toContain(`lease ${leaseId} is kept`);
  const grant = /^As a superuser: (GRANT .* WITH ADMIN OPTION;)$/m.exec(findings[0]?.remedy ?? "")![1]!;
  await asSuperuser(sandbox, `ALTER ROLE "${username}" NOLOGIN`);
  const [shut] = (await status()).findings;
  expect(shut).toMatchObject({ kind: "login-off", subject: username });
  expect(shut?.remedy).toContain(grant);
  await asSuperuser(sandbox, grant);
  expect(await scenario.run("revoke", ["--lease", leaseId, "--yes"])).toMatchObject({ code: 0 });
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

describe("while somebody waits for a lock on a system catalog, says who, and what to do", () => {
  /** A reader's two sessions are enough; rights are looked at once the lock is there. */
  async function blocking(
    catalog: string,
  ): Promise<{ readonly pids: readonly number[]; end(): Promise<void> }> {
    const [holder, waiter] = [await web.session("reader"), await web.session("reader")];
    const pids = await Promise.all([waiter, holder].map(({ client }) => pidOf(client)));
    const view = catalog === "pg_authid" ? "pg_roles" : catalog;
    await holder.client.query(`BEGIN; SELECT FROM pg_catalog.${view}`);
    const waits = waiter.client
      .query(`CREATE RULE r AS ON INSERT TO pg_catalog.${catalog} DO INSTEAD NOTHING`)
      .catch(() => undefined);
    await pause(200);
    return {
      pids,
      async end() {
        await holder.client.end();
        await waits;
        await waiter.client.end();
      },
    };
  }

  test("the leases are told all the same", async () => {
    const lock = await blocking("pg_auth_members");
    const [waiter, holder] = lock.pids;
    try {
      const began = Date.now();
      const { code, findings, leases, notLookedAt } = await status();
      expect(Date.now() - began).toBeLessThan(8_000);
      expect({ code, findings, leases: leases.length }).toEqual({ code: 1, findings: [], leases: 2 });
      expect(notLookedAt[0]).toMatch(
        new RegExp(
          "^PostgreSQL was not looked at: PostgreSQL at .* keeps us waiting for a system catalog: " +
            `process ${waiter} waits for a lock \\(AccessExclusiveLock\\) on pg_auth_members, behind process ${holder}\\.`,
        ),
      );
      expect(notLookedAt[0]).toContain(
        `SELECT pg_catalog.pg_terminate_backend(${waiter}); SELECT pg_catalog.pg_terminate_backend(${holder});`,
      );
      expect(notLookedAt[0]).toContain(`kill ${waiter} ${holder}`);
      const [sql, shell] = blocksOf("docs/troubleshooting.md");
      expect(await asSuperuser(sandbox, sql!.text)).toEqual([waiter]);
      // The one who holds it waits for nothing, and is not among them.
      const ended = execFileSync("sh", ["-c", shell!.text.replace("12345", String(waiter))], {
        encoding: "utf8",
      });
      expect(ended).toMatch(new RegExp(`^ *${waiter} postgres: .*CREATE RULE waiting$`, "m"));
      await asSuperuser(sandbox, /SELECT pg_catalog.pg_terminate_backend.*;/.exec(notLookedAt[0]!)![0]);
    } finally {
      await lock.end();
    }
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [], notLookedAt: [] });
  });

  const commands = ["hand-over", "footholds"];
  testInFull.each([
    // Nobody can log in for the lack of the latter two. Revocations go on: operator-revoke.test.ts.
    "pg_auth_members",
    "pg_shdepend",
    "pg_db_role_setting",
    "pg_authid",
  ])("%s: and so do other commands", async (catalog) => {
    const lock = await blocking(catalog);
    const [waiter] = lock.pids;
    const letsIn = catalog === "pg_auth_members" || catalog === "pg_shdepend";
    const said = letsIn
      ? new RegExp(`process ${waiter} waits for .* on ${catalog}`)
      : /lets nobody in within \d+ s[^]*kill <pid>/;
    try {
      const { code, notLookedAt } = await status();
      expect({ code, said: notLookedAt[0] }).toEqual({
        code: 1,
        said: expect.stringMatching(said) as string,
      });
      for (const command of commands) {
        const began = Date.now();
        const { code, err } = await scenario.run(command, [], {
          PGUSER: sandbox.deployer.postgresUser,
          PGPASSWORD: sandbox.deployer.postgresPassword,
        });
        expect(Date.now() - began).toBeLessThan(25_000);
        expect({ command, code, err }).toEqual({
          command,
          code: 2,
          err: expect.stringMatching(said) as string,
        });
      }
    } finally {
      await lock.end();
    }
    await revokeAll();
  });
});

describe("of roles that are not as declared", () => {
  const paths = ["roles/reader", "roles/owner", "static-roles/legacy", `config/${DATABASE}`];
  const before = new Map<string, Readonly<Record<string, unknown>>>();
  beforeAll(async () => {
    await revokeAll();
    for (const path of paths)
      before.set(path, (await sandbox.vault.client().read(`${MOUNT}/${path}`)).data ?? {});
  });
  afterEach(async () => {
    for (const [path, data] of before) {
      await sandbox.vault.client().write(`${MOUNT}/${path}`, { ...data, verify_connection: false });
    }
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("finds a role of the engine that lost half of what it holds", async () => {
    const vault = sandbox.vault.client();
    await vault.delete(`${MOUNT}/roles/reader`);
    await vault.write(`${MOUNT}/roles/reader`, {
      db_name: DATABASE,
      creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"],
      default_ttl: 60,
    });
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([{ kind: "changed-role", subject: "reader" }]);
    expect(findings[0]?.detail).toMatch(
      /its default TTL is 60 s, not \d+ s; its maximum TTL is 0 s, not \d+ s; its creation SQL is another; it has no renewal SQL; it has no revocation SQL/,
    );
  });

  test("finds a static role whose SQL is another", async () => {
    await sandbox.vault.client().write(`${MOUNT}/static-roles/legacy`, {
      username: "shop_local_legacy",
      rotation_statements: [`ALTER ROLE "{{name}}" PASSWORD '{{password}}' BYPASSRLS`],
    });
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { kind: "changed-role", subject: "legacy", detail: "its rotation SQL is another" },
    ]);
  });

  test("finds what they issue instead, which the plan puts right where the engine lets it", async () => {
    const vault = sandbox.vault.client();
    const weak = { policy: 'length=4\nrule "charset" { charset="a" }' };
    await vault.write("sys/policies/password/weak", weak);
    const [reader, legacy] = [`${MOUNT}/roles/reader`, `${MOUNT}/static-roles/legacy`];
    const { data: role } = await vault.read(reader);
    const change = async (data: object) => {
      await vault.write(reader, { ...role, ...data });
      await vault.write(legacy, { username: "shop_local_legacy", ...data });
    };
    const found = (details: string) =>
      ["reader", "legacy"].map((subject) => ({
        ...{ kind: "changed-role", subject, detail: expect.stringContaining(details) as string },
      }));
    await vault.write(reader, { ...role, credential_type: "rsa_private_key", credential_config: {} });
    expect((await status()).findings).toMatchObject([
      {
        kind: "changed-role",
        subject: "reader",
        detail: expect.stringContaining("rsa_private_key") as string,
      },
    ]);
    await scenario.deploy();
    await issue(sandbox, `${MOUNT}/creds/reader`);
    await revokeAll();
    expect((await vault.read(reader)).data).toMatchObject({ credential_type: "password" });
    await vault.delete(reader);

    await change({ credential_type: "password", credential_config: { password_policy: "weak" } });
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject(found("its credential_config has another password_policy"));
    for (const [index, path] of [reader, legacy].entries()) {
      expect(findings[index]?.remedy).toContain(`vault delete ${path}, and deploy at once`);
      await vault.delete(path);
    }
  });

  test("finds roles, and a static role, that the engine does not have", async () => {
    const vault = sandbox.vault.client();
    await vault.delete(`${MOUNT}/roles/owner`);
    await vault.delete(`${MOUNT}/static-roles/legacy`);
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { kind: "missing-role", subject: "owner" },
      { kind: "missing-role", subject: "legacy" },
    ]);
  });

  test("finds one that is not declared any more, and revoke ends what it has issued", async () => {
    const vault = sandbox.vault.client();
    const { data } = await vault.read(`${MOUNT}/roles/reader`);
    await vault.write(`${MOUNT}/config/${DATABASE}`, { allowed_roles: ["*"] });
    await vault.write(`${MOUNT}/roles/former`, data);
    const credential = await issue(sandbox, `${MOUNT}/creds/former`);
    await vault.delete(`${MOUNT}/roles/former`);
    const report = await status();
    expect(report.findings).toMatchObject([
      {
        kind: "undeclared-role",
        subject: "former",
        detail: "the role former is not declared any more: it is not on the engine, 1 lease",
        remedy: expect.stringContaining("vault-postgres revoke local --role former") as string,
      },
    ]);
    const { code, out } = await scenario.run("revoke", ["--role", "former", "--yes"]);
    expect(code).toBe(0);
    expect(out).toContain("Gone from PostgreSQL: 1 user.");
    expect(
      await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`),
    ).toEqual([]);
  });
});

describe("of the engine's connection finds that by hand was changed", () => {
  const config = () => `${MOUNT}/config/${DATABASE}`;
  const write = (data: Readonly<Record<string, unknown>>) =>
    sandbox.vault.client().write(config(), { ...data, verify_connection: false });
  let url: string;
  beforeAll(async () => {
    await revokeAll();
    const { data } = await sandbox.vault.client().read(config());
    url = (data?.connection_details as { connection_url: string }).connection_url;
  });
  afterEach(async () => {
    await write({ connection_url: url, username: "shop_local_manager" });
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  const changes: readonly (readonly [what: string, change: (url: URL) => void, detail: string])[] = [
    ["the host", (to) => (to.hostname = "evil.example"), "it leads to the host evil.example, not 127.0.0.1"],
    ["the port", (to) => (to.port = "9"), "it leads to the port 9, not "],
    [
      "the database",
      (to) => (to.pathname = "/postgres"),
      "it leads to the database postgres, not shop_local",
    ],
    [
      "the TLS mode",
      (to) => to.searchParams.set("sslmode", "prefer"),
      "its TLS mode (sslmode) is prefer, not disable",
    ],
    [
      "an option that leads elsewhere",
      (to) => to.searchParams.set("host", "evil.example"),
      "in its URL host is",
    ],
    [
      "the login in it",
      (to) => ([to.username, to.password] = ["terraform", "s3cret-one"]),
      "its URL holds a login of its own",
    ],
  ];
  test.each(changes)("%s", async (_, change, detail) => {
    const placeholders = "{{username}}:{{password}}@";
    const to = new URL(url.replace(placeholders, ""));
    change(to);
    const changed = to.username === "" ? to.href.replace("://", `://${placeholders}`) : to.href;
    await write({ connection_url: changed });
    const { code, out } = await scenario.run("status", ["--json"]);
    expect(code).toBe(1);
    expect((JSON.parse(out) as StatusReport).findings).toMatchObject([
      { kind: "changed-connection", subject: DATABASE, detail: expect.stringContaining(detail) as string },
    ]);
    expect(out).not.toContain("s3cret-one");
  });

  test.each<[change: Readonly<Record<string, unknown>>, detail: string]>([
    [{ password_policy: "weak" }, "it makes passwords by the policy weak, not by the engine's own"],
    [{ password_authentication: "password" }, "its password_authentication is password, not scram-sha-256"],
    [{ username_template: "{{.RoleName}}" }, "its username_template is another"],
    [{ disable_escaping: true }, "its disable_escaping is true, not false"],
    [
      { root_rotation_statements: "ALTER ROLE \"{{username}}\" PASSWORD 'x'" },
      "the SQL that sets the engine's own password (root_rotation_statements) is another",
    ],
  ])("%j", async (change, detail) => {
    const { data } = await sandbox.vault.client().read(config());
    const details = data?.connection_details as Readonly<Record<string, unknown>>;
    await write(change);
    const { code, findings } = await status();
    await write({
      ...{ password_policy: "", password_authentication: "scram-sha-256", disable_escaping: false },
      ...{ username_template: details.username_template },
      root_rotation_statements: data?.root_credentials_rotate_statements,
    });
    expect(code).toBe(1);
    expect(findings).toMatchObject([{ kind: "changed-connection", subject: DATABASE, detail }]);
  });

  test("the login that it uses", async () => {
    await write({ username: "terraform" });
    expect((await status()).findings).toMatchObject([
      { kind: "changed-connection", detail: "it logs in as terraform, not shop_local_manager" },
    ]);
  });
});

describe("of AppRoles finds that by hand was changed", () => {
  const path = "auth/shop-local/approle/role/shop-local-web";
  let before: Readonly<Record<string, unknown>>;
  let roleId: string;
  beforeAll(async () => {
    before = (await sandbox.vault.client().read(path)).data ?? {};
    roleId = scenario.outputs.approles["shop-local-web"]!.role_id;
  });
  afterEach(async () => {
    const { local_secret_ids: kept, ...data } = before;
    void kept;
    await sandbox.vault.client().write(path, { ...data, secret_id_bound_cidrs: "", token_bound_cidrs: "" });
    await sandbox.vault.client().write(`${path}/role-id`, { role_id: roleId });
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test.each<[change: Readonly<Record<string, unknown>>, detail: string]>([
    [
      { token_policies: ["default", "shop-local/database/creds/owner"] },
      "token_policies is default shop-local/database/creds/owner, not " +
        "shop-local/database/creds/reader shop-local/database/static-creds/legacy",
    ],
    [
      { bind_secret_id: false, token_bound_cidrs: ["0.0.0.0/0"] },
      "bind_secret_id is false, not true; token_bound_cidrs is 0.0.0.0/0, not none",
    ],
    [
      { secret_id_ttl: "1000h", secret_id_num_uses: 7 },
      "secret_id_num_uses is 7, not 0; secret_id_ttl is 3600000, not 2592000",
    ],
    [
      { token_ttl: "2h", token_max_ttl: "48h", token_explicit_max_ttl: "72h", token_num_uses: 9 },
      "token_explicit_max_ttl is 259200, not 0; token_max_ttl is 172800, not 86400; token_num_uses is 9, not 0; " +
        "token_ttl is 7200, not 3600",
    ],
    [{ token_period: "1h" }, "token_period is 3600, not 0"],
    [
      { secret_id_bound_cidrs: ["10.0.0.0/8"], token_type: "batch", token_no_default_policy: true },
      "secret_id_bound_cidrs is 10.0.0.0/8, not none; token_no_default_policy is true, not false; " +
        "token_type is batch, not service",
    ],
  ])("%j", async (change, detail) => {
    await sandbox.vault.client().write(path, change);
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      { kind: "changed-approle", subject: "shop-local-web", detail: `not as it was declared: ${detail}` },
    ]);
  });

  test("the RoleID, which is not shown", async () => {
    await sandbox.vault.client().write(`${path}/role-id`, { role_id: "another-role-id" });
    const { code, out } = await scenario.run("status");
    expect(code).toBe(1);
    expect(out).toMatch(/changed approle +shop-local-web +it has another RoleID than the outputs/);
    expect(out).not.toContain("another-role-id");
    expect(out).not.toContain(roleId);
  });

  describe("in a policy of its tokens", () => {
    const name = "shop-local/database/creds/reader";
    const policy = `sys/policies/acl/${name}`;
    let text: unknown;
    beforeAll(async () => {
      text = (await sandbox.vault.client().read(policy)).data?.policy;
    });
    afterEach(() => sandbox.vault.client().write(policy, { policy: text }));

    test("its text", async () => {
      const wider = `${String(text)}\npath "shop-local/database/creds/*" { capabilities = ["read"] }`;
      await sandbox.vault.client().write(policy, { policy: wider });
      const { code, findings } = await status();
      expect(code).toBe(1);
      expect(findings).toMatchObject([{ kind: "changed-policy", subject: name }]);
      await sandbox.vault.client().write(policy, { policy: text });
    });

    test("that it is there", async () => {
      await sandbox.vault.client().delete(policy);
      const { code, findings } = await status();
      expect(code).toBe(1);
      expect(findings).toMatchObject([
        {
          kind: "missing-policy",
          subject: name,
          detail: expect.stringContaining("tokens of shop-local-reports and shop-local-web") as string,
        },
      ]);
      await sandbox.vault.client().write(policy, { policy: text });
    });
  });
});

describe("of roles in PostgreSQL finds", () => {
  afterEach(async () => {
    await revokeAll();
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  const excess = (subject: string, words: RegExp) => ({
    ...{ kind: "excess-right", subject, detail: expect.stringMatching(words) as string },
    remedy: expect.stringContaining("Find out who g") as string,
  });
  const superuser = (...sql: readonly string[]) =>
    sql.reduce(async (before, each) => {
      await before;
      await asSuperuser(sandbox, each, DATABASE);
    }, Promise.resolve());

  test("what they may do and were not declared to", async () => {
    const { username } = await web.issue("reader");
    await superuser(
      `ALTER ROLE shop_local_reader LOGIN SUPERUSER; GRANT pg_read_all_data TO shop_local_reader`,
      `ALTER ROLE shop_local_manager SUPERUSER`,
      `ALTER ROLE shop_local_legacy CREATEROLE; GRANT shop_local_owner TO shop_local_legacy`,
      `ALTER ROLE "${username}" SUPERUSER; GRANT pg_read_all_data TO "${username}"`,
      `GRANT CONNECT ON DATABASE shop_local TO PUBLIC`,
    );
    const { code, findings } = await status();
    await superuser(
      `ALTER ROLE shop_local_reader NOLOGIN NOSUPERUSER; REVOKE pg_read_all_data FROM shop_local_reader`,
      `ALTER ROLE shop_local_manager NOSUPERUSER`,
      `ALTER ROLE shop_local_legacy NOCREATEROLE; REVOKE shop_local_owner FROM shop_local_legacy`,
      `ALTER ROLE "${username}" NOSUPERUSER; REVOKE pg_read_all_data FROM "${username}"`,
      `REVOKE CONNECT ON DATABASE shop_local FROM PUBLIC`,
    );
    expect(code).toBe(1);
    expect(findings).toEqual([
      excess("shop_local_legacy", /static role legacy has CREATEROLE and is a member of shop_local_owner/),
      excess("shop_local_manager", /^the engine's login has SUPERUSER/),
      excess(
        "shop_local_reader",
        /role of reader has SUPERUSER and LOGIN and is a member of pg_read_all_data/,
      ),
      excess(username, /^a user of the engine has SUPERUSER and is a member of pg_read_all_data/),
      excess(DATABASE, /^PUBLIC has CONNECT on the database: every login/),
    ]);
    expect(findings[2]?.remedy).toContain(
      'As a superuser: ALTER ROLE "shop_local_reader" NOSUPERUSER NOLOGIN; REVOKE "pg_read_all_data" FROM',
    );
  });

  test("a schema that was dropped, and CONNECT that a base role has lost", async () => {
    await superuser(
      `ALTER SCHEMA app RENAME TO kept; REVOKE ALL ON SCHEMA kept FROM shop_local_reader`,
      `REVOKE CONNECT ON DATABASE shop_local FROM shop_local_writer`,
    );
    const { code, findings } = await status();
    await superuser(
      `GRANT USAGE ON SCHEMA kept TO shop_local_reader; ALTER SCHEMA kept RENAME TO app`,
      `GRANT CONNECT ON DATABASE shop_local TO shop_local_writer`,
    );
    expect(code).toBe(1);
    expect(findings).toMatchObject([
      {
        ...{ kind: "missing-right", subject: "shop_local_reader" },
        detail:
          "the base role of reader has no right on the schema app of shop_local: a schema was dropped, or the rights on " +
          "it were taken away",
      },
      {
        ...{ kind: "missing-right", subject: "shop_local_writer" },
        detail: "the base role of writer may not connect to shop_local",
      },
    ]);
  });
});

describe("finds what stops the engine or an application", () => {
  const superuser = (sql: string, database = "postgres") => asSuperuser(sandbox, sql, database);
  afterEach(async () => {
    await superuser(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop_local_manager'",
    );
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  const manager = "shop_local_manager";
  const legacy = "shop_local_legacy";
  const readOnly = "default_transaction_read_only";
  const inherits = (option: string) =>
    `GRANT shop_local_reader TO ${legacy} WITH INHERIT ${option}, SET ${option} GRANTED BY terraform`;
  const cases: readonly (readonly [change: string, undo: string, found: readonly object[]])[] = [
    [
      `ALTER DATABASE ${DATABASE} CONNECTION LIMIT 0`,
      `ALTER DATABASE ${DATABASE} CONNECTION LIMIT -1`,
      [{ kind: "missing-database", subject: DATABASE }],
    ],
    [
      `ALTER ROLE ${legacy} CONNECTION LIMIT 0`,
      `ALTER ROLE ${legacy} CONNECTION LIMIT -1`,
      [{ kind: "login-off", subject: legacy }],
    ],
    [
      `REVOKE ADMIN OPTION FOR ${legacy} FROM ${manager} GRANTED BY terraform`,
      `GRANT ${legacy} TO ${manager} WITH ADMIN OPTION GRANTED BY terraform`,
      [
        {
          ...{ kind: "missing-right", subject: manager },
          detail: expect.stringContaining(`lacks ADMIN of ${legacy}:`) as string,
        },
      ],
    ],
    [inherits("FALSE"), inherits("TRUE"), [{ kind: "missing-right", subject: legacy }]],
    [
      `ALTER ROLE ${manager} SET ${readOnly} = on`,
      `ALTER ROLE ${manager} RESET ${readOnly}`,
      [{ kind: "hindering-setting", subject: manager }],
    ],
    [
      `ALTER ROLE ${manager} IN DATABASE ${DATABASE} SET statement_timeout = '5ms'`,
      `ALTER ROLE ${manager} IN DATABASE ${DATABASE} RESET statement_timeout`,
      [{ kind: "hindering-setting", subject: manager }],
    ],
    [
      `ALTER DATABASE ${DATABASE} SET ${readOnly} = 'true'`,
      `ALTER DATABASE ${DATABASE} RESET ${readOnly}`,
      [{ kind: "hindering-setting", subject: DATABASE }],
    ],
    [
      `ALTER ROLE ${manager} SET search_path = app, pg_catalog`,
      `ALTER ROLE ${manager} SET search_path = pg_catalog, pg_temp`,
      [{ kind: "hindering-setting", subject: manager }],
    ],
    // As an imported one, which may have no search_path of its own.
    [
      `ALTER ROLE ${manager} RESET search_path; ALTER DATABASE ${DATABASE} SET search_path = app, "$user", pg_catalog`,
      `ALTER ROLE ${manager} SET search_path = pg_catalog, pg_temp; ALTER DATABASE ${DATABASE} RESET search_path`,
      [
        {
          ...{ kind: "hindering-setting", subject: DATABASE },
          detail: expect.stringContaining(
            `for the engine's login ${manager}: the engine finds there`,
          ) as string,
          remedy: expect.stringContaining(
            `ALTER ROLE "${manager}" SET search_path = pg_catalog, pg_temp;`,
          ) as string,
        },
      ],
    ],
    [
      `ALTER ROLE ${manager} SET role = 'pg_monitor'`,
      `ALTER ROLE ${manager} RESET role`,
      [{ kind: "hindering-setting", subject: manager }],
    ],
    [
      // Whoever has a login may make its settings as long as it likes.
      `DO $do$ BEGIN EXECUTE 'ALTER ROLE ${manager} SET role = ' || quote_literal(repeat('x', 5000)); END $do$`,
      `ALTER ROLE ${manager} RESET role`,
      [
        {
          kind: "hindering-setting",
          subject: manager,
          detail: expect.stringMatching(/^role is x{200}…, for the engine's login/) as string,
        },
      ],
    ],
    ...[legacy, "shop_local_reader"].map(
      (role) =>
        [
          `DO $do$ BEGIN PERFORM set_config('app.x', string_agg(md5(random()::text), ''), true)
             FROM generate_series(1, 400000); ALTER ROLE "${role}" SET app.x FROM CURRENT; END $do$`,
          `ALTER ROLE "${role}" RESET app.x`,
          [
            {
              kind: "hindering-setting",
              subject: role,
              detail: expect.stringContaining("settings of 13 MB") as string,
              remedy: expect.stringContaining("RESET ALL; Then cdktf deploy local") as string,
            },
          ],
        ] as const,
    ),
    [
      "ALTER ROLE shop_local_reader PASSWORD 'given'",
      "ALTER ROLE shop_local_reader PASSWORD NULL",
      [
        {
          kind: "hindering-setting",
          subject: "shop_local_reader",
          detail: expect.stringMatching(/^it has a password/) as string,
        },
      ],
    ],
    [
      `ALTER ROLE ${legacy} SET role = 'shop_local_owner'`,
      `ALTER ROLE ${legacy} RESET role`,
      [{ kind: "hindering-setting", subject: legacy }],
    ],
    [
      "CREATE ROLE bob LOGIN IN ROLE shop_local_owner; CREATE ROLE team IN ROLE shop_local_reader; CREATE ROLE eve LOGIN IN ROLE team",
      "DROP ROLE bob, eve, team",
      [
        { kind: "excess-right", subject: "bob" },
        { kind: "excess-right", subject: "eve", detail: expect.stringContaining("through team") as string },
      ],
    ],
  ];
  test.each(cases)("%s", async (change, undo, found) => {
    await superuser(change);
    const { code, findings } = await status();
    await superuser(undo);
    expect(code).toBe(1);
    expect(findings).toMatchObject(found);
    for (const { remedy } of findings) expect(remedy).toMatch(/[Ff]ind out who/);
  });

  test("and nothing in what stops nobody", async () => {
    const settings = [
      `ALTER DATABASE ${DATABASE} SET search_path = pg_catalog, app`,
      `ALTER DATABASE ${DATABASE} SET statement_timeout = '30s'`,
      `ALTER ROLE ${manager} SET ${readOnly} = off`,
      // For one that only reads.
      `ALTER ROLE ${legacy} SET ${readOnly} = on`,
      `ALTER ROLE ${legacy} SET role = 'shop_local_reader'`,
    ];
    for (const sql of settings) await superuser(sql);
    const { code, findings } = await status();
    for (const sql of settings) await superuser(sql.replace(/ SET (\w+) = .*/, " RESET $1"));
    expect({ code, findings }).toEqual({ code: 0, findings: [] });
  });

  test("CREATE of everybody on a schema, if PGUSER enters the database", async () => {
    await superuser("GRANT CREATE ON SCHEMA app TO PUBLIC", DATABASE);
    const before = await status();
    await superuser(`GRANT CONNECT ON DATABASE ${DATABASE} TO credentials_operator`);
    const { code, findings } = await status();
    await superuser("REVOKE CREATE ON SCHEMA app FROM PUBLIC", DATABASE);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
    await superuser(`REVOKE CONNECT ON DATABASE ${DATABASE} FROM credentials_operator`);
    expect(before).toMatchObject({ code: 0, findings: [] });
    expect(code).toBe(1);
    expect(findings).toMatchObject([{ kind: "excess-right", subject: "app" }]);
  });
});

describe("of an AppRole that the environment does not declare", () => {
  const FORMER = "shop-local-former";
  const path = `auth/shop-local/approle/role/${FORMER}`;
  const CREDS = `${MOUNT}/creds/writer`;

  async function enter(): Promise<VaultClient> {
    const vault = sandbox.vault.client();
    await vault.write(path, { token_policies: [CREDS] });
    const { data: id } = await vault.read(`${path}/role-id`);
    const { data: secret } = await vault.write(`${path}/secret-id`);
    const { auth } = await vault.write("auth/shop-local/approle/login", {
      role_id: id?.role_id,
      secret_id: secret?.secret_id,
    });
    return vault.withToken(auth?.client_token);
  }

  test("finds one that has a policy of the environment's, with or without tokens, and no other", async () => {
    await revokeAll();
    const vault = sandbox.vault.client();
    const own = "shop-local/database/creds/writer.for.another-stack";
    await vault.write(path, { token_policies: ["default", own, "something-else"] });
    expect(await status()).toMatchObject({ code: 0, findings: [] });
    await vault.write(path, { token_policies: ["something-else", CREDS] });
    const expected = {
      kind: "undeclared-approle",
      subject: FORMER,
      detail: `the environment does not declare it, and its tokens have the policy ${CREDS}, by which it may read writer`,
      remedy: expect.stringContaining(`vault delete ${path}; `) as string,
    };
    expect(await status()).toMatchObject({ code: 1, findings: [expected] });
    await enter();
    expect(await status()).toMatchObject({ code: 1, findings: [expected] });
    await vault.delete(path);
    expect((await scenario.run("revoke", ["--approle", FORMER, "--yes"])).code).toBe(0);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test("finds tokens that live on when it is gone, and revoke ends them with their credentials", async () => {
    await revokeAll();
    const api = await scenario.enter("api");
    const kept = await api.issue("writer");
    const former = await enter();
    await sandbox.vault.client().delete(path);
    const { data, lease_id: leaseId } = await former.read(CREDS);

    const report = await status();
    expect(report.code).toBe(1);
    expect(report.findings).toMatchObject([
      {
        kind: "undeclared-approle",
        subject: FORMER,
        detail:
          "it is neither declared nor in the auth method any more, and has 1 token, which may read writer",
        remedy: expect.stringContaining(`vault-postgres revoke local --approle ${FORMER}`) as string,
      },
    ]);
    expect(named(report.roles, "writer")).toMatchObject({ readers: ["shop-local-api", FORMER] });
    expect(named(report.approles, "shop-local-api")).toMatchObject({
      leases: 0,
      sharedLeases: { writer: 2 },
    });

    const { code, out, err } = await scenario.run("revoke", ["--approle", FORMER, "--yes"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`This ends the group of ${FORMER}: 0 SecretIDs, 1 token`);
    expect(out).toContain("The environment does not declare it.");
    expect(out).toContain("Ended: 1 token, 1 credential.");
    await expect(former.read(CREDS)).rejects.toThrow(VaultError);
    const users = await asSuperuser(sandbox, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'");
    expect(users).toEqual([kept.username]);
    expect(users).not.toContain(data?.username);
    expect(leaseId).not.toBe(kept.leaseId);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
    expect((await scenario.run("revoke", ["--approle", FORMER, "--yes"])).err).toContain(
      `The environment has no AppRole "${FORMER}".`,
    );
  });

  test("leaves its credentials alone when a declared one that reads the same is ended", async () => {
    await revokeAll();
    const former = await enter();
    const { lease_id: kept } = await former.read(CREDS);
    const api = await scenario.enter("api");
    await api.issue("writer");
    const { code, out } = await scenario.run("revoke", ["--approle", "shop-local-api", "--yes"]);
    expect({ code, left: out.includes("LEFT") }).toEqual({ code: 0, left: false });
    expect((await status()).leases).toMatchObject([{ id: kept }]);
    await sandbox.vault.client().delete(path);
    expect((await scenario.run("revoke", ["--approle", FORMER, "--yes"])).code).toBe(0);
    expect((await status()).leases).toEqual([]);
  });
});

test("finds that the AppRole method is not there, and looks at the rest", async () => {
  await sandbox.vault.client().delete("sys/auth/shop-local/approle");
  await sandbox.vault.client().delete(`${MOUNT}/roles/owner`);
  const { code, findings } = await status();
  expect(code).toBe(1);
  expect(findings).toMatchObject([
    { kind: "missing-role", subject: "owner" },
    { kind: "missing-approle", subject: "auth/shop-local/approle" },
  ]);
  await scenario.deploy();
  expect(await status()).toMatchObject({ code: 0, findings: [] });
  [web, reports] = [await scenario.enter("web"), await scenario.enter("reports")];
});

describe("of static roles looks at their logins, and finds", () => {
  afterEach(async () => {
    await asSuperuser(sandbox, "ALTER ROLE shop_local_legacy LOGIN VALID UNTIL 'infinity'");
    await sandbox.vault.client().write(`${MOUNT}/rotate-role/legacy`);
    expect(await status()).toMatchObject({ code: 0, findings: [] });
  });

  test.each([
    ["NOLOGIN", { kind: "login-off", detail: expect.stringMatching(/may not log in/) as string }],
    [
      "VALID UNTIL '2020-01-01'",
      { kind: "login-off", detail: expect.stringMatching(/time is over/) as string },
    ],
    ["PASSWORD NULL", { kind: "login-without-password" }],
  ])("%s", async (change, finding) => {
    await asSuperuser(sandbox, `ALTER ROLE shop_local_legacy ${change}`);
    const { code, findings } = await status();
    expect(code).toBe(1);
    expect(findings).toMatchObject([{ subject: "shop_local_legacy", ...finding }]);
  });

  test("one that is not there", async () => {
    await asSuperuser(sandbox, "ALTER ROLE shop_local_legacy RENAME TO away");
    const { findings } = await status();
    await asSuperuser(sandbox, "ALTER ROLE away RENAME TO shop_local_legacy");
    // The other lasts, the engine's login is ADMIN of it, and no static role keeps it.
    const found = [{ subject: "away" }, { subject: "away" }];
    expect(findings).toMatchObject([...found, { kind: "missing-login", subject: "shop_local_legacy" }]);
  });

  test("one that two static roles set the password of", async () => {
    const vault = sandbox.vault.client();
    const { data } = await vault.read(`${MOUNT}/config/${DATABASE}`);
    const allow = (roles: unknown) => vault.write(`${MOUNT}/config/${DATABASE}`, { allowed_roles: roles });
    await allow(["*"]);
    const role = { db_name: DATABASE, username: "shop_local_legacy", rotation_period: 86_400 };
    await vault.write(`${MOUNT}/static-roles/second`, role);
    const { findings } = await status();
    await vault.delete(`${MOUNT}/static-roles/second`);
    await allow(data?.allowed_roles);
    expect(findings).toMatchObject([
      {
        kind: "shared-login",
        subject: "shop_local_legacy",
        detail: expect.stringContaining("legacy and second") as string,
      },
    ]);
  });
});

test("finds an AppRole that failed logins have locked out", async () => {
  const { role_id, login_path } = scenario.outputs.approles["shop-local-api"]!;
  const anybody = sandbox.vault.client().withToken(undefined);
  for (let attempt = 0; attempt < 6; attempt++) {
    await anybody.write(login_path, { role_id, secret_id: "ended" }).catch(() => undefined);
  }
  const { code, findings } = await status();
  expect(code).toBe(1);
  expect(findings).toMatchObject([{ kind: "locked-approle", subject: "shop-local-api" }]);
  const unlock = /sys\/locked-users\/\S+/.exec(findings[0]?.remedy ?? "")?.[0] ?? "";
  await sandbox.vault.client().write(unlock);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
});

test("with a token of the rights before says what it did not look at, and not that nothing is amiss", async () => {
  const vault = sandbox.vault.client();
  const file = path.resolve(__dirname, "../../docs/rights/operator-policy.hcl");
  const policy = fs.readFileSync(file, "utf8");
  const without = (text: string, name: string) =>
    text.replace(new RegExp(`path "${name.replaceAll(/[+]/g, "\\+")}" \\{[^}]*\\}`), "");
  const earlier = [
    ...["+/database/roles/", "+/database/roles/+", "+/database/static-roles/", "sys/locked-users"],
    ...["auth/+/approle/role/+", "auth/+/approle/role/+/role-id"],
    ...["sys/policies/acl/+/database/creds/+", "sys/policies/acl/+/database/static-creds/+"],
  ];
  await vault.write("sys/policies/acl/earlier", { policy: earlier.reduce(without, policy) });
  const { auth } = await vault.write("auth/token/create", { policies: ["earlier"], no_default_policy: true });
  const { code, out } = await scenario.run("status", [], { VAULT_TOKEN: auth?.client_token });
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(out).toMatch(
    /roles were not compared[^]*Static roles of others[^]*locked an AppRole out was not looked at/,
  );
  expect(out).toMatch(
    /shop-local-web and the RoleID were not compared[^]*The policies shop-local\/\S+, [^]*were not compared with the declared/,
  );
  expect(out).toContain("Nothing is amiss in what was looked at.");
});

describe("without PostgreSQL", () => {
  test("looks at Vault, and says what it needs for the rest", async () => {
    const { code, out } = await scenario.run("status", [], { PGUSER: "" });
    expect(code).toBe(0);
    expect(out).toMatch(/PostgreSQL was not looked at. Set PGUSER .*docs\/rights\/operator-login\.sql/);
    expect(out).toMatch(/^ {2}reader +\d/m);
  });

  test.each([
    ["a wrong password", { PGPASSWORD: "wrong" }, /does not let credentials_operator in: password auth/],
    [
      "a port where nothing is",
      { PGPORT: "9" },
      /127\.0\.0\.1:9 does not answer: .*ECONNREFUSED[^]*amiss in what was looked at\./,
    ],
  ])("because of %s, looks at Vault and fails", async (_, changes, message) => {
    const { code, out } = await scenario.run("status", [], changes);
    expect(code).toBe(1);
    expect(out).toMatch(message);
    expect(out).toMatch(/^ {2}reader +\d/m);
  });
});

describe("cannot be told", () => {
  test("with a token that is none", async () => {
    const { code, out, err } = await scenario.run("status", [], { VAULT_TOKEN: "wr0ng-t0ken" });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/403 .*permission denied[^]*Is the token valid/);
    expect(err).not.toContain("wr0ng-t0ken");
  });

  test("with the token of another program, whose rights are others", async () => {
    const { vaultToken } = sandbox.verifier;
    expect(await scenario.run("status", [], { VAULT_TOKEN: vaultToken })).toMatchObject({ code: 2, out: "" });
  });

  test("while Vault is down", async () => {
    await sandbox.vault.stop();
    const { code, out, err } = await scenario.run("status");
    await sandbox.vault.start();
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/Vault does not answer: .*ECONNREFUSED/);
  });
});

async function pidOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]!.pid;
}

function revokeAll(): Promise<unknown> {
  return sandbox.vault.client().write(`sys/leases/revoke-prefix/${MOUNT}/creds`, { sync: true });
}

/** As after six revocations that failed: the mark is in the lease's entry in the storage, which is read at the start. */
async function makeIrrevocable(leaseId: string): Promise<void> {
  const vault = sandbox.vault.client();
  const entry = `sys/raw/sys/expire/id/${leaseId}`;
  const { data } = await vault.read(entry);
  const lease = JSON.parse(String(data?.value)) as object;
  await vault.write(entry, {
    value: JSON.stringify({
      ...lease,
      expire_time: new Date().toISOString(),
      revokeErr: "made so by a test",
    }),
  });
  await sandbox.vault.stop();
  await sandbox.vault.start();
}
