import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, type Credential } from "../e2e/credential";
import { credsPath, DATABASE, deployMatrix, ENGINE, roleOf } from "./fixture";
import { FULL } from "./servers";
import { LEVELS } from "./statements";

jest.setTimeout(300_000);

/** Requests at a time, and leases that live at once. */
const CONCURRENT = FULL ? 500 : 50;
const LIVE = FULL ? 1000 : 100;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  await deployMatrix(sandbox);
});
afterAll(() => sandbox?.stop());

const CATALOGS = ["pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_shdepend", "pg_default_acl"];

/** Rows of the catalogs in which a login leaves something. */
async function catalogs(): Promise<Record<string, unknown>> {
  const rows = CATALOGS.map((name) => asSuperuser(sandbox, `SELECT count(*)::int FROM ${name}`, DATABASE));
  const counts = (await Promise.all(rows)).flat();
  return Object.fromEntries(CATALOGS.map((name, index) => [name, counts[index]]));
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await work(), (performance.now() - start) / 1000];
}

test(`${CONCURRENT} requests at a time, and ${LIVE} live credentials, without an error and without a trace`, async () => {
  const roles = LEVELS.flatMap((level) => [roleOf(level, "terminate"), roleOf(level, "drain")]);
  const roleAt = (index: number) => roles[index % roles.length] ?? "";
  await issue(sandbox, credsPath(roleAt(0))); // so that the engine's connections are open
  await revokeAll();
  const before = await catalogs();

  const issueMany = (count: number, from: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => issue(sandbox, credsPath(roleAt(from + index)))));
  const credentials: Credential[] = [];
  const [first, issuing] = await timed(() => issueMany(CONCURRENT, 0));
  credentials.push(...first);
  while (credentials.length < LIVE) {
    credentials.push(
      ...(await issueMany(Math.min(CONCURRENT, LIVE - credentials.length), credentials.length)),
    );
  }
  expect(new Set(credentials.map(({ username }) => username)).size).toBe(LIVE);
  // Some of them in use.
  const sessions = await Promise.all(
    credentials.slice(0, 12).map((credential) => connect(sandbox, credential, DATABASE)),
  );

  const [, revoking] = await timed(revokeAll);
  expect(await catalogs()).toEqual(before);
  const left = await Promise.all(
    roles.map((role) => sandbox.vault.client().list(`sys/leases/lookup/${credsPath(role)}`)),
  );
  expect(left.flat()).toEqual([]);
  await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
  announce(
    `${CONCURRENT} at a time issued in ${issuing.toFixed(1)} s (${Math.round(CONCURRENT / issuing)} a second), ` +
      `${LIVE} revoked in ${revoking.toFixed(1)} s (${Math.round(LIVE / revoking)} a second)`,
  );
});

async function revokeAll(): Promise<void> {
  await sandbox.vault.client().write(`sys/leases/revoke-prefix/${ENGINE}/creds`, { sync: true });
}
