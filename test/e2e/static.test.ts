import * as fs from "node:fs";
import * as path from "node:path";
import type { ClientEvent } from "../../examples/dynamic-and-static/endless-client";
import { VaultClient } from "../../cli/vault-client";
import type { PostgresDatabase } from "../../lib";
import { Access, Duration } from "../../lib";
import { inherited } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { announce } from "./announce";
import { asSuperuser, connect, issue, loggedPasswords, verdict, type Credential } from "./credential";
import { ENGINE, logIn, stackOn, whileWorking } from "./static-scenario";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

const DYNAMIC = `${ENGINE}/creds/postgresql-role`;
const STATIC = `${ENGINE}/static-creds/postgresql-static-role`;
const LOGIN = "example_static";
const INVALID_PASSWORD = "28P01";

let sandbox: Sandbox;
let workspace: Workspace;
let before: Snapshot;
let token: string;

beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  before = await takeSnapshot(sandbox);
  workspace = new Workspace(sandbox, "example", stackOn(sandbox));
  await workspace.apply();
  token = await logIn(sandbox);
});
afterAll(() => sandbox?.stop());

const usernames = (events: readonly ClientEvent[]) =>
  events.flatMap((event) => (event.kind === "credential" ? [event.username] : []));
const failures = (events: readonly ClientEvent[]) => events.filter(({ kind }) => kind === "failed");
const setPeriod = async (rotationPeriod: Duration) => {
  workspace.edit(stackOn(sandbox, { rotationPeriod }));
  await workspace.apply();
};

test("a client with dynamic credentials goes on with another user after a prefix revocation", async () => {
  const events = await whileWorking(sandbox, token, DYNAMIC, async (next) => {
    await next("worked");
    await sandbox.vault.client().write(`sys/leases/revoke-prefix/${DYNAMIC}`, { sync: true });
    expect(await next("refused")).toMatchObject({ code: INVALID_PASSWORD });
    await next("worked");
  });
  const [first, second, ...more] = usernames(events);
  expect(first).toBeDefined();
  expect(second).not.toBe(first);
  expect(more).toEqual([]);
  expect(failures(events)).toEqual([]);
});

test("a client with a static password goes on as the same user after a manual rotation", async () => {
  const events = await whileWorking(sandbox, token, STATIC, async (next) => {
    expect(await next("credential")).toMatchObject({ username: LOGIN });
    await next("worked");
    await sandbox.vault.client().write(`${ENGINE}/rotate-role/postgresql-static-role`);
    expect(await next("refused")).toEqual({ kind: "refused", username: LOGIN, code: INVALID_PASSWORD });
    await next("worked");
  });
  expect(usernames(events)).toEqual([LOGIN, LOGIN]);
  expect(failures(events)).toEqual([]);
});

test("the example's program runs until it is interrupted, and tells no password", async () => {
  const folder = path.resolve(__dirname, "../../examples/dynamic-and-static");
  const { host, port } = sandbox.postgres;
  const running = sandbox.lifetime.start({
    command: process.execPath,
    args: ["--import", "tsx", "run.ts", ENGINE, "static-creds", "postgresql-static-role"],
    cwd: folder,
    env: {
      ...inherited(process.env),
      VAULT_ADDR: sandbox.vault.address,
      VAULT_TOKEN: token,
      DB_HOST: host,
      DB_PORT: String(port),
    },
    logFile: path.join(sandbox.directory, "client.log"),
  });
  const log = () => fs.readFileSync(running.logFile, "utf8");
  while (running.isRunning() && !log().includes("worked as")) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await running.stop("SIGINT", 30_000);
  expect(log()).toMatch(/credential of example_static, good for \d+ s\n.* worked as example_static\n/);
  expect(log()).not.toContain((await issue(sandbox, STATIC)).password);
  expect(await running.exited).toBe(0);
});

test("a static password reaches PostgreSQL as a verifier only", async () => {
  const { passwords, log } = await loggedPasswords(sandbox, async () => {
    await sandbox.vault.client().write(`${ENGINE}/rotate-role/postgresql-static-role`);
    return (await issue(sandbox, STATIC)).password;
  });
  expect(log).toMatch(/ALTER ROLE "example_static" .*PASSWORD/);
  for (const password of passwords) expect(log).not.toContain(password);
});

test("the application's token reads both and rotates nothing", async () => {
  const vault = new VaultClient({ address: sandbox.vault.address, token });
  await expect(vault.read(STATIC)).resolves.toMatchObject({ data: { username: LOGIN } });
  await expect(vault.write(`${ENGINE}/rotate-role/postgresql-static-role`)).rejects.toMatchObject({
    status: 403,
  });
  await expect(vault.read(`${ENGINE}/static-roles/postgresql-static-role`)).rejects.toMatchObject({
    status: 403,
  });
});

test("a static login has the rights of its base role and no more, and a rotation leaves its sessions", async () => {
  const client = await connect(sandbox, await issue(sandbox, STATIC), "example");
  expect(await verdict(client, "CREATE TABLE public.made (id int)")).toBe("42501");
  expect(await verdict(client, "CREATE ROLE made")).toBe("42501");
  await sandbox.vault.client().write(`${ENGINE}/rotate-role/postgresql-static-role`);
  expect(await verdict(client, "SELECT 1")).toBe("ok");
  await client.end();
});

test("a static password changes by itself, and the deployment stays without a difference", async () => {
  const at = async () => (await sandbox.vault.client().read(STATIC)).data?.last_vault_rotation;
  const earlier = await at();
  await setPeriod(Duration.hours(12));
  expect(await at()).toBe(earlier);
  await setPeriod(Duration.seconds(5));
  const events = await whileWorking(sandbox, token, STATIC, async (next) => {
    for (let rotations = 0; rotations < 2; rotations++) {
      await next("refused");
      await next("worked");
    }
  });
  expect(usernames(events)).toEqual([LOGIN, LOGIN, LOGIN]);
  expect(failures(events)).toEqual([]);
  expect(await workspace.plan()).toEqual([]);
});

test("a static role changed or removed by hand is put back", async () => {
  await setPeriod(Duration.hours(1));
  const vault = sandbox.vault.client();
  const role = `${ENGINE}/static-roles/postgresql-static-role`;
  const type = "vault_database_secret_backend_static_role";
  await vault.write(role, { username: LOGIN, rotation_period: "2h" });
  expect(await workspace.plan()).toEqual([{ type, actions: ["update"] }]);
  await vault.call({ method: "DELETE", path: role });
  expect(await workspace.plan()).toEqual([{ type, actions: ["create"] }]);
  await workspace.apply();
  expect((await vault.read(role)).data).toMatchObject({ username: LOGIN, rotation_period: 3600 });
});

test("a login that was dropped by hand is made anew with a password, which the static role gives", async () => {
  await asSuperuser(sandbox, `DROP ROLE ${LOGIN}`);
  const planned = await workspace.plan();
  expect(planned).toContainEqual({ type: "postgresql_role", actions: ["create"] });
  await workspace.apply();
  await (await connect(sandbox, await issue(sandbox, STATIC), "example")).end();
  expect(await workspace.plan()).toEqual([]);
});

test("a login that is changed in place keeps its password", async () => {
  const { password } = await issue(sandbox, STATIC);
  await asSuperuser(sandbox, `ALTER ROLE ${LOGIN} CONNECTION LIMIT 3`);
  expect(await workspace.plan()).toEqual([{ type: "postgresql_role", actions: ["update"] }]);
  await workspace.apply();
  expect((await issue(sandbox, STATIC)).password).toBe(password);
});

test("a login that holds its own row does not hold up the engine, and keeps its password until a rotation works", async () => {
  const earlier = await issue(sandbox, STATIC);
  const client = await connect(sandbox, earlier, "example");
  await client.query(`BEGIN; ALTER ROLE ${LOGIN} PASSWORD 'its own'`);
  const rotate = () => sandbox.vault.client().write(`${ENGINE}/rotate-role/postgresql-static-role`);
  const start = Date.now();
  await expect(rotate()).rejects.toThrow(/lock timeout/);
  expect(Date.now() - start).toBeLessThan(3_000);
  expect((await issue(sandbox, STATIC)).password).toBe(earlier.password);
  await client.query("ROLLBACK");
  await (await connect(sandbox, earlier, "example")).end();
  await client.end();

  await rotate();
  const after = await issue(sandbox, STATIC);
  expect(after.password).not.toBe(earlier.password);
  await (await connect(sandbox, after, "example")).end();
  await expect(connect(sandbox, earlier, "example")).rejects.toMatchObject({ code: INVALID_PASSWORD });
});

test("no password of the login is in the files of the deployment", async () => {
  const { password } = await issue(sandbox, STATIC);
  const files = workspace.files();
  expect(files.some((file) => file.endsWith("terraform.tfstate"))).toBe(true);
  expect(files.filter((file) => fs.readFileSync(file).includes(password))).toEqual([]);
});

test("a login of elsewhere is taken over by name, where a DBA has made the manager ADMIN of it", async () => {
  await asSuperuser(sandbox, "CREATE ROLE legacy LOGIN PASSWORD 'known to many' IN ROLE example_reader");
  await asSuperuser(sandbox, "GRANT legacy TO example_manager WITH ADMIN OPTION");
  const known = { username: "legacy", password: "known to many", leaseId: "" };
  await (await connect(sandbox, known, "example")).end();
  workspace.edit((scope) => {
    const stack = stackOn(sandbox)(scope);
    stack.connection.addStaticRole("legacy", {
      username: "legacy",
      grantAdmin: false,
      rotationStatements: [`ALTER ROLE "{{name}}" PASSWORD '{{password}}' CONNECTION LIMIT 7`],
    });
    return stack;
  });
  await workspace.apply();
  await expect(connect(sandbox, known, "example")).rejects.toMatchObject({ code: INVALID_PASSWORD });
  const taken = await issue(sandbox, `${ENGINE}/static-creds/legacy`);
  await (await connect(sandbox, taken, "example")).end();
  expect(await asSuperuser(sandbox, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'legacy'")).toEqual([
    7,
  ]);
  expect(await workspace.plan()).toEqual([]);
  workspace.edit(stackOn(sandbox));
  await workspace.apply();
  await (await connect(sandbox, taken, "example")).end();
  await asSuperuser(sandbox, "DROP ROLE legacy");
});

test("a static login of an owner makes what belongs to the base role", async () => {
  workspace.edit((scope) => {
    const stack = stackOn(sandbox)(scope);
    const database = stack.node.findChild("Database") as PostgresDatabase;
    const owner = database.addBaseRole("owner", { access: Access.owner() });
    stack.connection.addStaticRole("owner", { login: database.addLogin("migrations", { baseRole: owner }) });
    return stack;
  });
  await workspace.apply();
  const client = await connect(sandbox, await issue(sandbox, `${ENGINE}/static-creds/owner`), "example");
  await client.query("CREATE TABLE public.made (id int)");
  const { rows } = await client.query("SELECT tableowner FROM pg_tables WHERE tablename = 'made'");
  expect(rows).toEqual([{ tableowner: "example_owner" }]);
  await client.query("DROP TABLE public.made");
  await client.end();
  expect(await workspace.plan()).toEqual([]);
  workspace.edit(stackOn(sandbox));
  await workspace.apply();
});

describe("without its static role", () => {
  let last: Credential;
  beforeAll(async () => {
    last = await issue(sandbox, STATIC);
    workspace.edit(stackOn(sandbox, { withStaticRole: false }));
    await workspace.apply();
  });

  test("a login stays, with its last password, and nobody reads it any more", async () => {
    await expect(sandbox.vault.client().read(STATIC)).rejects.toThrow();
    const client = await connect(sandbox, last, "example");
    await client.end();
    expect(await asSuperuser(sandbox, `SELECT rolname FROM pg_roles WHERE rolname = '${LOGIN}'`)).toEqual([
      LOGIN,
    ]);
    expect(await workspace.plan()).toEqual([]);
  });

  test("takes it up again, and after the leases everything is taken away", async () => {
    workspace.edit(stackOn(sandbox));
    await workspace.apply();
    await expect(connect(sandbox, last, "example")).rejects.toMatchObject({ code: INVALID_PASSWORD });
    await sandbox.vault.client().write(`sys/leases/revoke-prefix/${ENGINE}/creds`, { sync: true });
    await workspace.destroy();
    expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  });
});
