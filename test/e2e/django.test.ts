import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { LocalBackend } from "cdktf";
import { DjangoStack } from "../../examples/django-consul-template/django-stack";
import { Duration } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import type { Agent } from "./agent";
import { announce } from "./announce";
import { hasConsulTemplate, startAgentInstead, startConsulTemplate } from "./consul-template";
import { asSuperuser, connect, verdict, type Credential } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

const EXAMPLE = path.resolve(__dirname, "../../examples/django-consul-template");

let sandbox: Sandbox;
let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  const started = await startSandbox({ onProgress: announce });
  // The example has the document's mounts, "database" and "approle", which the documented rights do not reach.
  sandbox = { ...started, env: { ...started.env, VAULT_TOKEN: started.vault.rootToken } };
  folder = path.join(sandbox.directory, "django");
  fs.mkdirSync(folder, { mode: 0o700 });
  workspace = new Workspace(sandbox, "stack", (scope) => {
    const { env } = sandbox;
    const stack = new DjangoStack(scope, "django-consul-template", {
      vaultAddress: sandbox.vault.address,
      postgresHost: env.PGHOST ?? "",
      postgresPort: Number(env.PGPORT),
      postgresSslMode: "disable",
      databaseTemplate: parseInt(sandbox.postgres.version) < 15 ? "template1" : undefined,
      folder,
      tokenFile: path.join(folder, "token"),
      defaultTtl: Duration.seconds(4),
      maxTtl: Duration.seconds(8),
      deletionProtection: false,
    });
    new LocalBackend(stack, { path: path.join(workspace.directory, "terraform.tfstate") });
    return stack;
  });
  const password = `'${sandbox.managerPassword}'`;
  await asSuperuser(sandbox, sqlOf("engine-login.sql").replace(":'password'", password));
  await workspace.apply();
  await asSuperuser(sandbox, sqlOf("revoke-access.sql"), "testdb");
});
afterAll(() => sandbox?.stop());

const sqlOf = (file: string) => fs.readFileSync(path.join(EXAMPLE, file), "utf8");

/** As the README says: logs in by AppRole, and leaves the token where consul-template finds it. */
async function deliverToken(): Promise<string> {
  const vault = sandbox.vault.client();
  const { data } = await vault.write(workspace.output("secret_id_path"));
  const login = { role_id: workspace.output("role_id"), secret_id: data?.secret_id };
  const { auth } = await vault.withToken(undefined).write(workspace.output("login_path"), login);
  const token = sandbox.lifetime.remember(auth?.client_token ?? "");
  fs.writeFileSync(path.join(folder, "token"), token, { mode: 0o600 });
  return token;
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What Python makes of the settings. */
function settings(): Credential {
  fs.writeFileSync(path.join(folder, "base_settings.py"), "DEBUG = False\n");
  const script = "import json, settings; print(json.dumps(settings.DATABASES['default']))";
  const options = { cwd: folder, env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: "1" } };
  const database = JSON.parse(execFileSync("python3", ["-c", script], options).toString()) as {
    readonly NAME: string;
    readonly USER: string;
    readonly PASSWORD: string;
  };
  expect(database.NAME).toBe("testdb");
  return { username: database.USER, password: sandbox.lifetime.remember(database.PASSWORD), leaseId: "" };
}

const written = () => fs.existsSync(path.join(folder, "settings.py"));
const exists = async ({ username }: Credential) =>
  (await asSuperuser(sandbox, `SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length > 0;

async function changed(program: Agent, before: Credential): Promise<Credential> {
  await program.until("the settings changed", () => settings().username !== before.username);
  await program.until("the user before is gone", async () => !(await exists(before)));
  return settings();
}

test("settings.py follows the credentials, each of a superuser whose sessions and objects revoke_access sees to", async () => {
  if (!hasPython()) {
    announce("Skipped: settings.py, for there is no python3 on the PATH to read it");
    return;
  }
  const real = hasConsulTemplate();
  await deliverToken();
  const configuration = workspace.output("consul_template_configuration");
  const program = real
    ? startConsulTemplate(sandbox, folder, configuration)
    : await startAgentInstead(sandbox, folder, configuration);
  await program.until("the settings are there", written);
  expect(fs.statSync(path.join(folder, "settings.py")).mode & 0o777).toBe(0o600);

  const first = settings();
  const session = await connect(sandbox, first, "testdb");
  expect(await verdict(session, "CREATE TABLE public.polls (id int)")).toBe("ok");
  const superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
  expect((await session.query(superuser)).rows).toEqual([{ rolsuper: true }]);

  const second = await changed(program, first);
  // 57P01: ended by an administrator; without a code if that came before the statement.
  expect(await verdict(session, "SELECT 1")).not.toBe("ok");
  await expect(connect(sandbox, first, "testdb")).rejects.toMatchObject({ code: "28P01" });
  const owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'polls'";
  expect(await asSuperuser(sandbox, owner, "testdb")).toEqual(["terraform"]);
  await connect(sandbox, second, "testdb").then((client) => client.end());

  if (!real) return;
  // The token is good for ten requests; with it go its credentials. Another is delivered, and all goes on.
  await program.until("the token is used up", () => program.log.includes("permission denied"));
  const last = settings();
  await program.until("its user is gone", async () => !(await exists(last)));
  await deliverToken();
  const after = await changed(program, last);
  await connect(sandbox, after, "testdb").then((client) => client.end());
});
