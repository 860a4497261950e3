import * as fs from "node:fs";
import * as path from "node:path";
import { inherited } from "../../sandbox/deployment";
import type { Running } from "../../sandbox/lifetime";
import { Duration } from "../../lib";
import { announce } from "./announce";
import { CREDS, Dashboard } from "./dashboard-scenario";
import { pythonPackages } from "./python-packages";

jest.setTimeout(180_000);

const FOLDER = path.resolve(__dirname, "../../examples/dashboard-with-fallback");

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await Dashboard.start();
  await dashboard.deploy({ defaultTtl: Duration.seconds(4), maxTtl: Duration.seconds(12) });
  await dashboard.prepareSources();
});
afterAll(() => dashboard?.sandbox.stop());

/** A program of the example, with the environment of its README, and what it has said. */
async function start(command: string, args: string[], more: NodeJS.ProcessEnv = {}) {
  const { sandbox } = dashboard;
  const { environment } = await dashboard.sources();
  const running = sandbox.lifetime.start({
    command,
    args,
    cwd: FOLDER,
    env: {
      ...inherited(process.env),
      VAULT_ADDR: sandbox.vault.address,
      VAULT_TOKEN: await dashboard.logIn("dashboard"),
      ENGINE: "delphi/database",
      KEY_VALUE: "delphi/kv",
      PGSSLMODE: "disable",
      ...environment,
      ...more,
    },
    logFile: path.join(sandbox.directory, `${path.basename(args.at(-1) ?? "")}.log`),
  });
  return { running, said: () => fs.readFileSync(running.logFile, "utf8") };
}

async function until(running: Running, said: () => string, pattern: RegExp): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!pattern.test(said())) {
    if (!running.isRunning() || Date.now() > deadline) throw new Error(`no ${pattern.source} in:\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What every program has to live through, and says of it. */
async function playThrough(running: Running, said: () => string): Promise<void> {
  await until(running, said, /^login from: dynamic: (v-\S+)\n1 tables, read by \1$/m);
  await until(running, said, /^renewed for 4 s$/m);
  await dashboard.revokeAll();
  // Again a dynamic login, of another name.
  const another = String.raw`^login from: dynamic: (?!\1)(v-\S+)\n(?:.*\n)*?1 tables, read by \2$`;
  await until(running, said, new RegExp(String.raw`^login from: dynamic: (v-\S+)$[^]*${another}`, "m"));
  await dashboard.withdraw(CREDS);
  const fallback =
    /^passed over: dynamic: .*\nlogin from: static: (delphi_static)\n(?:.*\n)*?1 tables, read by \1$/m;
  await until(running, said, fallback);
  await dashboard.workspace.apply();
  await until(
    running,
    said,
    /static: delphi_static\n[^]*^login from: dynamic: (v-\S+)\n(?:.*\n)*?1 tables, read by \1$/m,
  );
  dashboard.expectNoSecret(said());
}

test("the example's program goes through it all, tells no secret and ends when it is interrupted", async () => {
  const { running, said } = await start(process.execPath, ["--import", "tsx", "dashboard.ts"], {
    LOOK_AGAIN_SECONDS: "1",
  });
  await playThrough(running, said);
  await running.stop("SIGINT", 30_000);
  expect(await running.exited).toBe(0);
});

const python = pythonPackages(path.join(FOLDER, "requirements.txt"));
const whereThere = python.python === undefined ? test.skip : test;
if (python.python === undefined) announce(`SKIPPED: the worker in Python: ${python.reason}`);

whereThere("the worker in Python goes through it all, and tells no secret", async () => {
  if (python.python === undefined) throw new Error(python.reason);
  const { running, said } = await start(python.python, ["worker.py"], {
    PYTHONPATH: python.folder,
    LOOK_AGAIN_SECONDS: "1",
  });
  await playThrough(running, said);
  await running.stop("SIGINT", 30_000);
});
