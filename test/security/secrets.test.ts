import * as fs from "node:fs";
import * as path from "node:path";
import { Deployment, writtenFiles } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue } from "../e2e/credential";

jest.setTimeout(240_000);

const CREDS = "orders-local/database/creds/reader";

let sandbox: Sandbox;
let deployment: Deployment;
let watched: Watched;
beforeAll(async () => {
  const started = await startSandbox({ onProgress: announce });
  const trace = path.join(started.directory, "trace.log");
  sandbox = { ...started, env: { ...started.env, TF_LOG: "TRACE", TF_LOG_PATH: trace } };
  await asSuperuser(sandbox, "ALTER SYSTEM SET log_statement = 'ddl'");
  await asSuperuser(sandbox, "SELECT pg_reload_conf()");
  deployment = new Deployment(sandbox, "local");
  watched = watchCommandLines();
  await deployment.deploy();
});
afterAll(async () => {
  watched?.stop();
  await sandbox?.stop();
});

interface Watched {
  /** Every command line seen so far. */
  readonly lines: ReadonlySet<string>;
  stop(): void;
}

/** Looks again and again at what processes were started with; where there is no /proc, it says so and sees none. */
function watchCommandLines(): Watched {
  const lines = new Set<string>();
  if (!fs.existsSync("/proc/self/cmdline")) {
    announce("Skipped: command lines of processes, for this system has no /proc");
    return { lines, stop: () => undefined };
  }
  const look = () => {
    for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        lines.add(fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 20);
  return { lines, stop: () => clearInterval(timer) };
}

/** Secrets of the sandbox that a text holds. */
function found(text: string): string[] {
  return sandbox.lifetime.allSecrets().filter((secret) => text.includes(secret));
}

const read = (file: string) => fs.readFileSync(file, "utf8");

test("no secret is in what a deployment and a plan write, nor in Terraform's own log at TRACE", async () => {
  expect(sandbox.lifetime.allSecrets().length).toBeGreaterThanOrEqual(4);
  await deployment.hasChanges();
  const files = writtenFiles(sandbox.directory).filter((file) => file !== sandbox.postgres.logFile);
  expect(files.map((file) => path.basename(file))).toEqual(
    expect.arrayContaining(["cdk.tf.json", "terraform.local.tfstate", "trace.log"]),
  );
  expect(files.filter((file) => found(read(file)).length > 0)).toEqual([]);
});

test("no secret is on a command line", () => {
  expect([...watched.lines].some((line) => line.includes("terraform"))).toBe(true);
  expect([...watched.lines].filter((line) => found(line).length > 0)).toEqual([]);
});

test("no password is in PostgreSQL's log, though it logs the statements: the engine sends verifiers", async () => {
  const credential = await issue(sandbox, CREDS);
  sandbox.lifetime.remember(credential.password);
  await connect(sandbox, credential, "orders_local").then((client) => client.end());
  const log = read(sandbox.postgres.logFile);
  expect(log).toContain(`CREATE ROLE "${credential.username}"`);
  expect(log).not.toContain(credential.password);
});

test("the manager's first password is, for Terraform's plugin sends it as it is, until the engine has changed it", async () => {
  const first = { username: "orders_local_manager", password: sandbox.managerPassword, leaseId: "" };
  expect(found(read(sandbox.postgres.logFile))).toEqual([sandbox.managerPassword]);
  await connect(sandbox, first, "orders_local").then((client) => client.end());

  const before = read(sandbox.postgres.logFile).length;
  await sandbox.vault.client().write("orders-local/database/rotate-root/orders_local");
  await expect(connect(sandbox, first, "orders_local")).rejects.toMatchObject({ code: "28P01" });
  const rotation = read(sandbox.postgres.logFile).slice(before);
  expect(rotation).toMatch(/ALTER ROLE "?orders_local_manager"? .*PASSWORD 'SCRAM-SHA-256\$/);
});
