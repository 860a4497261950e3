import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { drain } from "../../cli/drain";
import { Deployment, inherited } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { announce } from "./announce";
import { asSuperuser, connect, issue, revoke } from "./credential";

jest.setTimeout(180_000);

const PROJECT = path.resolve(__dirname, "../..");
const TSX = pathToFileURL(require.resolve("tsx")).href;

/** An app that says of the same environment that its database is protected. */
function protectedApp(folder: string): string {
  return makeApp(
    folder,
    `
    const { App } = load("cdktf");
    const { CredentialsStack } = load("./stacks/credentials-stack");
    const { local } = load("./stacks/environments/local");
    const app = new App();
    new CredentialsStack(app, { ...local(process.env), deletionProtection: true });
    app.synth();`,
  );
}

/** The app itself, which leaves a line in the file `runs` each time. */
function countingApp(folder: string): string {
  const runs = JSON.stringify(path.join(folder, "runs"));
  return makeApp(folder, `load("node:fs").appendFileSync(${runs}, "run\\n"); load("./main");`);
}

function makeApp(folder: string, app: string): string {
  fs.mkdirSync(folder);
  fs.writeFileSync(
    path.join(folder, "app.cjs"),
    `const load = require("node:module").createRequire(${JSON.stringify(path.join(PROJECT, "main.ts"))});${app}`,
  );
  fs.writeFileSync(
    path.join(folder, "cdktf.json"),
    JSON.stringify({
      language: "typescript",
      app: `node --import ${TSX} app.cjs`,
      sendCrashReports: "false",
    }),
  );
  return folder;
}

let sandbox: Sandbox;
let deployment: Deployment;
let before: Snapshot;
let home: string;

beforeAll(async () => {
  const started = await startSandbox({ onProgress: announce });
  home = path.join(started.directory, "home");
  sandbox = { ...started, env: { ...started.env, HOME: home } };
  deployment = new Deployment(sandbox, "local");
  before = await takeSnapshot(sandbox);
  await deployment.deploy();
});
afterAll(() => sandbox?.stop());

test("a deployment to a sandbox leaves no plugin in the user's home folder, where another would find it", () => {
  expect(fs.existsSync(path.join(home, ".terraform.d"))).toBe(false);
});

describe("npm run destroy", () => {
  test("ends no credential where Terraform would refuse, as for a protected database", async () => {
    const credential = await issue(sandbox, "orders-local/database/creds/reader");
    const running = sandbox.lifetime.start({
      command: process.execPath,
      args: [
        ...["--import", TSX, path.join(PROJECT, "cli/main.ts"), "destroy", "local"],
        ...["--auto-approve", "--skip-provider-lock", "--output", deployment.outputFolder],
      ],
      cwd: protectedApp(path.join(sandbox.directory, "protected")),
      env: { ...inherited(process.env), ...sandbox.env },
      logFile: path.join(sandbox.directory, "protected.log"),
    });
    expect(await running.exited).toBe(2);
    const log = fs.readFileSync(running.logFile, "utf8");
    expect(log).toMatch(/nothing was changed[^]*Instance cannot be destroyed/);
    await (await connect(sandbox, credential, "orders_local")).end();
  });

  test("changes nothing while PostgreSQL is down", async () => {
    await sandbox.postgres.stop();
    try {
      await expect(deployment.takeDown()).rejects.toMatchObject({
        remedy: expect.stringMatching(/nothing was changed[^]*(connection refused|ECONNREFUSED)/) as string,
      });
      const vault = sandbox.vault.client().withToken(sandbox.deployer.vaultToken);
      await expect(drain(deployment.outputs(), vault)).rejects.toThrow(
        /could not be revoked:\s+failed to connect/,
      );
    } finally {
      await sandbox.postgres.start();
    }
  });

  test("destroys nothing while a session would keep the database from being dropped", async () => {
    const session = await sandbox.postgres.connect("orders_local");
    await expect(deployment.takeDown()).rejects.toMatchObject({
      remedy: expect.stringMatching(
        /1 session of orders_local would keep it[^]*\(postgres\)[^]*nothing is destroyed/,
      ) as string,
    });
    await session.end();
    expect(deployment.outputs().vault.mount).toBe("orders-local/database");
    const roles = await sandbox.vault.client().list("orders-local/database/roles");
    expect(roles).toEqual(["owner", "reader", "writer"]);
  });

  test("destroys nothing while a user is there that Vault has no lease of", async () => {
    await deployment.deploy();
    const [vault, role] = [sandbox.vault.client(), "orders-local/database/roles/reader"];
    const { data } = await vault.read(role);
    const credential = await issue(sandbox, "orders-local/database/creds/reader");
    await vault.done(role, { ...data, revocation_statements: ["SELECT 1"] });
    await revoke(sandbox, credential);
    await vault.done(role, data ?? {});
    const failure = await deployment.takeDown().then(
      () => undefined,
      (error: { remedy?: string }) => error.remedy ?? "",
    );
    expect(failure).toMatch(/1 user [^]*without a lease[^]*DROP ROLE[^]*nothing is destroyed/);
    expect(failure).toContain(credential.username);
    await (await connect(sandbox, credential, "orders_local")).end();
    await asSuperuser(sandbox, `DROP ROLE "${credential.username}"`);
  });

  test("can be taken back by a deployment after the engine was stopped from issuing", async () => {
    await expect(issue(sandbox, "orders-local/database/creds/writer")).rejects.toThrow(/not an allowed role/);
    await deployment.deploy();
    const credential = await issue(sandbox, "orders-local/database/creds/writer");
    await (await connect(sandbox, credential, "orders_local")).end();
  });

  test("leaves no trace, also of applications that ask for credentials all the while", async () => {
    let running = true;
    let issued = 0;
    const refusals = new Set<string>();
    const applications = Array.from({ length: 4 }, async () => {
      while (running) {
        await issue(sandbox, "orders-local/database/creds/writer").then(
          () => issued++,
          (error: Error) => refusals.add(error.message),
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const app = countingApp(path.join(sandbox.directory, "counting"));
    try {
      await new Deployment(sandbox, "local", { app }).takeDown();
    } finally {
      running = false;
      await Promise.all(applications);
    }
    // What is destroyed is what Terraform was asked about first, and no later synthesis.
    expect(fs.readFileSync(path.join(app, "runs"), "utf8")).toBe("run\n");
    expect(issued).toBeGreaterThan(20);
    expect([...refusals].some((message) => message.includes("not an allowed role"))).toBe(true);
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  });
});
