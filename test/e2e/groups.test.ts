import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { main } from "../../cli/main";
import { Deployment, inherited } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { FakeShell } from "../sandbox/fake-shell";
import { FULL } from "../security/servers";
import { announce } from "./announce";
import { asSuperuser, connect, issue, revoke, verdict } from "./credential";

jest.setTimeout(240_000);

const PROJECT = path.resolve(__dirname, "../..");
const TSX = pathToFileURL(require.resolve("tsx")).href;
const GROUPS = ["search", "billing"];

/** An app with the environment `local` and roles and applications besides, in groups or not. */
const APP = `
  const { App } = load("cdktf");
  const { Access } = load("./lib");
  const { CredentialsStack } = load("./stacks/credentials-stack");
  const { local } = load("./stacks/environments/local");
  const schemas = ["app"];
  const search = {
    roles: { indexer: { access: Access.readOnly({ schemas }) } },
    applications: { search: { roles: ["indexer", "reader"] } },
  };
  const billing = {
    roles: { biller: { access: Access.readWrite({ schemas }) } },
    staticRoles: { "old-biller": { role: "biller" } },
    applications: { billing: { roles: ["biller", "old-biller"] } },
  };
  const base = local(process.env);
  const app = new App();
  new CredentialsStack(app, SPLIT ? { ...base, groups: { search, billing } } : {
    ...base,
    roles: { ...base.roles, ...search.roles, ...billing.roles },
    staticRoles: billing.staticRoles,
    applications: { ...base.applications, ...search.applications, ...billing.applications },
  });
  app.synth();`;

function appIn(folder: string, split: boolean): string {
  fs.mkdirSync(folder);
  const load = `require("node:module").createRequire(${JSON.stringify(path.join(PROJECT, "main.ts"))})`;
  fs.writeFileSync(path.join(folder, "app.cjs"), `const load = ${load}; const SPLIT = ${split};${APP}`);
  const app = `node --import ${TSX} app.cjs`;
  fs.writeFileSync(
    path.join(folder, "cdktf.json"),
    JSON.stringify({ language: "typescript", app, sendCrashReports: "false" }),
  );
  return folder;
}

let sandbox: Sandbox;
let before: Snapshot;
let deployment: Deployment;
let imports = 0;

beforeAll(async () => {
  if (!FULL) announce("A group's lost state, and one that owns something, are tried in the full set only.");
  sandbox = await startSandbox({ onProgress: announce });
  before = await takeSnapshot(sandbox);
});
afterAll(() => sandbox?.stop());

function terraform(args: readonly string[], cwd: string, input?: string): string {
  const env = { ...inherited(process.env), ...sandbox.env };
  const command = sandbox.terraform?.path ?? "terraform";
  return execFileSync(command, args, { cwd, env, input, encoding: "utf8", stdio: "pipe" });
}

const stackFolder = (stack: string) => path.join(deployment.outputFolder, "stacks", stack);

/** Addresses of what a stack declares on the servers. */
function addresses(stack: string): string[] {
  const { resource } = JSON.parse(fs.readFileSync(path.join(stackFolder(stack), "cdk.tf.json"), "utf8")) as {
    resource: Record<string, Record<string, unknown>>;
  };
  return Object.entries(resource)
    .flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`))
    .filter((address) => !address.startsWith("terraform_data.StateOwner"));
}

/** Runs a command on the environment, with the rights that are documented for operators. */
async function operate(command: string, ...args: string[]) {
  const { vault, operator, env, lifetime } = sandbox;
  const shell = new FakeShell({
    PATH: process.env.PATH,
    ...env,
    HOME: lifetime.directory,
    VAULT_ADDR: vault.address,
    VAULT_TOKEN: operator.vaultToken,
    PGUSER: operator.postgresUser,
    PGPASSWORD: operator.postgresPassword,
  });
  const code = await main([command, "local", ...args, "--output", deployment.outputFolder], shell);
  return { code, out: shell.out.join("\n"), err: shell.err.join("\n") };
}

/** Runs `vault-postgres import` with the rights of a deployment. */
async function importAll(): Promise<{ code: number; log: string }> {
  const logFile = path.join(sandbox.directory, `import-${++imports}.log`);
  const running = sandbox.lifetime.start({
    command: process.execPath,
    args: [
      ...["--import", TSX, path.join(PROJECT, "cli/main.ts"), "import", "local"],
      ...["--output", deployment.outputFolder],
    ],
    cwd: path.join(sandbox.directory, "split"),
    env: { ...inherited(process.env), ...sandbox.env },
    logFile,
  });
  return { code: await running.exited, log: fs.readFileSync(logFile, "utf8") };
}

/** Each deploys three stacks once more, a minute in all. */
const inFull = FULL ? test : test.skip;

describe("an environment with groups", () => {
  test("takes over what was one stack, resource by resource, and changes none", async () => {
    deployment = new Deployment(sandbox, "local", {
      app: appIn(path.join(sandbox.directory, "whole"), false),
    });
    await deployment.deploy();
    const app = appIn(path.join(sandbox.directory, "split"), true);
    deployment = new Deployment(sandbox, "local", { app, groups: GROUPS });
    const refused = await importAll();
    expect(refused.code).toBe(1);
    expect(refused.log).toMatch(/^0 resources imported/m);
    expect(refused.log).toMatch(/by hand, it is in the state of local: move it/);

    const moved = path.join(sandbox.directory, "moved");
    fs.mkdirSync(moved);
    fs.writeFileSync(path.join(moved, "local"), terraform(["state", "pull"], stackFolder("local")));
    for (const stack of deployment.stacks.slice(1)) {
      for (const address of addresses(stack)) {
        terraform(["state", "mv", "-state=local", `-state-out=${stack}`, address, address], moved);
      }
      terraform(["init"], stackFolder(stack));
      terraform(["state", "push", path.join(moved, stack)], stackFolder(stack));
    }
    terraform(["state", "push", path.join(moved, "local")], stackFolder("local"));

    for (const stack of deployment.stacks) {
      const plan = terraform(["plan", "-input=false", "-no-color"], stackFolder(stack));
      // A group's says whose its state is.
      if (stack !== "local") expect(plan).toMatch(/^Plan: 2 to add, 0 to change, 0 to destroy\./m);
      else expect(plan).toContain("without changing any real infrastructure");
      if (stack === "local") expect(plan).not.toMatch(/^Plan:/m);
    }
    await deployment.deploy();
    expect(await deployment.hasChanges()).toBe(false);
  });

  test("issues credentials whose rights cover what the owner makes, whichever stack declares them", async () => {
    const owner = await issue(sandbox, "orders-local/database/creds/owner");
    const migration = await connect(sandbox, owner, "orders_local");
    await migration.query("CREATE TABLE app.invoices (id int)");
    await migration.end();
    await revoke(sandbox, owner);
    for (const [role, write] of [
      ["indexer", "42501"],
      ["biller", "ok"],
    ] as const) {
      const credential = await issue(sandbox, `orders-local/database/creds/${role}`);
      const session = await connect(sandbox, credential, "orders_local");
      expect(await verdict(session, "SELECT * FROM app.invoices")).toBe("ok");
      expect(await verdict(session, "INSERT INTO app.invoices VALUES (1)")).toBe(write);
      await session.end();
      await revoke(sandbox, credential);
    }
  });

  test("is verified as a whole", async () => {
    const { code, out, err } = await operate("verify", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const name of ["orders-local-api", "orders-local-search", "orders-local-billing", "old-biller"]) {
      expect(out).toContain(name);
    }
  });

  test("is one to the other commands", async () => {
    const status = await operate("status", "--json");
    expect(status.code).toBe(0);
    for (const role of ["owner", "reader", "indexer", "biller"]) expect(status.out).toContain(`"${role}"`);
    expect(await operate("secret-id", "orders-local-search")).toMatchObject({ code: 0, err: "" });
    expect(await operate("rotate", "old-biller")).toMatchObject({ code: 0, err: "" });
    expect((await operate("rotate-root")).out).toMatch(/Checked: orders-local-\S+ obtained a credential/);
    const credential = await issue(sandbox, "orders-local/database/creds/indexer");
    expect((await operate("revoke", "--role", "indexer", "--yes")).code).toBe(0);
    await expect(connect(sandbox, credential, "orders_local")).rejects.toThrow();
    expect(deployment.outputs().roles).toHaveProperty("biller");
  });

  test("is not destroyed while a group stands that its definition has no more", async () => {
    const file = path.join(sandbox.directory, "split", "app.cjs");
    const app = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, app.replace("groups: { search, billing }", "groups: { search }"));
    await expect(deployment.takeDown()).rejects.toMatchObject({
      remedy: expect.stringMatching(
        /has local-billing, which its definition has no more, and nothing was changed/,
      ) as string,
    });
    fs.writeFileSync(file, app);
    expect(await sandbox.vault.client().list("orders-local/database/roles")).toContain("biller");
  });

  inFull(
    "loses no application that moves to the environment's own or to another group, and back",
    async () => {
      const vault = sandbox.vault.client();
      const role = "auth/orders-local/approle/role/orders-local-search";
      const { data: before } = await vault.read(`${role}/role-id`);
      const { data: secret } = await vault.write(`${role}/secret-id`);
      const file = path.join(sandbox.directory, "split", "app.cjs");
      const app = fs.readFileSync(file, "utf8");
      const moved = 'search: { roles: ["reader"] }';
      const without = app.replace('applications: { search: { roles: ["indexer", "reader"] } },', "");
      const edits = [
        without.replace(
          "...base, groups",
          `...base, applications: { ...base.applications, ${moved} }, groups`,
        ),
        without.replace("applications: { billing: {", `applications: { ${moved}, billing: {`),
        app,
      ];
      for (const edit of edits) {
        fs.writeFileSync(file, edit);
        await deployment.deploy();
        expect((await vault.read(`${role}/role-id`)).data).toEqual(before);
        const login = { role_id: before?.role_id, secret_id: secret?.secret_id };
        const { auth } = (await vault
          .withToken(undefined)
          .write("auth/orders-local/approle/login", login)) as {
          auth?: { policies: string[] };
        };
        expect(auth?.policies).toContain("orders-local/database/creds/reader");
        expect(await deployment.hasChanges()).toBe(false);
      }
      // The last of its group: its stack is deployed with nothing in it, and goes then.
      const last = without.replace(
        "...base, groups: { search,",
        `...base, applications: { ...base.applications, ${moved} }, groups: { search: {},`,
      );
      expect(last).not.toBe(without);
      fs.writeFileSync(file, last);
      await deployment.deploy();
      terraform(["destroy", "-auto-approve", "-input=false"], stackFolder("local-search"));
      expect((await vault.read(`${role}/role-id`)).data).toEqual(before);
      const login = { role_id: before?.role_id, secret_id: secret?.secret_id };
      expect(await vault.withToken(undefined).write("auth/orders-local/approle/login", login)).toHaveProperty(
        "auth",
      );
      fs.writeFileSync(file, app);
      await deployment.deploy();
      expect(await deployment.hasChanges()).toBe(false);
    },
  );

  inFull(
    "lets go of a login that its static role names by username now, gets it back by an import, and keeps its database whatever the template",
    async () => {
      const file = path.join(sandbox.directory, "split", "app.cjs");
      const app = fs.readFileSync(file, "utf8");
      const login = "orders_local_old-biller";
      const { data } = await sandbox.vault.client().read("orders-local/database/static-creds/old-biller");
      const credential = { username: login, password: data?.password as string, leaseId: "" };
      const session = await connect(sandbox, credential, "orders_local");
      const oid = () => asSuperuser(sandbox, "SELECT oid FROM pg_database WHERE datname = 'orders_local'");
      const before = await oid();
      fs.writeFileSync(
        file,
        app
          .replace('{ role: "biller" }', `{ username: "${login}" }`)
          .replace("...base, groups", '...base, databaseTemplate: "template1", groups'),
      );
      await deployment.deploy();
      expect(await deployment.hasChanges()).toBe(false);
      expect(await oid()).toEqual(before);
      expect(await verdict(session, "SELECT * FROM app.invoices")).toBe("ok");
      expect((await operate("rotate", "old-biller")).code).toBe(0);
      expect((await operate("status", "--json")).code).toBe(0);
      await session.end();
      // The other way, PostgreSQL has the login already.
      fs.writeFileSync(file, app);
      await expect(deployment.deploy()).rejects.toThrow();
      const imported = await importAll();
      expect({ ...imported, code: 0 }).toEqual(imported);
      await deployment.deploy();
      expect(await deployment.hasChanges()).toBe(false);
    },
  );

  inFull(
    "is not destroyed either where that definition was deployed before the group was destroyed",
    async () => {
      const file = path.join(sandbox.directory, "split", "app.cjs");
      const app = fs.readFileSync(file, "utf8");
      fs.writeFileSync(file, app.replace("groups: { search, billing }", "groups: { search }"));
      const without = new Deployment(sandbox, "local", {
        ...{ app: path.join(sandbox.directory, "split"), groups: ["search"] },
      });
      await without.deploy();
      await expect(without.takeDown()).rejects.toMatchObject({
        remedy: expect.stringMatching(
          /hands out orders_local_biller, which no stack of local declares[^]*nothing is destroyed/,
        ) as string,
      });
      expect(await sandbox.vault.client().list("orders-local/database/roles")).toContain("biller");
      fs.writeFileSync(file, app);
      await deployment.deploy();
      expect(await deployment.hasChanges()).toBe(false);
    },
  );

  inFull("gets a lost state of one group back by an import", async () => {
    fs.rmSync(path.join(sandbox.directory, "terraform.local-billing.tfstate"));
    expect((await importAll()).code).toBe(0);
    await deployment.deploy();
    expect(await deployment.hasChanges()).toBe(false);
  });

  inFull("is not half destroyed where one of a group's roles owns something in the database", async () => {
    const credential = await issue(sandbox, "orders-local/database/creds/biller");
    const session = await connect(sandbox, credential, "orders_local");
    await session.query("SELECT lo_create(4711)");
    await session.end();
    await expect(deployment.takeDown()).rejects.toMatchObject({
      remedy: expect.stringMatching(
        /What orders_local_biller own[^]*DROP OWNED BY[^]*nothing is destroyed/,
      ) as string,
    });
    expect(await sandbox.vault.client().list("orders-local/database/roles")).toContain("indexer");
    await asSuperuser(sandbox, "DROP OWNED BY orders_local_biller", "orders_local");
    await deployment.deploy();
  });

  inFull("says what others have granted to a group's role, which keeps it from being dropped", async () => {
    await asSuperuser(sandbox, "CREATE SCHEMA theirs", "orders_local");
    await asSuperuser(sandbox, "GRANT USAGE ON SCHEMA theirs TO orders_local_biller", "orders_local");
    await expect(deployment.takeDown()).rejects.toMatchObject({
      remedy: expect.stringMatching(
        /"orders_local_biller" cannot be dropped because some objects depend on it/,
      ) as string,
    });
    await asSuperuser(sandbox, "REVOKE USAGE ON SCHEMA theirs FROM orders_local_biller", "orders_local");
    await deployment.deploy();
    expect(await deployment.hasChanges()).toBe(false);
  });

  test("is destroyed without a trace, with credentials in use", async () => {
    for (const role of ["reader", "indexer", "biller"])
      await issue(sandbox, `orders-local/database/creds/${role}`);
    await deployment.takeDown();
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  });
});
