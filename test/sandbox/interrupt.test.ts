import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { descendants, isAlive } from "../../sandbox/process-tree";
import { fakeProgram, temporaryFolder, until } from "./helpers";

jest.setTimeout(180_000);

const PROJECT = path.resolve(__dirname, "..", "..");
const { folder, remove } = temporaryFolder();
afterAll(remove);

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  readonly output: () => string;
}

/** Runs `npm run sandbox` without npm, in a temporary folder of its own that is to be empty afterwards. */
function run(): Run {
  // Nothing is deployed here: that there is a Terraform is enough.
  fakeProgram(path.join(folder, "bin"), "terraform", '{"terraform_version": "1.11.4"}');
  const child = spawn(process.execPath, ["--import", "tsx", "sandbox/bin/sandbox.ts"], {
    cwd: PROJECT,
    env: {
      ...process.env,
      TMPDIR: folder,
      PATH: `${path.join(folder, "bin")}${path.delimiter}${process.env.PATH ?? ""}`,
      TERRAFORM_BINARY_NAME: undefined,
      SANDBOX_PROVIDERS: "standin",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output += data.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? ""));
  });
  return { child, exited, output: () => output };
}

const sandboxes = () => fs.readdirSync(folder).filter((name) => name.startsWith("cdktf-sandbox-"));

beforeAll(() => {
  // As root the servers run as another user, who has to get here.
  fs.chmodSync(folder, 0o755);
});

async function servers({ child, output }: Run): Promise<number[]> {
  await until(() => output().includes("env.sh") || child.exitCode !== null, 90_000, "the sandbox runs");
  expect(output()).toContain("env.sh");
  const pids = descendants([child.pid ?? 0]);
  expect(pids.length).toBeGreaterThanOrEqual(3); // PostgreSQL, the other server, the watchdog
  expect(sandboxes()).toHaveLength(1);
  return pids;
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s stops and removes everything", async (signal, code) => {
  const running = run();
  const pids = await servers(running);
  running.child.kill(signal);
  expect(await running.exited).toBe(code);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(sandboxes()).toEqual([]);
});

// What is going on by then differs: programs are looked for, stand-ins bundled, a cluster is made, servers start.
test.each([0, 200, 400, 800])("SIGINT %i ms into the start stops and removes everything", async (delay) => {
  const running = run();
  await until(() => sandboxes().length > 0, 30_000, "the folder is there");
  await until(() => descendants([running.child.pid ?? 0]).length > 1, 30_000, "something was started");
  await pause(delay);
  const pids = descendants([running.child.pid ?? 0]);
  running.child.kill("SIGINT");
  expect(await running.exited).toBe(130);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(sandboxes()).toEqual([]);
  await pause(500);
  expect(sandboxes()).toEqual([]); // not made anew by what went on
  expect(running.output()).not.toMatch(/\n\s+at /);
});

test("the servers do not outlive a sandbox that is killed", async () => {
  const running = run();
  const pids = await servers(running);
  running.child.kill("SIGKILL");
  expect(await running.exited).toBe("SIGKILL");
  await until(() => !pids.some(isAlive), 15_000, "all processes have ended");
  await until(() => sandboxes().length === 0, 5_000, "the folder is gone");
});
