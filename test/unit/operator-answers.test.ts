import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { FakeShell } from "../sandbox/fake-shell";
import { FULL } from "../security/servers";
import { FakeVault, HEALTH, http, json, type Answer } from "./fake-vault";
import type { leaseFinder } from "../../cli/hand-over/lease-of";
import { knownNames } from "../../cli/inventory";
import type { takeUsers as ofUsers } from "../../cli/left-users";
import { OUTPUTS, policyText } from "./operator-outputs";

/** A PostgreSQL in which there is nothing. */
const EMPTY = { query: () => Promise.resolve({ rows: [] }) };
jest.mock("../../cli/operator-login", () => ({
  ...jest.requireActual<object>("../../cli/operator-login"),
  operatorLogin: () =>
    Promise.resolve({ client: EMPTY, isEnded: () => false, close: () => Promise.resolve() }),
}));
/** One user that is waiting for hand-over, whose lease is that of the reader, and from which everything is handed over. */
jest.mock("../../cli/hand-over/ended-users", () => ({
  endedUsers: () => {
    const name = `v-approle-reader-${"x".repeat(20)}-${Math.floor(Date.now() / 1_000) - 1_800}`;
    const numbers = { oid: 1, sessions: 0, dependencies: 1, elsewhere: 0, settings: [] };
    return Promise.resolve([{ name, baseRole: "x_reader", ...numbers }]);
  },
}));
jest.mock("../../cli/hand-over/lease-of", () => ({
  isThere: () => Promise.resolve(false),
  leaseFinder:
    (...[outputs, vault, client]: Parameters<typeof leaseFinder>) =>
    async () => {
      const { takeUsers } = jest.requireActual<{ takeUsers: typeof ofUsers }>("../../cli/left-users");
      const { leases } = await takeUsers(outputs, vault, client, await knownNames(outputs, vault));
      const own = leases.find(({ role }) => role === "reader");
      return own === undefined ? "none" : { id: own.id };
    },
}));
jest.mock("../../cli/hand-over/hand-over", () => ({
  handOver: () => Promise.resolve({ before: 1, left: 0, refused: [] }),
}));
/** What Terraform and cdktf were told to change. */
const changed: string[] = [];
jest.mock("../../cli/terraform", () => ({
  ...jest.requireActual<object>("../../cli/terraform"),
  synthesized: () => Promise.resolve([synthesizedStack()]),
}));
jest.mock("../../cli/destroy-plan", () => ({
  ...jest.requireActual<object>("../../cli/destroy-plan"),
  cdktfDestroy: () => {
    changed.push("destroy");
    return Promise.resolve(0);
  },
}));

// What waits for a server has nothing to wait for here.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

jest.setTimeout(600_000);

const TOKEN = "the-operators-token";

let folder: string;
let elsewhere: FakeVault;
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "answers-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
  fs.mkdirSync(path.join(folder, "stacks/dev"), { recursive: true });
  elsewhere = await FakeVault.start();
});
afterAll(async () => {
  await elsewhere.stop();
  fs.rmSync(folder, { recursive: true });
});

function synthesizedStack() {
  return {
    name: "dev",
    file: path.join(folder, "stacks/dev/cdk.tf.json"),
    terraform: ([command = ""]: readonly string[]) => {
      if (command === "import") changed.push(command);
      return Promise.resolve("");
    },
  };
}

/** The stack's resources on Vault, which is at an address. */
const resourcesAt = (address: string) => ({
  provider: { vault: [{ address }] },
  resource: {
    vault_mount: { It: { path: "x/database", type: "database" } },
    vault_policy: { It: { name: "x/database/creds/reader", policy: policyText("reader") } },
    vault_database_secret_backend_connection: {
      It: { backend: "x/database", name: "x", postgresql: { username: "x_manager" } },
    },
    vault_database_secret_backend_role: { It: { backend: "x/database", name: "reader", db_name: "x" } },
    vault_database_secret_backend_static_role: {
      It: { backend: "x/database", name: "legacy", db_name: "x", username: "x_legacy" },
    },
    vault_approle_auth_backend_role: {
      It: {
        ...{ backend: "x/approle", role_name: "api" },
        token_policies: ["x/database/creds/writer", "x/database/creds/reader"],
      },
    },
  },
});

/** A command, what it says when it is done, and how many leases there are then, if it ends some. */
type Tried = readonly [args: readonly string[], done: RegExp, leases?: number];

/** Commands whose every request has to be answered as it should. */
const COMMANDS: readonly Tried[] = [
  [["status", "dev"], /Nothing is amiss/],
  [["drain", "dev", "--yes"], /No credential is left/, 0],
  [["drain", "dev", "--role", "reader", "--yes"], /No credential of reader is left/, 1],
  [["revoke", "dev", "--all", "--yes"], /Ended: 2 credentials/, 0],
  [["revoke", "dev", "--role", "reader", "--end-sessions", "--yes"], /Ended: 1 credential/, 1],
  [["revoke", "dev", "--role", "reader", "--yes"], /Ended: 1 credential/, 1],
  [["revoke", "dev", "--approle", "api", "--yes"], /Ended: 1 SecretID, 1 token/, 1],
  [["revoke", "dev", "--lease", "x/database/creds/reader/one", "--yes"], /Ended: 1 credential/, 1],
  [["secret-id", "dev", "api"], /^w0$/m],
  [["secret-id", "dev", "api", "--unwrap-to", "SECRET"], /secret-id-\d+$/m],
  [["hand-over", "dev", "--yes"], /Its lease \S+ is revoked/, 1],
  [["destroy", "dev", "--auto-approve"], /No credential is left/, 0],
  [["import", "dev"], /6 resources imported/],
];
/** Those that look at PostgreSQL. */
const WITH_LOGIN = ["hand-over", "destroy", "--end-sessions"];
/** Those that look at PostgreSQL afterwards, where nobody listens. */
const ROTATIONS: readonly Tried[] = [
  [["rotate-root", "dev"], /has a new password/],
  [["rotate", "dev", "legacy"], /has a new password/],
];

let secrets = 0;
async function run(vault: FakeVault, args: readonly string[]) {
  const login = args.some((arg) => WITH_LOGIN.includes(arg)) ? { PGUSER: "operator" } : {};
  const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: TOKEN, ...login });
  const secret = path.join(folder, `secret-id-${secrets++}`);
  const [file, output] = ["outputs.json", ""].map((name) => path.join(folder, name));
  fs.writeFileSync(synthesizedStack().file, JSON.stringify(resourcesAt(vault.address)));
  changed.length = 0;
  const code = await main(
    [...args.map((arg) => (arg === "SECRET" ? secret : arg)), "--outputs", file!, "--output", output!],
    shell,
  );
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
const ROUND = "307 round and round";
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
  [ROUND, ({ address }, at) => redirect(307, `${address}/v1/${at}`)],
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

/** What is wrong with how a command took a wrong answer: it has to end without its last word, and to say why. */
async function faults(vault: FakeVault, [args, done, leases]: Tried): Promise<readonly string[]> {
  const { code, out, err, wrote } = await run(vault, args);
  // What takes several requests is asked for again, and may be done by then.
  const isDone = vault.leasesLeft === leases;
  return [
    ...(code === 0 && !isDone ? ["exit code 0"] : []),
    ...((done.test(out) || wrote) && !isDone ? ["it says that it is done"] : []),
    ...(changed.length > 0 && !isDone ? [`Terraform is told to ${changed[0]}`] : []),
    ...(/\S/.test(err + out) ? [] : ["it says nothing"]),
    ...(`${err}${out}`.includes(TOKEN) ? ["it shows the token"] : []),
    ...(`${err}${out}`.includes("\u001b") ? ["it shows what acts on a terminal"] : []),
    ...(/\n\s+at /.test(err) ? ["it shows a stack trace"] : []),
  ];
}

afterEach(() => expect(elsewhere.seen).toEqual([]));

test.each(COMMANDS.map((tried) => ({ args: tried[0].join(" "), tried })))(
  "$args is done where Vault answers as it should",
  async ({ tried: [args, done] }) => {
    await withVault(async (vault) => {
      const { code, out, err } = await run(vault, args);
      // An import tells of each resource there.
      expect({ code, err: err.replace(/^imported .*$/gm, "").trim() }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(done);
    });
  },
);

// The first request decides, so that in the fast cut a few commands stand for all.
const FIRST: readonly Tried[] = [...COMMANDS, ...ROTATIONS, [["verify", "dev"], / checks: /]];
test.each(WRONG)("no command takes %s to every request for success", async (what, answer) => {
  for (const tried of FULL ? FIRST : FIRST.filter(([[name = ""]]) => ["drain", "import"].includes(name))) {
    await withVault(async (vault) => {
      vault.instead = ({ path: at }) => answer(vault, at);
      expect([tried, await faults(vault, tried)]).toEqual([tried, []]);
      // A standby hands on what it is asked, and so is asked.
      const asked = vault.seen.filter(({ token }) => token !== undefined);
      if (!/^4(29|73) as/.test(what)) expect(asked).toEqual([]);
    });
  }
});

/** Wrong answers to try with a request: all in the full set, else a few in turn, so that each has its turn. */
let turn = 0;
function inTurn(count: number): readonly (typeof WRONG)[number][] {
  if (FULL) return WRONG;
  return Array.from({ length: count }, () => WRONG[turn++ % WRONG.length]!);
}

test.each([...COMMANDS, ...ROTATIONS].map((tried) => ({ args: tried[0].join(" "), tried })))(
  "$args takes a wrong answer to none of its requests for success",
  async ({ tried }) => {
    const [args] = tried;
    const usual = await withVault(async (vault) => {
      await run(vault, args);
      return vault.seen.map(({ method, path: at }) => `${method} ${at}`);
    });
    const found: unknown[] = [];
    // What is asked for the check after a rotation has no say in whether the password was changed.
    const last = usual.findIndex((request) => /rotate-(root|role)/.test(request));
    for (const [index, request] of usual.entries()) {
      if (index === 0 || (last !== -1 && index > last)) continue;
      const changes = request.startsWith("PUT") && !request.includes("lookup");
      // What an import cannot look at, it is about to take over.
      for (const [what, answer] of inTurn(changes || args[0] === "import" ? 4 : 1)) {
        for (const once of changes || FULL ? [true, false] : [index % 2 === 0]) {
          // A single redirect to the same place is followed.
          if (once && what === ROUND) continue;
          await withVault(async (vault) => {
            vault.instead = ({ path: at }, request) =>
              request === index || (request > index && !once) ? answer(vault, at) : undefined;
            const wrong = await faults(vault, tried);
            if (wrong.length > 0) found.push({ request, index, what, once, wrong });
          });
        }
      }
    }
    expect(found).toEqual([]);
  },
);
