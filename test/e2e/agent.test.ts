import * as fs from "node:fs";
import * as path from "node:path";
import { LocalBackend } from "cdktf";
import { EctoAgentStack } from "../../examples/ecto-agent/ecto-agent-stack";
import { RotatingPool } from "../../examples/ecto-agent/rotating-pool";
import { Duration } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { Agent } from "./agent";
import { announce } from "./announce";
import { asSuperuser } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

const DEFAULT_TTL = 4;
const MAX_TTL = 8;

let sandbox: Sandbox;
let agent: Agent;
let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  const started = await startSandbox({ onProgress: announce });
  // The example has the document's mounts, "database" and "approle", which the documented rights do not reach.
  sandbox = { ...started, env: { ...started.env, VAULT_TOKEN: started.vault.rootToken } };
  folder = path.join(sandbox.directory, "application");
  fs.mkdirSync(folder, { mode: 0o700 });
  workspace = new Workspace(sandbox, "ecto", (scope) => {
    const { env } = sandbox;
    const stack = new EctoAgentStack(scope, "ecto-agent", {
      vaultAddress: sandbox.vault.address,
      postgresHost: env.PGHOST ?? "",
      postgresPort: Number(env.PGPORT),
      postgresSslMode: "disable",
      databaseTemplate: parseInt(sandbox.postgres.version) < 15 ? "template1" : undefined,
      folder,
      defaultTtl: Duration.seconds(DEFAULT_TTL),
      maxTtl: Duration.seconds(MAX_TTL),
      deletionProtection: false,
    });
    new LocalBackend(stack, { path: path.join(workspace.directory, "terraform.tfstate") });
    return stack;
  });
  await workspace.apply();
});
afterAll(() => sandbox?.stop());

/** Does what the README says, as an operator. */
async function start(): Promise<Agent> {
  fs.writeFileSync(path.join(folder, "role_id"), workspace.output("role_id"), { mode: 0o600 });
  const issued = await sandbox.vault.client().write(workspace.output("secret_id_path"));
  const secretId = sandbox.lifetime.remember(String(issued.data?.secret_id));
  fs.writeFileSync(path.join(folder, "secret_id"), secretId, { mode: 0o600 });
  return Agent.start(sandbox, folder, workspace.output("agent_configuration"));
}

const exists = async (user: string) =>
  (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${user}'`)).length > 0;

test("an application follows its agent through rotations without a failed request", async () => {
  const credentials = path.join(folder, "credentials.json");
  agent = await start();
  await agent.until("the agent wrote the credentials", () => fs.existsSync(credentials));
  expect(fs.statSync(credentials).mode & 0o777).toBe(0o600);

  const users: string[] = [];
  const people = await RotatingPool.open({
    file: credentials,
    ssl: false,
    // Fewer than there are requests, so that some wait for a connection when the pool is swapped.
    max: 3,
    pollMs: 100,
    onRotation: (user) => users.push(user),
  });
  const first = people.username;
  await people.query("CREATE SCHEMA ecto");
  await people.query("CREATE TABLE ecto.person (id serial PRIMARY KEY, first_name text)");

  let running = true;
  let served = 0;
  const failures: unknown[] = [];
  const request = "INSERT INTO ecto.person (first_name) SELECT 'request' FROM pg_sleep(0.01)";
  const requests = Array.from({ length: 8 }, async () => {
    while (running) {
      await people.query(request).then(
        () => served++,
        (error: unknown) => failures.push(error),
      );
    }
  });

  // Runs across a rotation, and past the end of the lease under which it began.
  await people.transaction(async (client) => {
    const { rows } = await client.query<{ user: string }>("SELECT session_user AS user");
    expect(rows[0]?.user).toBe(first);
    await client.query("INSERT INTO ecto.person (first_name) VALUES ('before')");
    await agent.until("the first user is gone", async () => !(await exists(first)));
    await client.query("INSERT INTO ecto.person (first_name) VALUES ('after')");
  });
  await agent.until("there were three rotations", () => users.length >= 3, 60);
  running = false;
  await Promise.all(requests);
  await people.close();

  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(300);
  expect(new Set([first, ...users]).size).toBe(users.length + 1);
  expect(fs.statSync(credentials).mode & 0o777).toBe(0o600);
  const person = (name: string) =>
    asSuperuser(sandbox, `SELECT count(*)::int FROM ecto.person WHERE first_name = '${name}'`, "my_database");
  expect([await person("before"), await person("after"), await person("request")]).toEqual([
    [1],
    [1],
    [served],
  ]);
  // Whoever made it is gone; it belongs to the base role.
  expect(
    await asSuperuser(sandbox, "SELECT tableowner FROM pg_tables WHERE tablename = 'person'", "my_database"),
  ).toEqual(["base_role"]);
  await agent.until("no session is left", async () => {
    const sessions = "SELECT 1 FROM pg_stat_activity WHERE datname = 'my_database' AND usename LIKE 'v-%'";
    return (await asSuperuser(sandbox, sessions)).length === 0;
  });
});
