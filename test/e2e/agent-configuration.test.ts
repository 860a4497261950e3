import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { App, TerraformStack } from "cdktf";
import { VaultClient } from "../../cli/vault-client";
import {
  AppRole,
  AppRoleAuth,
  CredentialsTemplate,
  Duration,
  OnChange,
  VaultAgentConfiguration,
  type CredentialsFile,
  type VaultAgentConfigurationProps,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { Agent } from "./agent";
import { announce } from "./announce";

jest.setTimeout(90_000);

// What a careless quoting would break at; the engine itself makes tamer ones.
const CREDENTIALS = { username: `it's "$HOME" \\ {{ x }} <é>`, password: "p`id`'\\\"%{x} #&=" };
const source = { credsPath: "odd/creds" };

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce, terraform: false });
  await prepare(sandbox.vault.client());
});
afterAll(() => sandbox?.stop());

/** Credentials, and an AppRole that may read them. */
async function prepare(vault: VaultClient): Promise<void> {
  await vault.write("sys/mounts/odd", { type: "kv", options: { version: "1" } });
  await vault.write(source.credsPath, { ...CREDENTIALS, ttl: "1s" });
  await vault.write("sys/policies/acl/odd", { policy: 'path "odd/creds" { capabilities = ["read"] }' });
  await vault.write("sys/auth/approle", { type: "approle" });
  await vault.write("auth/approle/role/odd", { token_policies: ["odd"] });
}

type Changes = Partial<Omit<VaultAgentConfigurationProps, "files" | "appRole">>;

/** Starts an agent that writes these files into a folder of its own. */
async function start(
  name: string,
  files: (folder: string) => Omit<CredentialsFile, "source">[],
  changes: Changes = {},
  /** Whether its SecretID has ended by then. */
  ended = false,
): Promise<{ agent: Agent; folder: string }> {
  const folder = path.join(sandbox.directory, name);
  fs.mkdirSync(folder, { mode: 0o700 });
  const vault = new VaultClient({
    address: sandbox.vault.address,
    token: sandbox.vault.rootToken,
    namespace: changes.namespace,
  });
  const { data } = await vault.read("auth/approle/role/odd/role-id");
  const issued = await vault.call({
    method: "PUT",
    path: "auth/approle/role/odd/secret-id",
    wrapSeconds: changes.secretIdWrapped === true ? 60 : undefined,
  });
  const secret = String(changes.secretIdWrapped === true ? issued.wrap_info?.token : issued.data?.secret_id);
  fs.writeFileSync(path.join(folder, "role-id"), String(data?.role_id));
  fs.writeFileSync(path.join(folder, "secret-id"), sandbox.lifetime.remember(secret), { mode: 0o600 });
  if (ended) {
    await vault.write("auth/approle/role/odd/secret-id/destroy", { secret_id: secret });
  }
  const stack = new TerraformStack(new App({ stackTraces: false }), "stack");
  const auth = AppRoleAuth.fromPath(stack, "AppRoles", "approle");
  const { text } = new VaultAgentConfiguration(stack, "Agent", {
    address: sandbox.vault.address,
    appRole: AppRole.fromName(stack, "AppRole", { auth, name: "odd" }),
    roleIdFile: path.join(folder, "role-id"),
    secretIdFile: path.join(folder, "secret-id"),
    files: files(folder).map((file) => ({ ...file, source })),
    ...changes,
  });
  return { agent: await Agent.start(sandbox, folder, text), folder };
}

const modeOf = (file: string) => fs.statSync(file).mode & 0o777;

test("credentials of any characters reach an environment file, JSON and a text as they are", async () => {
  const { agent, folder } = await start("formats", (folder) => [
    { path: `${folder}/env`, template: CredentialsTemplate.env({ values: { PGHOST: "it's" } }) },
    { path: `${folder}/json`, template: CredentialsTemplate.json({ values: { host: 'a"b', port: 5432 } }) },
    {
      path: `${folder}/text`,
      permissions: "0640",
      template: CredentialsTemplate.text('{{ "$" }}{user} {{ .Data.username }}\n\t{{ .Data.password }}'),
    },
  ]);
  const files = ["env", "json", "text"].map((name) => path.join(folder, name));
  await agent.until("the files are there", () => files.every((file) => fs.existsSync(file)));
  expect(files.map(modeOf)).toEqual([0o600, 0o600, 0o640]);
  const [env = "", json = "", text = ""] = files;
  const shown = execFileSync("/bin/sh", [
    "-c",
    `. "$1" && printf '%s\\n' "$PGHOST" "$PGUSER" "$PGPASSWORD"`,
    "sh",
    env,
  ]);
  expect(shown.toString()).toBe(`it's\n${CREDENTIALS.username}\n${CREDENTIALS.password}\n`);
  expect(JSON.parse(fs.readFileSync(json, "utf8"))).toEqual({ host: 'a"b', port: 5432, ...CREDENTIALS });
  expect(fs.readFileSync(text, "utf8")).toBe(`\${user} ${CREDENTIALS.username}\n\t${CREDENTIALS.password}`);
  // The agent keeps its token to itself, and leaves no SecretID behind.
  expect(fs.readdirSync(folder).sort()).toEqual([
    "agent.json",
    "agent.log",
    "env",
    "json",
    "role-id",
    "text",
  ]);
});

test("an agent takes a wrapped SecretID", async () => {
  const { agent, folder } = await start("wrapped", (folder) => [{ path: `${folder}/json` }], {
    secretIdWrapped: true,
  });
  await agent.until("the file is there", () => fs.existsSync(path.join(folder, "json")));
  expect(fs.existsSync(path.join(folder, "secret-id"))).toBe(false);
});

test("after a change an agent runs a program, though it may fail, and signals the process of a file", async () => {
  const folder = path.join(sandbox.directory, "change");
  const application = spawn("/bin/sh", [
    "-c",
    `trap 'echo got' HUP; echo ready; while :; do sleep 0.1; done`,
  ]);
  try {
    let said = "";
    application.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const { agent } = await start("change", () => [
      { path: `${folder}/a`, onChange: OnChange.command(["/bin/cp", `${folder}/a`, `${folder}/a $HOME;b`]) },
      { path: `${folder}/c`, onChange: OnChange.command(["/bin/sh", "-c", "exit 3"]) },
      { path: `${folder}/b`, onChange: OnChange.signal("SIGHUP", `${folder}/pid`) },
    ]);
    await agent.until("the program ran", () => fs.existsSync(path.join(folder, "a $HOME;b")));
    // There is no such process yet, which is no failure.
    await agent.until("the second file is there", () => fs.existsSync(path.join(folder, "b")));
    await agent.until("the application is ready", () => said.includes("ready"));
    fs.writeFileSync(path.join(folder, "pid"), `${application.pid}\n`);
    await sandbox.vault.client().write(source.credsPath, { ...CREDENTIALS, password: "new", ttl: "1s" });
    await agent.until("the file has changed", () =>
      fs.readFileSync(path.join(folder, "b"), "utf8").includes('"new"'),
    );
    await agent.until("the application got the signal", () => said.includes("got"));
    // An agent that knew of the failure would read credentials over and over.
    expect(agent.log).toContain("exit code 3 of /bin/sh");
    expect(agent.log).not.toContain("template server error");
  } finally {
    application.kill("SIGKILL");
    await sandbox.vault.client().write(source.credsPath, { ...CREDENTIALS, ttl: "1s" });
  }
});

test("an agent whose SecretID has ended tries so seldom that others with a good one log in", async () => {
  const vault = sandbox.vault.client();
  // As much as the servers' default of 5 within 15 minutes, sooner: the agent's own waits are 1 s, 2 s and so on.
  const lockout = { lockout_threshold: "2", lockout_duration: "60", lockout_counter_reset_duration: "60" };
  await vault.write("sys/mounts/auth/approle/tune", { user_lockout_config: lockout });
  const { agent, folder } = await start("stale", (folder) => [{ path: `${folder}/json` }], {}, true);
  await agent.until("a login has failed", () => agent.log.includes("error authenticating"));
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const issued = await vault.call({ method: "PUT", path: "auth/approle/role/odd/secret-id" });
  const secret = sandbox.lifetime.remember(String(issued.data?.secret_id));
  const roleId = fs.readFileSync(path.join(folder, "role-id"), "utf8");
  const login = { role_id: roleId, secret_id: secret };
  await expect(vault.write("auth/approle/login", login)).resolves.toBeDefined();
  expect(agent.log.match(/error authenticating/g)).toHaveLength(1);
  expect(agent.running.isRunning()).toBe(true);
  await agent.running.stop("SIGTERM", 10_000);
});

test("an agent whose SecretID has ended stops, if told to, and has nobody locked out", async () => {
  const file = (folder: string) => [{ path: `${folder}/json` }];
  const { agent } = await start("ended", file, { exitOnLoginFailure: true }, true);
  expect(await agent.running.exited).not.toBe(0);
  expect(agent.log.match(/error authenticating/g)).toHaveLength(1);
  // Started again, as by systemd, it has no SecretID any more, and does not ask the server.
  const again = await Agent.start(
    sandbox,
    path.join(sandbox.directory, "ended"),
    fs.readFileSync(path.join(sandbox.directory, "ended", "agent.json"), "utf8"),
  );
  expect(await again.running.exited).not.toBe(0);
  // In the same log.
  expect(again.log).toContain("no known secret ID");
  expect(again.log.match(/error authenticating/g)).toHaveLength(1);
});

test("an agent waits after a failed login as long as it is told", async () => {
  const loginBackoff = { min: Duration.minutes(4), max: Duration.minutes(20) };
  const { agent } = await start("patient", (folder) => [{ path: `${folder}/json` }], { loginBackoff }, true);
  await agent.until("a login has failed", () => agent.log.includes("error authenticating"));
  expect(agent.log).toMatch(/backoff="?[34]m\d/);
  await agent.running.stop("SIGTERM", 10_000);
});

test("an agent works in a namespace", async () => {
  if (sandbox.vault.product === "Vault") {
    announce("Skipped: namespaces, which Vault has in its Enterprise edition only");
    return;
  }
  await sandbox.vault.client().write("sys/namespaces/team");
  const { address, rootToken: token } = sandbox.vault;
  await prepare(new VaultClient({ address, token, namespace: "team" }));
  const { agent, folder } = await start("namespace", (folder) => [{ path: `${folder}/json` }], {
    namespace: "team",
  });
  await agent.until("the file is there", () => fs.existsSync(path.join(folder, "json")));
});
