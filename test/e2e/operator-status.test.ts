import * as fs from "node:fs";
import * as path from "node:path";
import type { StatusReport } from "../../cli/status-report";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
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

test("counts the leases of a role that another stack has on the engine", async () => {
  await revokeAll();
  const vault = sandbox.vault.client();
  const { data } = await vault.read(`${MOUNT}/roles/reader`);
  await vault.write(`${MOUNT}/config/${DATABASE}`, { allowed_roles: ["*"] });
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
});

test("for people is a table, and tells no secret", async () => {
  const credential = await web.issue("reader");
  const { code, out, err } = await scenario.run("status");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^ {2}ROLE +LEASES +OLDEST +NEXT END +READ BY$/m);
  expect(out).toMatch(/^ {2}legacy +shop_local_legacy +\S+ \S+ ago +1 d +shop-local-web$/m);
  expect(out).toContain("Nothing is amiss.");
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
  });
  const { code } = await scenario.run("revoke", ["--lease", credential.leaseId, "--yes"]);
  expect(code).toBe(0);
  expect(
    await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`),
  ).toEqual([]);
  expect(await status()).toMatchObject({ code: 0, findings: [] });
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
    ["a port where nothing is", { PGPORT: "9" }, /127\.0\.0\.1:9 does not let .* in: .*ECONNREFUSED/],
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
