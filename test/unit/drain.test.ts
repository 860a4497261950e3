import { drain } from "../../cli/drain";
import { servedBy } from "../../cli/serves";
import { VaultError, type VaultClient } from "../../cli/vault-client";
import { OUTPUTS } from "./operator-outputs";

// What waits for a server has nothing to wait for here.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const TOO_LONG = new Error("no answer within 30 s");

/** A server with that many leases, of which each request to revoke ends some; it answers as it is told. */
function server(
  leases: number,
  revoke: (left: number) => { left: number; error?: Error },
  allowed: readonly string[] = [],
  revokeOne: () => Error | undefined = () => new Error("permission denied"),
) {
  let left = leases;
  const asked: string[] = [];
  const client = {
    done: (path: string) => {
      asked.push(path);
      if (path === "sys/leases/revoke") {
        const error = revokeOne();
        if (error !== undefined) return Promise.reject(error);
        left--;
      }
      if (!path.startsWith("sys/leases/revoke-prefix/")) return Promise.resolve();
      const answer = revoke(left);
      left = answer.left;
      return answer.error === undefined ? Promise.resolve() : Promise.reject(answer.error);
    },
    read: () => Promise.resolve({ data: { allowed_roles: allowed } }),
    list: (path: string) =>
      Promise.resolve(
        path.endsWith("/creds/reader") ? Array.from({ length: left }, (_, index) => `lease-${index}`) : [],
      ),
  } as unknown as VaultClient;
  return { client, asked };
}

test("ends more credentials than one request can, in as many as it takes", async () => {
  const { client, asked } = server(5_000, (left) =>
    left > 1_000 ? { left: left - 1_000, error: TOO_LONG } : { left: 0 },
  );
  await drain(OUTPUTS, client);
  expect(asked.filter((path) => path.includes("revoke-prefix"))).toHaveLength(5);
  expect(asked[0]).toMatch(/\/config\//);
}, 30_000);

test("says why where a credential cannot be revoked", async () => {
  const { client, asked } = server(3, (left) => ({
    left: Math.max(left - 1, 2),
    error: new Error("permission denied"),
  }));
  await expect(drain(OUTPUTS, client)).rejects.toThrow(
    /^2 credentials could not be revoked, and no other is left: x\/database\/creds\/reader\/lease-0 \(permission denied\), /,
  );
  expect(asked.filter((path) => path.includes("revoke-prefix"))).toHaveLength(2);
});

test("says what stopped the engine where the token may not revoke one by itself, as that of who deploys", async () => {
  const stopped = (left: number) => ({ left, error: new Error("failed to revoke lease-1") });
  const refusal = new VaultError("PUT", "sys/leases/revoke", 403, ["permission denied"]);
  const { client } = server(4, stopped, [], () => refusal);
  await expect(drain(OUTPUTS, client)).rejects.toThrow("failed to revoke lease-1");
});

test("ends each by itself where one stops the engine, and tries again what waited too long", async () => {
  const stopped = (left: number) => ({ left, error: new Error("failed to revoke lease-1") });
  const answers = [TOO_LONG, undefined, TOO_LONG, undefined, undefined, undefined];
  const { client, asked } = server(4, stopped, [], () => answers.shift());
  await drain(OUTPUTS, client);
  expect(asked.filter((path) => path === "sys/leases/revoke")).toHaveLength(6);
});

test("says that something else lets the connection issue again", async () => {
  const { client, asked } = server(1, () => ({ left: 0 }), ["reader"]);
  await expect(drain(OUTPUTS, client)).rejects.toThrow(/goes on issuing for reader/);
  expect(asked).toEqual(["x/database/config/x"]);
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
