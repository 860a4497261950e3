import { drain } from "../../cli/drain";
import { describeError } from "../../cli/errors";
import { servedBy } from "../../cli/serves";
import { VaultError, type VaultClient } from "../../cli/vault-client";
import { OUTPUTS } from "./operator-outputs";

// What waits for a server has nothing to wait for here.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const TOO_LONG = new Error("no answer within 30 s");

/** A client that does these alone. */
function standIn(parts: object): VaultClient {
  const client = { ...parts, withoutWaiting: () => client } as unknown as VaultClient;
  return client;
}

/** A server with that many leases, of which each request to revoke ends some; it answers as it is told. */
function server(
  leases: number,
  revoke: (left: number) => { left: number; error?: Error },
  allowed: readonly string[] = [],
) {
  let left = leases;
  const asked: string[] = [];
  const client = standIn({
    done: (path: string) => {
      asked.push(path);
      if (path !== "sys/leases/revoke-prefix/x/database/creds") return Promise.resolve();
      const answer = revoke(left);
      left = answer.left;
      return answer.error === undefined ? Promise.resolve() : Promise.reject(answer.error);
    },
    read: () => Promise.resolve({ data: { allowed_roles: allowed } }),
    list: (path: string) =>
      Promise.resolve(
        path.endsWith("/creds/reader") ? Array.from({ length: left }, (_, index) => `lease-${index}`) : [],
      ),
  });
  return { client, asked };
}

test("ends more credentials than one request can, in as many as it takes", async () => {
  const { client, asked } = server(5_000, (left) =>
    left > 1_000 ? { left: left - 1_000, error: TOO_LONG } : { left: 0 },
  );
  await drain(OUTPUTS, client);
  const requests = asked.filter((path) => !path.includes("/creds/"));
  expect(requests).toEqual([
    "x/database/config/x",
    ...Array<string>(5).fill("sys/leases/revoke-prefix/x/database/creds"),
  ]);
  // Writing the configuration closes the engine's connection, which may be the last that PostgreSQL lets in.
  expect(asked[0]).toMatch(/\/creds\/reader\/lease-0$/);
}, 30_000);

const refused = (words: string) => new VaultError("PUT", "sys/leases/revoke-prefix", 400, [words]);

test("ends each of the others by itself where some cannot be revoked, and names those, with their causes", async () => {
  const stuck = new Map([
    [
      "lease-0",
      "failed to revoke entry: resp: (*logical.Response)(nil) err: rpc error: of it (SQLSTATE 55000)",
    ],
    ["lease-3000", "of the other (SQLSTATE 55P03)"],
  ]);
  const leases = new Set(Array.from({ length: 5_000 }, (_, index) => `lease-${index}`));
  const queued: string[] = [];
  let [atOnce, most, prefixes, lists] = [0, 0, 0, 0];
  const queue = (path: string, body: object) => {
    expect(body).toEqual({ sync: false });
    queued.push(path.split("/").at(-1) ?? "");
    return Promise.resolve();
  };
  const done = async (path: string) => {
    if (!path.startsWith("sys/leases/revoke-prefix/")) return;
    const lease = path.split("/").at(-1) ?? "";
    if (lease === "creds") {
      prefixes++;
      throw refused("as the first says");
    }
    most = Math.max(most, ++atOnce);
    await Promise.resolve();
    atOnce--;
    const words = stuck.get(lease);
    if (words !== undefined) throw refused(words);
    leases.delete(lease);
  };
  const list = (path: string) => {
    lists++;
    return Promise.resolve(path.endsWith("/creds/reader") ? [...leases] : []);
  };
  const read = () => Promise.resolve({ data: { allowed_roles: [] } });
  const error = await drain(OUTPUTS, standIn({ done, queue, list, read })).catch((thrown: unknown) => thrown);
  expect([...leases]).toEqual([...stuck.keys()]);
  expect(queued.sort()).toEqual([...stuck.keys()]);
  expect(describeError(error)).toMatch(
    /^2 credentials could not be revoked:\n {2}rpc error: of it \(SQLSTATE 55000\): x\/\S*\/lease-0\n {2}of the other \(SQLSTATE 55P03\): \S*\/lease-3000\nVault tries again by itself/,
  );
  expect(most).toBeLessThanOrEqual(4);
  expect(prefixes).toBe(1);
  expect(lists).toBeLessThan(20);
});

test("does not try thousands where the engine does not reach its database", async () => {
  let tried = 0;
  let queued = 0;
  const queue = () => Promise.resolve(void queued++);
  const done = (path: string) => {
    if (!path.startsWith("sys/leases/revoke-prefix/")) return Promise.resolve();
    if (path.split("/").at(-1) !== "creds") tried++;
    return Promise.reject(refused("failed to connect to `user=x`"));
  };
  const list = (path: string) =>
    Promise.resolve(
      path.endsWith("/creds/reader") ? Array.from({ length: 5_000 }, (_, index) => `l-${index}`) : [],
    );
  const read = () => Promise.resolve({ data: { allowed_roles: [] } });
  await expect(drain(OUTPUTS, standIn({ done, queue, list, read }))).rejects.toThrow(
    /^5000 credentials could not be revoked:\n {2}failed to connect to [^]*\n {2}not tried, since 2\d others failed/,
  );
  expect(tried).toBeLessThan(40);
  expect(queued).toBe(5_000);
});

test("tries each where a database answers with an error for many", async () => {
  let tried = 0;
  const queue = () => Promise.resolve();
  const done = (path: string) => {
    if (!path.startsWith("sys/leases/revoke-prefix/")) return Promise.resolve();
    if (path.split("/").at(-1) !== "creds") tried++;
    return Promise.reject(refused("failed to connect to, says its name (SQLSTATE 2BP01)"));
  };
  const list = (path: string) =>
    Promise.resolve(
      path.endsWith("/creds/reader") ? Array.from({ length: 100 }, (_, index) => `l-${index}`) : [],
    );
  const read = () => Promise.resolve({ data: { allowed_roles: [] } });
  await expect(drain(OUTPUTS, standIn({ done, queue, list, read }))).rejects.toThrow(/^100 /);
  // Some were tried before the engine was stopped.
  expect(tried - 100).toBeLessThan(8);
});

test("says that something else lets the connection issue again", async () => {
  const { client, asked } = server(1, () => ({ left: 0 }), ["reader"]);
  await expect(drain(OUTPUTS, client)).rejects.toThrow(/goes on issuing for reader/);
  expect(asked).toEqual(["sys/leases/revoke-prefix/x/database/creds/reader/lease-0", "x/database/config/x"]);
});

// As the engine takes them: operator-revoke.test.ts asks it.
test.each([
  ["reader", "reader", true],
  ["reader", "readers", false],
  ["read*", "reader", true],
  ["read*", "read", true],
  ["read*", "a-reader", false],
  ["*er", "reader", true],
  ["*er", "readers", false],
  ["a*a", "a", false],
  ["a*a", "aa", true],
  ["*a*b*", "ba", false],
  ["*a*b*", "xaxbx", true],
  ["a*b*b", "ab", false],
  ["**", "reader", true],
  ["", "reader", false],
])("the entry %j serves the role %s: %s", (entry, role, expected) => {
  expect(servedBy(["other", entry], role)).toBe(expected ? entry : undefined);
});
