// What a streaming replica does with a revocation on the primary, as docs/production.md says.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Client } from "pg";
import { freePorts } from "../../sandbox/ports";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { serverUser } from "../../sandbox/server-user";
import { announce } from "../e2e/announce";
import { asSuperuser, revoke, verdict, type Credential } from "../e2e/credential";
import { DATABASE, Scenario } from "../e2e/operator-scenario";
import { FULL, postgresToTry } from "./servers";

jest.setTimeout(180_000);

(FULL ? describe : describe.skip).each(postgresToTry)("a replica on $name", ({ binDirectory }) => {
  let sandbox: Sandbox;
  let scenario: Scenario;
  let port: number;
  let folder: string;

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce, postgresBinDirectory: binDirectory() });
    scenario = new Scenario(sandbox);
    await scenario.deploy();
    const migrations = await scenario.enter("migrations");
    const { client, credential } = await migrations.session("owner");
    await client.query("CREATE TABLE app.t (x text)");
    await client.end();
    await revoke(sandbox, credential);
    await startReplica();
  });
  afterAll(() => sandbox?.stop());

  /** A copy of the primary, taken while it is stopped, that follows it. */
  async function startReplica(): Promise<void> {
    const [bin] = await asSuperuser(sandbox, "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
    const { postgres, lifetime } = sandbox;
    const home = path.join(sandbox.directory, "postgres");
    folder = path.join(home, "replica");
    await postgres.stop();
    execFileSync("cp", ["-a", path.join(home, "data"), folder]);
    await postgres.start();
    fs.rmSync(path.join(folder, "postmaster.pid"), { force: true });
    fs.writeFileSync(path.join(folder, "standby.signal"), "");
    const primary = `host=${postgres.host} port=${postgres.port} user=${postgres.superuser} password=${postgres.superuserPassword}`;
    fs.appendFileSync(
      path.join(folder, "postgresql.conf"),
      `\nprimary_conninfo = '${primary}'\nhot_standby = on\n`,
    );
    [port = 0] = await freePorts(1);
    lifetime.start({
      command: path.join(String(bin), "postgres"),
      args: ["-D", folder, "-p", String(port)],
      env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
      cwd: home,
      user: serverUser(),
      logFile: path.join(sandbox.directory, "replica.log"),
    });
    await until(async () => (await onReplica("SELECT pg_is_in_recovery()"))[0] === true);
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await holds().catch(() => false))) {
      if (Date.now() > deadline) throw new Error("it does not come to hold within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function login(user: string, password: string): Promise<Client> {
    const client = new Client({ host: "127.0.0.1", port, user, password, database: DATABASE });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
  const enter = ({ username, password }: Credential) => login(username, password);

  async function onReplica(sql: string): Promise<unknown[]> {
    const client = await login(sandbox.postgres.superuser, sandbox.postgres.superuserPassword);
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    await client.end();
    return rows.map((row) => row[0]);
  }

  /** A session on the replica, once the replica knows the user. */
  async function session(application: string, role: string) {
    const group = await scenario.enter(application);
    const credential = await group.issue(role);
    await until(async () => (await present(credential)) === 1);
    return { credential, client: await enter(credential) };
  }
  const present = async ({ username }: Credential) =>
    (await onReplica(`SELECT 1 FROM pg_roles WHERE rolname = '${username}'`)).length;
  const goneThere = (credential: Credential) => until(async () => (await present(credential)) === 0);

  test("lets an owner's session read on after the revocation, and nobody in", async () => {
    const { credential, client } = await session("migrations", "owner");
    await revoke(sandbox, credential);
    await goneThere(credential);
    expect(await verdict(client, "SELECT * FROM app.t")).toBe("ok");
    await expect(enter(credential)).rejects.toMatchObject({ code: "28P01" });
    await client.end();
  });

  test("refuses everything to a reader's session from PostgreSQL 16 on; before, it may have become its base role", async () => {
    const { credential, client } = await session("reports", "reader");
    const became = await verdict(client, "SET ROLE shop_local_reader");
    await revoke(sandbox, credential);
    await goneThere(credential);
    const reads = await verdict(client, "SELECT * FROM app.t");
    const isKept = parseInt(sandbox.postgres.version) < 16;
    expect([became, reads]).toEqual(isKept ? ["ok", "ok"] : ["42501", "42501"]);
    await client.end();
  });

  test("shows the session to status, and revoke --end-sessions ends it, where PGPORT is the replica's", async () => {
    const { credential, client } = await session("migrations", "owner");
    await revoke(sandbox, credential);
    await goneThere(credential);
    const there = { PGPORT: String(port) };
    expect((await scenario.run("status", [])).out).not.toContain("session without role");
    const status = await scenario.run("status", ["--json"], there);
    expect(status.code).toBe(1);
    expect(status.out).toContain("session");
    expect(await verdict(client, "SELECT 1")).toBe("ok");
    expect((await scenario.run("revoke", ["--all", "--end-sessions", "--yes"], there)).code).toBe(0);
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
  });

  test("ends it by idle_session_timeout of its own", async () => {
    fs.appendFileSync(path.join(folder, "postgresql.conf"), "\nidle_session_timeout = '1s'\n");
    await onReplica("SELECT pg_reload_conf()");
    const { credential, client } = await session("migrations", "owner");
    await revoke(sandbox, credential);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await verdict(client, "SELECT 1")).not.toBe("ok");
  });

  test("lets no owner in at all, by a line of pg_hba.conf", async () => {
    const hba = path.join(folder, "pg_hba.conf");
    fs.writeFileSync(hba, `host all +shop_local_owner all reject\n${fs.readFileSync(hba, "utf8")}`);
    await onReplica("SELECT pg_reload_conf()");
    const owner = await (await scenario.enter("migrations")).issue("owner");
    const reader = await (await scenario.enter("reports")).issue("reader");
    await until(async () => (await present(owner)) + (await present(reader)) === 2);
    await until(() =>
      enter(owner).then(
        () => false,
        () => true,
      ),
    );
    await expect(enter(owner)).rejects.toMatchObject({ code: "28000" });
    await (await enter(reader)).end();
  });
});
