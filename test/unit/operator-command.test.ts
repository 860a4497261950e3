import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { writeSecret } from "../../cli/secret-file";
import { lasting, listed } from "../../cli/text";
import { secondsOf } from "../../cli/ttl";
import { FakeShell } from "../sandbox/fake-shell";
import { OUTPUTS } from "./operator-outputs";

const PROJECT = path.resolve(__dirname, "../..");
const COMMANDS = [
  ...["status", "verify", "secret-id", "rotate-root", "rotate", "revoke", "drain", "destroy", "import"],
  "hand-over",
];
/** Those that look at PostgreSQL alone. */
const WITHOUT_VAULT = ["footholds"];

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "operator-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const shell = new FakeShell(env);
  const printed: string[] = [];
  jest.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  const code = await main(args, shell).finally(() => jest.restoreAllMocks());
  return { code, out: [...printed, ...shell.out].join("\n"), err: shell.err.join("\n") };
}

describe("the command line", () => {
  test.each([
    [[], "No command is named."],
    [["sttus", "dev"], 'There is no command "sttus".\nThere are status, verify,'],
    [
      ["status"],
      "No environment is named, or not all that has to follow it.\nSee vault-postgres status --help",
    ],
    [["rotate", "dev"], "No environment is named, or not all that has to follow it."],
    [["status", "dev", "staging"], "Unknown argument: staging"],
    [["status", "dev", "--yes"], "Unknown argument: yes"],
    [["status", "dev", "--outputs"], "Not enough arguments following: outputs"],
    [["revoke", "dev", "--lease", "a", "--lease", "b"], "--lease is given more than once."],
    [["revoke", "dev"], "It is not said what to revoke."],
    [["revoke", "dev", "--all", "--role", "reader"], "More than one thing is to be revoked."],
    [["secret-id", "dev", "api", "--wrap-ttl", "soon"], '--wrap-ttl is "soon".\nGive a time such as 90s'],
  ])("%j is refused, without a stack trace", async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test.each([...COMMANDS, ...WITHOUT_VAULT])(
    "%s --help says how it is used, with an example, and the exit codes",
    async (command) => {
      const { code, out, err } = await run([command, "--help"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(new RegExp(`^vault-postgres ${command} <environment>`));
      expect(out).toMatch(new RegExp(`Examples:\n +vault-postgres ${command} dev`));
      expect(out).toContain("--json");
      expect(out).toMatch(/Exit code: 0 .* 1 .* 2 /);
    },
  );

  test.each(COMMANDS)("%s without a token says which rights one needs", async (command) => {
    const more: Record<string, string[]> = { "secret-id": ["api"], rotate: ["legacy"], revoke: ["--all"] };
    const { code, err } = await run([command, "dev", ...(more[command] ?? [])]);
    expect(code).toBe(2);
    expect(err).toMatch(/^VAULT_TOKEN is not set\.\n.*docs\/rights\/[a-z]+-policy\.hcl/m);
    const [, file = ""] = /(docs\/rights\/\S+\.hcl)/.exec(err) ?? [];
    expect(fs.existsSync(path.join(PROJECT, file))).toBe(true);
  });

  test.each(COMMANDS)("%s that could not be tried says so in JSON, too, if asked for it", async (command) => {
    const more: Record<string, string[]> = { "secret-id": ["api"], rotate: ["legacy"], revoke: ["--all"] };
    const { code, out, err } = await run([command, "dev", "--json", ...(more[command] ?? [])]);
    expect(JSON.parse(out)).toEqual({
      ...{ environment: "dev", exitCode: code, changed: false },
      error: expect.stringMatching(/^VAULT_TOKEN is not set\./) as string,
    });
    expect(err).toMatch(/^VAULT_TOKEN is not set\./m);
  });

  test("names the variable whose file cannot be read, OpenBao's before Vault's", async () => {
    const token = { VAULT_TOKEN: "t", VAULT_CACERT: "/nowhere/v.pem" };
    expect((await run(["status", "dev"], token)).err).toMatch(/^VAULT_CACERT names \/nowhere\/v\.pem/);
    const both = { ...token, BAO_CACERT: "/nowhere/b.pem" };
    expect((await run(["status", "dev"], both)).err).toMatch(/^BAO_CACERT names \/nowhere\/b\.pem/);
    const empty = { ...both, BAO_CACERT: "" };
    expect((await run(["status", "dev"], empty)).err).toMatch(/^VAULT_CACERT names/);
  });

  test.each(["status", "drain", "rotate-root"])(
    "%s ends with 2 where Vault does not answer",
    async (command) => {
      const outputs = ["--outputs", path.join(folder, "outputs.json")];
      const { code, err } = await run([command, "dev", ...outputs], { VAULT_TOKEN: "t0ken" });
      expect(code).toBe(2);
      expect(err).toMatch(/^Vault does not answer: .*ECONNREFUSED/);
      expect(err).not.toContain("t0ken");
    },
  );
});

describe("docs/operations.md", () => {
  const text = fs.readFileSync(path.join(PROJECT, "docs/operations.md"), "utf8");
  const lines = [...text.matchAll(/^(?:[A-Z]\S* )*npx vault-postgres (.*?)(?: +#.*)?$/gm)].map(
    (match) => match[1] ?? "",
  );

  test("has an example of each command", () => {
    const named = new Set(lines.map((line) => line.split(" ")[0]));
    expect(named).toEqual(new Set([...COMMANDS, ...WITHOUT_VAULT, "access", "completion"]));
  });

  // Those that need no token are run by other tests.
  test.each(lines.filter((line) => !/^(access|completion|footholds)/.test(line)))(
    "%s is a command line",
    async (line) => {
      const { err } = await run(line.replaceAll(/[$"]/g, "").split(/ +/), { PGUSER: "me" });
      expect(err).toMatch(/^VAULT_TOKEN is not set/);
    },
  );
});

test.each([
  [0, "0 s"],
  [59.6, "1 min"],
  [302, "5 min 2 s"],
  [3_600, "1 h"],
  [90_061, "1 d 1 h"],
  [-3, "0 s"],
])("%d seconds are shown as %s", (seconds, text) => {
  expect(lasting(seconds)).toBe(text);
});

test.each([
  ["90", 90],
  ["90s", 90],
  ["2m", 120],
  ["1h", 3_600],
])("--wrap-ttl %s is %d seconds", (text, seconds) => {
  expect(secondsOf("--wrap-ttl", text)).toBe(seconds);
});

test.each(["", "0", "-1", "1d", "1.5h", "m"])("--wrap-ttl %j is refused", (text) => {
  expect(() => secondsOf("--wrap-ttl", text)).toThrow(/--wrap-ttl is/);
});

test("names are listed as in a sentence", () => {
  expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});

test("a secret's file that came to be there meanwhile is left, and no other file is", () => {
  const file = path.join(folder, "secret");
  writeSecret(file, "one", false);
  expect(() => writeSecret(file, "two", false)).toThrow(/is there already/);
  expect(fs.readFileSync(file, "utf8")).toBe("one");
  writeSecret(file, "three", true);
  expect(fs.readFileSync(file, "utf8")).toBe("three");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(folder).sort()).toEqual(["outputs.json", "secret"]);
});

test("a PGHOST that may hold a password is refused before it can stand in a message", async () => {
  const env = {
    PGUSER: "o",
    PGHOST: "postgres://o:hunter2@db.example.com/orders",
    VAULT_ADDR: "http://127.0.0.1:1",
  };
  const { code, out, err } = await run(
    ["footholds", "dev", "--outputs", path.join(folder, "outputs.json")],
    env,
  );
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("PGHOST is more than a host");
  expect(err).not.toContain("hunter2");
});
