import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { FakeShell } from "../sandbox/fake-shell";
import { FULL } from "../security/servers";
import { FakeVault, HEALTH, http, json, type Answer } from "./fake-vault";
import { OUTPUTS } from "./operator-outputs";

// What waits for a server has nothing to wait for here.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const TOKEN = "the-operators-token";

let folder: string;
let elsewhere: FakeVault;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "answers-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
  elsewhere = await FakeVault.start();
});
afterAll(async () => {
  await elsewhere.stop();
  fs.rmSync(folder, { recursive: true });
});

/** Commands whose every request has to be answered as it should, and what they say when they are done. */
const COMMANDS: readonly (readonly [args: readonly string[], done: RegExp])[] = [
  [["status", "dev"], /Nothing is amiss/],
  [["status", "dev", "--json"], /"findings": \[\]/],
  [["drain", "dev", "--yes"], /No credential is left/],
  [["revoke", "dev", "--all", "--yes"], /Ended: 2 credentials/],
  [["revoke", "dev", "--role", "reader", "--yes"], /Ended: 1 credential/],
  [["revoke", "dev", "--approle", "api", "--yes"], /Ended: 1 SecretID, 1 token/],
  [["revoke", "dev", "--lease", "x/database/creds/reader/one", "--yes"], /Ended: 1 credential/],
  [["secret-id", "dev", "api"], /^w0$/m],
  [["secret-id", "dev", "api", "--unwrap-to", "SECRET"], /secret-id-\d+$/m],
];
/** Those that look at PostgreSQL afterwards, where nobody listens. */
const ROTATIONS: typeof COMMANDS = [
  [["rotate-root", "dev"], /has a new password/],
  [["rotate", "dev", "legacy"], /has a new password/],
];

let secrets = 0;
async function run(vault: FakeVault, args: readonly string[]) {
  const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: TOKEN });
  const secret = path.join(folder, `secret-id-${secrets++}`);
  const outputs = ["--outputs", path.join(folder, "outputs.json")];
  const code = await main([...args.map((arg) => (arg === "SECRET" ? secret : arg)), ...outputs], shell);
  return { code, out: shell.out.join("\n"), err: shell.err.join("\n"), wrote: fs.existsSync(secret) };
}

async function withVault<T>(use: (vault: FakeVault) => Promise<T>): Promise<T> {
  const vault = await FakeVault.start();
  try {
    return await use(vault);
  } finally {
    await vault.stop();
  }
}

const HTML = "<!doctype html><title>Sign in</title>\u001b[2J";
const redirect = (status: number, location?: string) =>
  http(`${status} Redirect`, location === undefined ? {} : { Location: location }, "");

/** What a balancer, another program or a server in trouble answers. */
const WRONG: readonly (readonly [what: string, answer: (vault: FakeVault, path: string) => Answer])[] = [
  ...[301, 302, 303, 307, 308].flatMap((status) => [
    [
      `${status} elsewhere`,
      (_: FakeVault, at: string) => redirect(status, `${elsewhere.address}/v1/${at}`),
    ] as const,
    [`${status} without a place`, () => redirect(status)] as const,
  ]),
  ["307 round and round", ({ address }, at) => redirect(307, `${address}/v1/${at}`)],
  ["302 to a page of the same server", ({ address }) => redirect(302, `${address}/login`)],
  ["307 to no place", () => redirect(307, "http://[")],
  ["307 with a password", ({ address }, at) => redirect(307, `${address.replace("//", "//u:p@")}/v1/${at}`)],
  ["300", () => redirect(300)],
  ["304", () => redirect(304)],
  ["200 with HTML", () => http("200 OK", { "Content-Type": "text/html" }, HTML)],
  ["200 with nothing", () => http("200 OK", {}, "")],
  ...[
    "{}",
    "[]",
    "null",
    '"ok"',
    '{"status":"ok"}',
    '{"data":null}',
    '{"errors":[]}',
    '{"data":',
    '{"request_id":""}',
  ].map(
    (text) =>
      [`200 with ${text}`, () => http("200 OK", { "Content-Type": "application/json" }, text)] as const,
  ),
  [
    "200 with half of its length",
    () => http("200 OK", { "Content-Length": "9999" }, '{"request_id":"r","data":{}}'),
  ],
  [
    "200 with a chunk that ends early",
    () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1e\r\n{"request_id":"r","data":{}}',
  ],
  ...[201, 202, 203, 206].map(
    (status) => [`${status}`, () => json(status, { request_id: "r", data: { keys: ["a"] } })] as const,
  ),
  ["100 and no more", () => "HTTP/1.1 100 Continue\r\n\r\n"],
  ["101", () => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
  ["no answer", () => ""],
  ...[429, 472, 473, 501, 503].map(
    (status) => [`${status} as of sys/health`, () => json(status, HEALTH)] as const,
  ),
  ...[400, 403, 404, 500, 502, 503].flatMap((status) => [
    [`${status} with HTML`, () => http(`${status} Trouble`, { "Content-Type": "text/html" }, HTML)] as const,
    [`${status} with nothing`, () => http(`${status} Trouble`, {}, "")] as const,
  ]),
  ["503 of a sealed server", () => json(503, { errors: ["Vault is sealed"] })],
];

/** A wrong answer must end a command without its last word, and without the token going elsewhere. */
async function expectFailure(
  vault: FakeVault,
  args: readonly string[],
  done: RegExp,
  what: string,
): Promise<void> {
  const { code, out, err, wrote } = await run(vault, args);
  const seen = { what, args: args.join(" "), at: vault.seen.length, done: done.test(out), wrote };
  expect({ ...seen, code, err }).toEqual({
    ...seen,
    done: false,
    wrote: false,
    code: expect.any(Number) as number,
    err,
  });
  expect([seen, code]).not.toEqual([seen, 0]);
  expect([seen, err]).toEqual([seen, expect.stringMatching(/\S/)]);
  expect(err).not.toContain(TOKEN);
  expect(err).not.toContain("\u001b");
  expect(err).not.toMatch(/\n\s+at /);
}

afterEach(() => expect(elsewhere.seen).toEqual([]));

test.each(COMMANDS)("%j is done where Vault answers as it should", async (args, done) => {
  await withVault(async (vault) => {
    const { code, out, err } = await run(vault, args);
    expect({ code, err }).toEqual({ code: 0, err: expect.not.stringMatching(/./) as string });
    expect(out).toMatch(done);
  });
});

test.each(WRONG)("no command takes %s to every request for success", async (what, answer) => {
  for (const [args, done] of [...COMMANDS, ...ROTATIONS, [["verify", "dev"], / checks: /] as const]) {
    await withVault(async (vault) => {
      vault.instead = ({ path: at }) => answer(vault, at);
      await expectFailure(vault, args, done, what);
      expect(vault.seen.filter(({ token }) => token !== undefined)).toEqual([]);
    });
  }
});

test.each([...COMMANDS, ...ROTATIONS])(
  "%j takes a wrong answer to none of its requests for success",
  async (args, done) => {
    const usual = await withVault(async (vault) => {
      await run(vault, args);
      return vault.seen.length;
    });
    for (let index = 1; index < usual; index++) {
      // Each wrong answer comes to one of the requests in turn; in the full set to all of them.
      const answers = FULL ? WRONG : WRONG.filter((_, turn) => turn % usual === index % usual);
      for (const [what, answer] of answers) {
        await withVault(async (vault) => {
          vault.instead = ({ path: at }, turn) => (turn >= index ? answer(vault, at) : undefined);
          await expectFailure(vault, args, done, what);
        });
        await withVault(async (vault) => {
          vault.instead = ({ path: at }, turn) => (turn === index ? answer(vault, at) : undefined);
          await expectFailure(vault, args, done, `once ${what}`);
        });
      }
    }
  },
);
