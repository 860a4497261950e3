import { FallbackPool, type FallbackPoolOptions, type Taken } from "../../examples/shared/fallback-pool";
import { Duration } from "../../lib";
import { asSuperuser } from "./credential";
import { CREDS, Dashboard } from "./dashboard-scenario";

jest.setTimeout(180_000);

const TTL = 4;
const MAX_TTL = 12;
const SHORT = {
  defaultTtl: Duration.seconds(TTL),
  maxTtl: Duration.seconds(MAX_TTL),
  credentialsPerSecond: 50,
};

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await Dashboard.start();
  await dashboard.deploy(SHORT);
  await dashboard.prepareSources();
});
afterAll(() => dashboard?.sandbox.stop());

/** A dashboard at work: eight askers without a pause, until the story is told. */
async function whileAsking(
  options: Partial<FallbackPoolOptions>,
  story: (pool: FallbackPool, taken: readonly Taken[]) => Promise<void>,
): Promise<{ taken: Taken[]; served: number; failures: unknown[] }> {
  const taken: Taken[] = [];
  const errors: string[] = [];
  const pool = await FallbackPool.open({
    ...(await dashboard.sources()),
    ssl: false,
    max: 3,
    retrySeconds: 0.5,
    onTaken: (each) => taken.push(each),
    onError: ({ message }) => errors.push(message),
    ...options,
  });
  let running = true;
  let served = 0;
  const failures: unknown[] = [];
  const askers = Array.from({ length: 8 }, async () => {
    while (running) {
      await pool.query("SELECT id FROM report, pg_sleep(0.01)").then(
        () => served++,
        (error: unknown) => failures.push(error),
      );
    }
  });
  try {
    await story(pool, taken);
  } finally {
    running = false;
    await Promise.all(askers);
    await pool.close();
  }
  dashboard.expectNoSecret(JSON.stringify([taken, errors, failures.map(String)]));
  return { taken, served, failures };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 40): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

test("a lease is renewed after 75 % of its time, and at its longest time another login is read, without a failed query", async () => {
  const begun = Date.now();
  const renewals: number[] = [];
  const onRenewed = () => renewals.push((Date.now() - begun) / 1000);
  const { taken, served, failures } = await whileAsking({ onRenewed }, async (_pool, seen) => {
    await until("there were two changes of the login", () => seen.length === 3);
  });
  // At 3 and 6 s; at 9 s Vault grants the 3 s that are left until the longest time.
  const [first = 0, second = 0] = renewals;
  expect(first).toBeGreaterThan(0.74 * TTL);
  expect(first).toBeLessThan(TTL);
  expect(second - first).toBeGreaterThan(0.74 * TTL);
  expect(second - first).toBeLessThan(TTL);
  expect(taken.map(({ source }) => source)).toEqual(["dynamic", "dynamic", "dynamic"]);
  expect(new Set(taken.map(({ username }) => username)).size).toBe(3);
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(300);
});

test("the part after which it is renewed is an option", async () => {
  const begun = Date.now();
  let renewed = 0;
  await whileAsking({ renewAt: 0.25, onRenewed: () => (renewed ||= Date.now() - begun) }, async () => {
    await until("the lease was renewed", () => renewed > 0);
  });
  expect(renewed).toBeGreaterThan(0.24 * TTL * 1000);
  expect(renewed).toBeLessThan(0.7 * TTL * 1000);
});

test("a pool whose Vault is down for longer than a lease falls back, and comes back, without a failed query", async () => {
  const { taken, failures } = await whileAsking({}, async (pool) => {
    await dashboard.sandbox.vault.stop();
    await until("it fell back", () => pool.source === "environment");
    await dashboard.sandbox.vault.start();
    await until("it is back with Vault", () => pool.source === "dynamic");
  });
  expect(taken.slice(0, 2).map(({ source }) => source)).toEqual(["dynamic", "environment"]);
  expect(taken[1]?.passed[0]?.reason).toMatch(/^Vault cannot be reached/);
  expect(failures).toEqual([]);
});

test("a pool whose credentials are revoked goes on with others, and only what runs at that moment fails", async () => {
  const connections = 3;
  const { taken, failures } = await whileAsking({ max: connections }, async (_pool, seen) => {
    await dashboard.revokeEach();
    await until("it took another login", () => seen.length === 2);
  });
  expect(taken.map(({ source }) => source)).toEqual(["dynamic", "dynamic"]);
  expect(failures.length).toBeLessThanOrEqual(connections);
});

test("a dashboard moves from the static login to dynamic ones without a failed query, and the static one goes", async () => {
  // As it was before: the dashboard may read no dynamic credentials.
  await dashboard.withdraw(CREDS);
  const { taken, served, failures } = await whileAsking({}, async (pool, seen) => {
    expect(pool.source).toBe("static");
    await until("it worked with the static login", () => seen.length === 1);
    await dashboard.workspace.apply();
    await until("it moved", () => pool.source === "dynamic");
    const sessions = "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'delphi_static'";
    await until("no session of the static login is left", async () => {
      return (await asSuperuser(dashboard.sandbox, sessions))[0] === 0;
    });
    await dashboard.deploy({ ...SHORT, withStaticFallback: false });
    await until("it read another dynamic login afterwards", () => seen.length >= 3);
  });
  expect(taken.slice(0, 3).map(({ source }) => source)).toEqual(["static", "dynamic", "dynamic"]);
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(300);
  expect(
    await asSuperuser(dashboard.sandbox, "SELECT 1 FROM pg_roles WHERE rolname = 'delphi_static'"),
  ).toEqual([]);
  expect(await dashboard.sandbox.vault.client().list("delphi/kv/metadata/delphi/database")).toEqual([
    "config",
  ]);
  await dashboard.deploy(SHORT);
});
