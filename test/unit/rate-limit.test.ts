import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { FakeShell } from "../sandbox/fake-shell";
import { FakeVault, HEALTH, http, json, type Seen } from "./fake-vault";
import { OUTPUTS } from "./operator-outputs";

const waits: number[] = [];
jest.mock("node:timers/promises", () => ({
  setTimeout: (milliseconds: number) => {
    waits.push(milliseconds);
    return Promise.resolve();
  },
}));

jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "limits-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
let vault: FakeVault;
beforeEach(async () => {
  waits.length = 0;
  vault = await FakeVault.start();
});
afterEach(() => vault.stop());

async function run(args: readonly string[]) {
  const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: "t" });
  const code = await main([...args, "--outputs", path.join(folder, "outputs.json")], shell);
  return { code, out: shell.out.join("\n"), err: shell.err.join("\n") };
}

const limited = (retryAfter?: string) =>
  http(
    "429 Too Many Requests",
    { "Content-Type": "application/json", ...(retryAfter !== undefined && { "Retry-After": retryAfter }) },
    JSON.stringify({ errors: ['request path "x": rate limit quota exceeded'] }),
  );

const COMMANDS: readonly (readonly [args: readonly string[], done: RegExp])[] = [
  [["status", "dev"], /Nothing is amiss/],
  [["drain", "dev", "--yes"], /No credential is left/],
  [["revoke", "dev", "--all", "--yes"], /Ended: 2 credentials/],
  [["revoke", "dev", "--role", "reader", "--yes"], /Ended: 1 credential/],
  [["revoke", "dev", "--approle", "api", "--yes"], /Ended: 1 SecretID, 1 token/],
  [["revoke", "dev", "--lease", "x/database/creds/reader/one", "--yes"], /Ended: 1 credential/],
  [["secret-id", "dev", "api"], /^w0$/m],
];

test.each(COMMANDS)("%j waits for its turn at each request, and is done", async (args, done) => {
  const put = new Set<string>();
  // Each request is put off once.
  vault.instead = ({ method, path: at, body }: Seen) => {
    const request = `${method} ${at} ${JSON.stringify(body)}`;
    if (put.has(request)) return undefined;
    put.add(request);
    return limited();
  };
  const { code, out, err } = await run(args);
  expect({ code, err }).toEqual({
    code: 0,
    err: expect.stringMatching(/limits the rate of requests/) as string,
  });
  expect(out).toMatch(done);
  // Little is said of it.
  expect(err.split("\n")).toHaveLength(1);
});

test("waits as long as the server says, else longer each time, and not for ever", async () => {
  vault.instead = ({ path: at }) => (at.startsWith("sys/leases/revoke-prefix") ? limited("7") : undefined);
  const { code, err } = await run(["revoke", "dev", "--all", "--yes"]);
  expect(code).toBe(2);
  expect(err).toMatch(/asking again in 7 s, for 5 min at most[^]*429 .*rate limit quota exceeded/);
  expect(waits.every((wait) => wait >= 7_000 && wait < 8_000)).toBe(true);
  const all = waits.reduce((sum, wait) => sum + wait, 0);
  expect(all).toBeGreaterThan(290_000);
  expect(all).toBeLessThanOrEqual(300_000);
  waits.length = 0;
  vault.instead = ({ path: at }) => (at.startsWith("sys/leases/revoke-prefix") ? limited() : undefined);
  await run(["revoke", "dev", "--all", "--yes"]);
  expect(waits.slice(0, 3).map((wait) => Math.floor(wait / 1_000))).toEqual([expect.any(Number), 1, 2]);
  expect(Math.max(...waits)).toBeLessThan(16_000);
});

test("does not wait for a quota of leases, nor for what is no refusal of Vault's", async () => {
  for (const body of [{ errors: ['request path "x": lease count quota exceeded'] }, HEALTH]) {
    vault.instead = ({ path: at }) => (at === "sys/leases?type=irrevocable" ? json(429, body) : undefined);
    expect((await run(["revoke", "dev", "--all", "--yes"])).code).toBe(2);
  }
  expect(waits).toEqual([]);
});

test.each(COMMANDS.filter(([[name]]) => name === "revoke").map(([args]) => args))(
  "%s %s %s looks at tokens only where it ends tokens",
  async (...args) => {
    await run(args);
    const before = vault.seen.slice(
      0,
      vault.seen.findIndex(({ method, path: at }) => method === "PUT" && /revoke|destroy/.test(at)),
    );
    expect(before.some(({ path: at }) => at.startsWith("auth/token/"))).toBe(args.includes("--approle"));
    expect(before.some(({ path: at }) => at.includes("secret-id"))).toBe(args.includes("--approle"));
    // Each lease's times are for the look at PostgreSQL, and for those that end with tokens.
    if (!args.includes("--approle")) expect(before.length).toBeLessThan(10);
  },
);

test("revoke --approle looks at each token of the namespace once", async () => {
  await run(["revoke", "dev", "--approle", "api", "--yes"]);
  const asked = vault.seen.filter(({ path: at }) => at === "auth/token/lookup-accessor");
  expect(asked.map(({ body }) => body.accessor).sort()).toEqual(["a1", "root"]);
});
