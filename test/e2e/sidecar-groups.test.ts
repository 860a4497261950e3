import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { LocalBackend } from "cdktf";
import { endGroup } from "../../cli/end-group";
import { EchoServer } from "../../examples/sidecar-groups/echo-server";
import { SidecarGroupsStack } from "../../examples/sidecar-groups/sidecar-groups-stack";
import { Duration } from "../../lib";
import { inherited } from "../../sandbox/deployment";
import type { Running } from "../../sandbox/lifetime";
import type { MariadbServer } from "../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { Agent } from "./agent";
import { announce } from "./announce";
import {
  asRoot,
  describeWithMariadb,
  loginOf,
  sessionsOf,
  startMariadb,
  usersLike,
  verdictOf,
} from "./mariadb";
import { Workspace } from "./workspace";

jest.setTimeout(180_000);

const ENGINE = "example/database";
const AUTH = "example/approle";
const CREDS = `${ENGINE}/creds/readonly`;
const TTL = 6;
const GROUPS = ["rack-a", "rack-b"] as const;
type GroupName = (typeof GROUPS)[number];

describeWithMariadb("two groups on one role of MariaDB", () => {
  let sandbox: Sandbox;
  let mariadb: MariadbServer;
  let workspace: Workspace;
  const agents: Partial<Record<GroupName, Agent>> = {};
  const servers: Partial<Record<GroupName, EchoServer>> = {};

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce });
    mariadb = await startMariadb(sandbox);
    await asRoot(mariadb, "CREATE TABLE echo.words (word text)");
    workspace = new Workspace(sandbox, "sidecar", (scope) => {
      const stack = new SidecarGroupsStack(scope, "example", {
        vaultAddress: sandbox.vault.address,
        mysql: { host: mariadb.host, port: mariadb.port, caCertificate: mariadb.caCertificate },
        groups: GROUPS.map((name) => ({
          name,
          configurationFolder: folder(name),
          runtimeFolder: folder(name),
        })),
        defaultTtl: Duration.seconds(TTL),
        enginePath: ENGINE,
        authPath: AUTH,
      });
      new LocalBackend(stack, { path: path.join(workspace.directory, "terraform.tfstate") });
      return stack;
    });
    await workspace.apply();
    for (const name of GROUPS) {
      fs.mkdirSync(folder(name), { mode: 0o700 });
      await start(name);
      servers[name] = await EchoServer.start({
        configurationFile: file(name),
        port: 0,
        caCertificate: mariadb.caCertificate,
      });
    }
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.close();
    await sandbox?.stop();
  });

  const folder = (name: GroupName) => path.join(sandbox.directory, name);
  const file = (name: GroupName) => path.join(folder(name), "database.json");

  function output(name: string): string {
    const state = fs.readFileSync(path.join(workspace.directory, "terraform.tfstate"), "utf8");
    return String(
      (JSON.parse(state) as { outputs: Record<string, { value: unknown }> }).outputs[name]?.value,
    );
  }

  /** Delivers a SecretID and starts the agent, as an operator and systemd do. */
  async function start(name: GroupName): Promise<void> {
    const { data } = await sandbox.vault.client().write(`auth/${AUTH}/role/${name}/secret-id`);
    const secretId = sandbox.lifetime.remember(String(data?.secret_id));
    fs.writeFileSync(path.join(folder(name), "role_id"), output(`role_id_${name}`), { mode: 0o600 });
    fs.writeFileSync(path.join(folder(name), "secret_id"), secretId, { mode: 0o600 });
    fs.rmSync(file(name), { force: true });
    const agent = await Agent.start(sandbox, folder(name), output(`agent_${name}`));
    agents[name] = agent;
    await agent.until("the agent wrote the file", () => fs.existsSync(file(name)));
  }

  function credentials(name: GroupName): { username: string; password: string } {
    return JSON.parse(fs.readFileSync(file(name), "utf8")) as { username: string; password: string };
  }

  function session(name: GroupName) {
    const { username, password } = credentials(name);
    return mariadb.connectAs(username, sandbox.lifetime.remember(password));
  }

  /** What a client of the application is told, after it has typed a line. */
  const ask = (name: GroupName, line: string) => askAt(servers[name]?.port ?? 0, line);

  async function askAt(port: number, line: string): Promise<string> {
    const client = net.connect(port, "127.0.0.1");
    let said = "";
    client.setEncoding("utf8").on("data", (text: string) => (said += text));
    client.write(line);
    await new Promise<void>((resolve, reject) => {
      client.on("data", () => said.includes(line) && client.end());
      client.once("close", () => resolve());
      client.once("error", reject);
    });
    return said;
  }

  const leases = () => sandbox.vault.client().list(`sys/leases/lookup/${CREDS}`);

  test("each application shows its clients the databases, and says back what they type", async () => {
    for (const name of GROUPS) {
      expect(fs.statSync(file(name)).mode & 0o777).toBe(0o600);
      const said = await ask(name, "hello\n");
      expect(said).toMatch(/^Welcome to echoserver\./);
      expect(said).toMatch(/\necho\ninformation_schema\nhello\n$/);
    }
    expect(credentials("rack-a").username).not.toBe(credentials("rack-b").username);
  });

  test("a credential reads, writes nothing, and sees no other database", async () => {
    const connection = await session("rack-a");
    expect(await verdictOf(connection, "SELECT * FROM echo.words")).toBe("ok");
    expect(await verdictOf(connection, "INSERT INTO echo.words VALUES ('x')")).toBe(
      "ER_TABLEACCESS_DENIED_ERROR",
    );
    expect(await verdictOf(connection, "CREATE TABLE echo.more (id int)")).toBe(
      "ER_TABLEACCESS_DENIED_ERROR",
    );
    expect(await verdictOf(connection, "SELECT user FROM mysql.user")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    expect(await verdictOf(connection, "CREATE USER made")).toBe("ER_SPECIFIC_ACCESS_DENIED_ERROR");
    await connection.end();
  });

  test("the leases of the role are what is held: one a group, of one user each", async () => {
    expect(await leases()).toHaveLength(2);
    const users = GROUPS.map((name) => credentials(name).username).sort();
    expect(await usersLike(mariadb, "v-%")).toEqual(users);
  });

  test("tokens are renewable for ever, 32 days at a time", async () => {
    const vault = sandbox.vault.client();
    const periods: unknown[] = [];
    for (const accessor of await vault.list("auth/token/accessors")) {
      const { data } = await vault.write("auth/token/lookup-accessor", { accessor });
      if (data?.path === `auth/${AUTH}/login`)
        periods.push({ period: data.period, renewable: data.renewable });
    }
    expect(periods).toEqual(GROUPS.map(() => ({ period: 2_764_800, renewable: true })));
  });

  test("an agent whose lease is revoked obtains another, and its application goes on", async () => {
    const before = credentials("rack-a");
    const connection = await session("rack-a");
    const vault = sandbox.vault.client();
    for (const lease of await leases()) {
      await vault.write("sys/leases/revoke", { lease_id: `${CREDS}/${lease}`, sync: true });
    }
    expect(await verdictOf(connection, "SELECT 1")).not.toBe("ok");
    expect(await loginOf(mariadb, before.username, before.password)).toBe("ER_ACCESS_DENIED_ERROR");
    await agents["rack-a"]?.until(
      "the file has changed",
      () => credentials("rack-a").username !== before.username,
    );
    await agents["rack-b"]?.until("all is well", async () => (await leases()).length === 2);
    expect(await ask("rack-a", "again\n")).toMatch(/\necho\n.*again\n$/s);
  });

  test("ending a group cuts it off in MariaDB, with its sessions, and leaves the other at work", async () => {
    const ended = credentials("rack-a");
    const kept = credentials("rack-b");
    const cut = await session("rack-a");
    const going = await session("rack-b");
    const began = Date.now();
    expect(await endGroup(sandbox.vault.client(), { mount: AUTH, name: "rack-a" })).toEqual({
      tokens: 1,
      secretIds: 1,
    });
    await agents["rack-b"]?.until("the user is gone", async () => {
      return (
        (await usersLike(mariadb, ended.username)).length + (await sessionsOf(mariadb, ended.username)) === 0
      );
    });
    announce(`Cut off after ${Date.now() - began} ms`);
    expect(await verdictOf(cut, "SELECT 1")).not.toBe("ok");
    expect(await loginOf(mariadb, ended.username, ended.password)).toBe("ER_ACCESS_DENIED_ERROR");
    expect(await ask("rack-a", "hello\n")).toBe("The database cannot be asked.\n");

    expect(await verdictOf(going, "SELECT * FROM echo.words")).toBe("ok");
    expect(credentials("rack-b")).toEqual(kept);
    expect(await ask("rack-b", "hello\n")).toMatch(/hello\n$/);
    // The same session, past the time at which its credential would have ended unless renewed.
    await new Promise((resolve) => setTimeout(resolve, TTL * 1500));
    expect(await verdictOf(going, "SELECT * FROM echo.words")).toBe("ok");
    await going.end();
    expect(await leases()).toHaveLength(1);
  });

  test("an ended group has nobody left to log in, until it is given a new SecretID", async () => {
    expect(await endGroup(sandbox.vault.client(), { mount: AUTH, name: "rack-a" })).toEqual({
      tokens: 0,
      secretIds: 0,
    });
    await agents["rack-a"]?.running.stop("SIGTERM", 10_000);
    expect(agents["rack-a"]?.log).toMatch(/invalid (role or secret id|secret id)|permission denied/i);
    await start("rack-a");
    expect(await ask("rack-a", "back\n")).toMatch(/\necho\n.*back\n$/s);
  });

  test("the engine's password is rotated, and nothing of the deployment differs", async () => {
    await sandbox.vault.client().write(`${ENGINE}/rotate-root/mysql`);
    expect(await loginOf(mariadb, "credentials_manager", sandbox.managerPassword)).toBe(
      "ER_ACCESS_DENIED_ERROR",
    );
    const { lease_id } = await sandbox.vault.client().read(CREDS);
    await sandbox.vault.client().write("sys/leases/revoke", { lease_id, sync: true });
    expect(await workspace.plan()).toEqual([]);
    expect(
      workspace.files().filter((each) => fs.readFileSync(each).includes(sandbox.managerPassword)),
    ).toEqual([]);
  });

  /** A program of the example, as a user runs it. */
  function run(program: string, args: readonly string[], env: Record<string, string>): Running {
    return sandbox.lifetime.start({
      command: process.execPath,
      args: ["--import", "tsx", program, ...args],
      cwd: path.resolve(__dirname, "../../examples/sidecar-groups"),
      env: { ...inherited(process.env), ...env },
      logFile: path.join(sandbox.directory, `${path.parse(program).name}.log`),
    });
  }

  test("the example's programs run the application and end a group", async () => {
    const caFile = path.join(sandbox.directory, "mariadb-ca.pem");
    fs.writeFileSync(caFile, mariadb.caCertificate);
    const application = run("application.ts", [], {
      CONFIGURATION_FILE: file("rack-a"),
      ECHO_PORT: "0",
      MYSQL_CA_FILE: caFile,
    });
    const log = () => fs.readFileSync(application.logFile, "utf8");
    await agents["rack-b"]?.until("the application runs", () => log().includes("echoserver on port"));
    expect(await askAt(Number(/port (\d+)/.exec(log())?.[1]), "hello\n")).toMatch(/\necho\n.*hello\n$/s);
    const ending = run("end-group.ts", ["rack-a", AUTH], {
      VAULT_ADDR: sandbox.vault.address,
      VAULT_TOKEN: sandbox.vault.rootToken,
    });
    expect(await ending.exited).toBe(0);
    expect(fs.readFileSync(ending.logFile, "utf8")).toBe("rack-a: 1 tokens revoked, 1 SecretIDs destroyed\n");
    await application.stop("SIGTERM", 10_000);
    expect(await application.exited).toBe(0);
    expect(log()).not.toContain(credentials("rack-a").password);
  });

  test("once its groups are ended, everything is taken away", async () => {
    for (const name of GROUPS) await endGroup(sandbox.vault.client(), { mount: AUTH, name });
    await agents["rack-b"]?.until("no lease is left", async () => (await leases()).length === 0);
    expect(await usersLike(mariadb, "v-%")).toEqual([]);
    await workspace.destroy();
    const { data } = await sandbox.vault.client().read("sys/mounts");
    expect(Object.keys(data ?? {})).not.toContain(`${ENGINE}/`);
  });
});
