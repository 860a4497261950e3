import * as fs from "node:fs";
import * as net from "node:net";
import { Client } from "pg";
import { VaultClient } from "../../cli/vault-client";
import { isAlive } from "../../sandbox/process-tree";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { problemOf } from "./helpers";

jest.setTimeout(180_000);

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
});
afterAll(() => sandbox.stop());

function deployerLogin(): Client {
  const { postgres, deployer } = sandbox;
  return new Client({
    host: postgres.host,
    port: postgres.port,
    user: deployer.postgresUser,
    password: deployer.postgresPassword,
    database: "postgres",
  });
}

test("the servers listen on the loopback address only", () => {
  expect(sandbox.postgres.host).toBe("127.0.0.1");
  expect(new URL(sandbox.vault.address).hostname).toBe("127.0.0.1");
  if (process.platform !== "linux") return;
  const ports = [sandbox.postgres.port, Number(new URL(sandbox.vault.address).port)];
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"].filter((file) => fs.existsSync(file))) {
    const listeners = fs
      .readFileSync(table, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => fields[1]?.split(":") ?? [])
      .filter(([, port]) => ports.includes(parseInt(port ?? "", 16)));
    expect(listeners.every(([address]) => address === "0100007F")).toBe(true);
  }
});

test("nothing with a secret can be read by other users, nor is one on a command line", () => {
  const commandLines = [sandbox.postgres.pid, sandbox.vault.pid].map((pid) =>
    process.platform === "linux" ? fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") : "",
  );
  expect(sandbox.lifetime.allSecrets().length).toBeGreaterThanOrEqual(6);
  for (const secret of sandbox.lifetime.allSecrets()) expect(commandLines.join()).not.toContain(secret);
  const files = fs.readdirSync(sandbox.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map((entry) => entry.name)).toContain("postgres.log");
  for (const { name } of files) {
    expect(fs.statSync(`${sandbox.directory}/${name}`).mode & 0o077).toBe(0);
    const content = fs.readFileSync(`${sandbox.directory}/${name}`, "utf8");
    for (const secret of sandbox.lifetime.allSecrets()) expect(content).not.toContain(secret);
  }
});

test("the deployer's login may make roles and databases and is no superuser", async () => {
  const client = deployerLogin();
  await client.connect();
  const { rows } = await client.query(
    "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user",
  );
  await client.end();
  expect(rows).toEqual([
    { rolsuper: false, rolcreaterole: true, rolcreatedb: true, rolreplication: false, rolbypassrls: false },
  ]);
});

test("a wrong password is refused", async () => {
  const client = deployerLogin();
  client.password = "wrong";
  await expect(client.connect()).rejects.toMatchObject({ code: "28P01" });
});

test("the deployer's token reads no credential and issues no SecretID; the verifier's issues wrapped ones only", async () => {
  const root = sandbox.vault.client();
  await root.write("sys/auth/app-test/approle", { type: "approle" });
  await root.write("auth/app-test/approle/role/web", { token_ttl: 60 });
  const deployer = root.withToken(sandbox.deployer.vaultToken);
  const verifier = root.withToken(sandbox.verifier.vaultToken);
  const path = "auth/app-test/approle/role/web/secret-id";
  const status = async (client: VaultClient, wrapSeconds?: number) =>
    (await client.send({ method: "PUT", path, body: {}, wrapSeconds })).status;
  expect(await status(deployer, 60)).toBe(403);
  expect(await status(verifier)).toBe(403);
  expect(await status(verifier, 60)).toBe(200);
  await expect(deployer.read("app-test/database/creds/reader")).rejects.toThrow(/403/);
  await expect(deployer.write("sys/policies/acl/other", { policy: "" })).rejects.toThrow(/403/);
  await root.delete("sys/auth/app-test/approle");
});

test("an error of the client names path and status and no token", async () => {
  const token = "hvs.not-a-token-of-this-server";
  const client = new VaultClient({ address: sandbox.vault.address, token });
  const problem = await problemOf(client.read("sys/policies/acl/x"));
  expect(problem).toMatch(/GET sys\/policies\/acl\/x: 403 /);
  expect(problem).not.toContain(token);
});

test("Vault keeps its data when it stops and starts", async () => {
  const { vault } = sandbox;
  await vault.client().write("sys/policies/acl/kept", { policy: 'path "x" { capabilities = ["read"] }' });
  const pid = vault.pid;
  await vault.stop();
  expect(pid === undefined || isAlive(pid)).toBe(false);
  await expect(vault.client().read("sys/policies/acl/kept")).rejects.toThrow(/ECONNREFUSED/);
  await vault.start();
  const { data } = await vault.client().read("sys/policies/acl/kept");
  expect(data?.name).toBe("kept");
});

test("PostgreSQL keeps its data and its port when it stops and starts", async () => {
  const { postgres } = sandbox;
  const before = await postgres.connect();
  await before.query("CREATE TABLE kept AS SELECT 42 AS answer");
  const { port, pid } = postgres;
  await postgres.stop();
  expect(pid === undefined || isAlive(pid)).toBe(false);
  await expect(postgres.connect()).rejects.toThrow(/ECONNREFUSED/);
  await postgres.start();
  expect(postgres.port).toBe(port);
  const after = await postgres.connect();
  expect((await after.query("SELECT answer FROM kept")).rows).toEqual([{ answer: 42 }]);
  await after.end();
});

test("a port that was taken meanwhile is an error that shows the log", async () => {
  const { postgres } = sandbox;
  await postgres.stop();
  const intruder = net.createServer((socket) => socket.destroy()).listen(postgres.port, postgres.host);
  await new Promise((resolve) => intruder.once("listening", resolve));
  const problem = await problemOf(postgres.start());
  await new Promise((resolve) => intruder.close(resolve));
  expect(problem).toMatch(/PostgreSQL did not start on 127\.0\.0\.1:\d+/);
  expect(problem).toMatch(/Address already in use/i);
  await postgres.start();
});

test("stop leaves no process and no folder, and may be called again", async () => {
  const another = await startSandbox({ terraform: false });
  const pids = [another.postgres.pid, another.vault.pid].map((pid) => pid ?? 0);
  expect(pids.every(isAlive)).toBe(true);
  await Promise.all([another.stop(), another.stop()]);
  await another.stop();
  expect(pids.filter(isAlive)).toEqual([]);
  expect(fs.existsSync(another.directory)).toBe(false);
});
