import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { FakeVault } from "../unit/fake-vault";
import { OUTPUTS } from "../unit/operator-outputs";
import { temporaryFolder, until } from "./helpers";

jest.setTimeout(60_000);

const LAUNCHER = path.resolve(__dirname, "../../cli/bin/vault-postgres.js");
const { folder, remove } = temporaryFolder();
const PATH = `${folder}${path.delimiter}${process.env.PATH}`;

// As npm links it.
beforeAll(() => fs.symlinkSync(LAUNCHER, path.join(folder, "vault-postgres")));
afterAll(remove);

const run = (command: string, args: readonly string[], cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: "utf8", env: { PATH, HOME: folder } });

test("the program runs from any folder, by the link that npm makes", () => {
  expect(run("vault-postgres", ["--help"])).toContain("vault-postgres revoke <environment>");
});

describe("completion", () => {
  // What bash does for a Tab behind these words.
  const complete = (...words: string[]) =>
    run("bash", [
      ...["--norc", "-c"],
      `source <(vault-postgres completion)
       COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vault-postgres_yargs_completions
       printf '%s\\n' "\${COMPREPLY[@]}"`,
      ...["bash", "vault-postgres", ...words],
    ]).split("\n");

  test("in bash offers commands, options, and the environments that were synthesized here", () => {
    fs.mkdirSync(path.join(folder, "cdktf.out", "stacks", "staging"), { recursive: true });
    expect(complete("ro")).toEqual(["rotate-root", "rotate", ""]);
    expect(complete("revoke", "")).toContain("staging");
    expect(complete("revoke", "st")).toEqual(["staging", ""]);
    expect(complete("revoke", "staging", "--l")).toEqual(["--lease", ""]);
  });

  test("is registered in bash for the command", () => {
    const registered = run("bash", ["--norc", "-c", "source <(vault-postgres completion); complete -p"]);
    expect(registered).toMatch(/complete .* vault-postgres$/m);
  });

  test("is written for zsh where that is the shell", () => {
    const script = execFileSync("vault-postgres", ["completion"], {
      encoding: "utf8",
      env: { PATH, SHELL: "/bin/zsh" },
    });
    expect(script).toMatch(/^#compdef vault-postgres$/m);
  });
});

describe("a command that waits for Vault", () => {
  let vault: FakeVault;
  beforeEach(async () => {
    vault = await FakeVault.start();
    fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
  });
  afterEach(() => {
    // It waits for the connection of the command, which was cut off.
    void vault.stop();
  });

  /**
   * @param at part of the path of a request that gets no answer
   * @param preload what node loads before
   */
  async function interrupt(
    at: string,
    signal: NodeJS.Signals = "SIGINT",
    preload: readonly string[] = [],
  ): Promise<{ code: number | null; err: string; out: string }> {
    vault.silentAt = at;
    const child: ChildProcess = spawn(
      process.execPath,
      [
        ...preload,
        LAUNCHER,
        "revoke",
        "dev",
        "--all",
        "--yes",
        "--outputs",
        path.join(folder, "outputs.json"),
      ],
      { env: { PATH, VAULT_ADDR: vault.address, VAULT_TOKEN: "t" } },
    );
    let err = "";
    let out = "";
    child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
    child.stdout?.on("data", (data: Buffer) => (out += data.toString()));
    const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
    await until(() => vault.seen.some((request) => request.path.includes(at)), 30_000, `a request for ${at}`);
    child.kill(signal);
    return { code: await exited, err, out };
  }

  /** Throws where nobody waits for it, as the parser of `pg` does for what is too long. */
  function throwing(error: string): readonly string[] {
    const file = path.join(folder, "throwing.cjs");
    fs.writeFileSync(file, `process.on("SIGUSR2", () => { throw ${error}; });`);
    return ["--require", file];
  }
  const tooLong = `Object.assign(new Error("Cannot create a string longer than 0x1fffffe8 characters"), { code: "ERR_STRING_TOO_LONG" })`;

  test("ends with a message when something is larger than it can take, and with nothing told", async () => {
    const at = "sys/leases?type=irrevocable";
    const { code, err } = await interrupt(at, "SIGUSR2", throwing(tooLong));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^Broken off by an error: Cannot create a string longer than 0x1fffffe8 characters\n/,
    );
    expect(err).toMatch(/A server has sent a value that is larger[^]*pg_db_role_setting[^]*RESET ALL;\n$/);
    expect(err).not.toMatch(/^ +at /m);
  });

  test("ends with a message for any other error, and says what may be half done", async () => {
    const at = "sys/leases/revoke-prefix/";
    const { code, err } = await interrupt(at, "SIGUSR2", throwing('new Error("odd")'));
    expect(code).toBe(1);
    expect(err).toMatch(
      /^Broken off by an error: odd\n.*report it.*\nThis was while revoking\. .*run this again/,
    );
  });

  test("interrupted before a change says that nothing was changed", async () => {
    const { code, err } = await interrupt("sys/leases?type=irrevocable");
    expect({ code, err }).toEqual({ code: 130, err: "\nInterrupted; nothing was changed.\n" });
  });

  test("interrupted in a change says what may be half done, and how to end it", async () => {
    const { code, err, out } = await interrupt("sys/leases/revoke-prefix/");
    expect(code).toBe(130);
    expect(out).toMatch(/^This ends 2 credentials of x\/database\./);
    expect(err).toMatch(/^\nInterrupted while revoking\. .*run this again/);
  });
});
