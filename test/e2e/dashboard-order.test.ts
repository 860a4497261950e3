import { resolveLogin, type LoginSources, type Resolution } from "../../examples/shared/resolve-login";
import { connect } from "./credential";
import { CONFIG, CREDS, Dashboard, PASSWORD } from "./dashboard-scenario";

jest.setTimeout(180_000);

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await Dashboard.start();
  await dashboard.deploy();
  await dashboard.prepareSources();
});
afterAll(() => dashboard?.sandbox.stop());

async function resolve(from: LoginSources): Promise<Resolution> {
  return resolveLogin(from, async ({ username, password = "", database }) => {
    const client = await connect(dashboard.sandbox, { username, password, leaseId: "" }, database);
    await client.query("SELECT FROM report").finally(() => client.end());
  });
}

/** What a resolution tells of itself. */
const told = ({ source, login, passed }: Resolution) => ({
  source,
  username: login.username,
  passed: passed.map((each) => `${each.source}: ${each.reason}`),
});

const deniedCreds = `dynamic: Vault denies ${CREDS} to this token`;
afterEach(async () => {
  await dashboard.sandbox.vault.start();
  await dashboard.workspace.apply();
});

test("begins with a dynamic login", async () => {
  const found = await resolve(await dashboard.sources());
  expect(told(found)).toEqual({
    source: "dynamic",
    username: expect.stringMatching(/^v-[0-9a-f]{6}-delphi-r-/) as unknown,
    passed: [],
  });
  expect(found.lease?.seconds).toBe(3600);
});

test("goes on with the static one that Vault keeps, where the right to dynamic ones is taken away", async () => {
  const from = await dashboard.sources();
  await dashboard.withdraw(CREDS);
  expect(told(await resolve(from))).toEqual({
    source: "static",
    username: "delphi_static",
    passed: [deniedCreds],
  });
});

test("goes on with the environment, where the password is not kept any more", async () => {
  const from = await dashboard.sources();
  await dashboard.withdraw(CREDS);
  await dashboard.withdraw(PASSWORD);
  expect(told(await resolve(from))).toEqual({
    source: "environment",
    username: "legacy",
    passed: [deniedCreds, `static: Vault denies ${PASSWORD} to this token`],
  });
});

test("goes on with the environment's single variables, where Vault is down", async () => {
  const from = await dashboard.sources();
  const { host, port } = dashboard.sandbox.postgres;
  const environment = {
    DELPHI_DB_USER: "legacy",
    DELPHI_DB_PASSWORD: dashboard.legacyPassword,
    DELPHI_DB_HOST: host,
    DELPHI_DB_PORT: String(port),
    DELPHI_DB_NAME: "delphi",
  };
  await dashboard.sandbox.vault.stop();
  expect(told(await resolve({ ...from, environment }))).toEqual({
    source: "environment",
    username: "legacy",
    passed: [
      `dynamic: Vault cannot be reached for ${CREDS}: ECONNREFUSED`,
      `static: Vault cannot be reached for ${CONFIG}: ECONNREFUSED`,
    ],
  });
});

test("ends with the defaults, where there is no Vault and nothing in the environment", async () => {
  const from = { ...(await dashboard.sources()), vault: undefined, environment: {} };
  expect(told(await resolve(from))).toEqual({
    source: "defaults",
    username: "delphi",
    passed: [
      "dynamic: no Vault is configured",
      "static: no Vault is configured",
      "environment: neither PG_DSN nor DELPHI_DB_USER is set",
    ],
  });
});

test("passes over logins that PostgreSQL refuses, and tells all reasons and no secret if none is left", async () => {
  const { environment, defaults, ...from } = await dashboard.sources();
  const wrong = {
    ...from,
    environment: { PG_DSN: environment.PG_DSN?.replace("legacy:", "nobody:") },
    defaults: { ...defaults, username: "nobody" },
  };
  await dashboard.withdraw(CREDS);
  await dashboard.withdraw(PASSWORD);
  const failure = await resolve(wrong).then(String, String);
  expect(failure).toBe(
    `Error: No login: ${deniedCreds}; static: Vault denies ${PASSWORD} to this token; ` +
      "environment: PostgreSQL refuses the login; defaults: PostgreSQL refuses the login",
  );
  dashboard.expectNoSecret(failure);
});

test("hides no mistake: a wrong address, path or PG_DSN ends it", async () => {
  const from = await dashboard.sources();
  const vault = { address: "not an address", token: "" };
  await expect(resolve({ ...from, vault })).rejects.toThrow("Invalid URL");
  // A path that is written to, not read.
  const credsPath = "delphi/database/rotate-root/delphi-postgresql";
  const root = { address: dashboard.sandbox.vault.address, token: dashboard.sandbox.vault.rootToken };
  await expect(resolve({ ...from, vault: root, credsPath })).rejects.toMatchObject({ status: 405 });
  const noUrl = {
    ...from,
    vault: undefined,
    environment: { PG_DSN: `host=a password=${dashboard.legacyPassword}` },
  };
  const failure = await resolve(noUrl).then(String, (error: unknown) =>
    JSON.stringify([String(error), error]),
  );
  expect(failure).toContain("PG_DSN is not of the form");
  dashboard.expectNoSecret(failure);
});
