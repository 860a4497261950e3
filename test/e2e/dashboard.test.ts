import * as fs from "node:fs";
import type { VaultClient } from "../../cli/vault-client";
import { writtenFiles } from "../../sandbox/deployment";
import { addedSince, takeSnapshot, type Snapshot } from "../../sandbox/snapshot";
import { asSuperuser, connect, issue, verdict } from "./credential";
import { CONFIG, CREDS, Dashboard, PASSWORD } from "./dashboard-scenario";

jest.setTimeout(180_000);

const DENIED = { status: 403 };
const INSUFFICIENT_PRIVILEGE = "42501";

let dashboard: Dashboard;
let before: Snapshot;

beforeAll(async () => {
  dashboard = await Dashboard.start();
  before = await takeSnapshot(dashboard.sandbox);
});
afterAll(() => dashboard?.sandbox.stop());

const devices = async () => (await dashboard.sandbox.vault.client().read("sys/audit")).data;

test("an audit device by the API is made by Vault, and refused by OpenBao before anything else is made", async () => {
  dashboard.workspace.edit(dashboard.stack({ auditDeclaredIn: "api" }));
  if (dashboard.sandbox.vault.product === "Vault") {
    await dashboard.workspace.apply();
    expect(await devices()).toMatchObject({ "delphi/": { type: "file" } });
    return;
  }
  await expect(dashboard.workspace.apply()).rejects.toThrow(
    /cannot enable audit device via API; use declarative, config-based audit\s+device management instead/,
  );
  const made = addedSince(before, await takeSnapshot(dashboard.sandbox));
  expect(made.filter((name) => !/^(role|database|membership) /.test(name))).toEqual([]);
});

test("the same device is declared by the stanza that the stack tells, in OpenBao's own configuration", async () => {
  const { vault } = dashboard.sandbox;
  await dashboard.deploy();
  if (vault.product === "OpenBao") {
    expect(await devices()).not.toHaveProperty("delphi/");
    vault.addConfiguration("audit.hcl", dashboard.output("audit_configuration"));
    await vault.stop();
    await vault.start();
  }
  expect(await devices()).toMatchObject({
    "delphi/": {
      type: "file",
      description: "Every request and every answer",
      options: { file_path: dashboard.auditFile, mode: "0600" },
    },
  });
  expect(await dashboard.workspace.plan()).toEqual([]);
});

test("the audit file tells who read a credential, and no password or token", async () => {
  const token = await dashboard.logIn("dashboard");
  const { password } = await issue(dashboard.sandbox, CREDS);
  const log = fs.readFileSync(dashboard.auditFile, "utf8");
  expect(fs.statSync(dashboard.auditFile).mode & 0o777).toBe(0o600);
  expect(log).toContain(`"path":"${CREDS}"`);
  expect([password, token, dashboard.staticPassword].filter((secret) => log.includes(secret))).toEqual([]);
});

test("a table that is made later is readable by credentials old and new, and writable by none", async () => {
  const { sandbox } = dashboard;
  const old = await connect(sandbox, await issue(sandbox, CREDS), "delphi");
  await dashboard.asOwner("CREATE TABLE public.later (id int); INSERT INTO public.later VALUES (7)");
  const fresh = await connect(sandbox, await issue(sandbox, CREDS), "delphi");
  for (const client of [old, fresh]) {
    expect((await client.query("SELECT id FROM later")).rows).toEqual([{ id: 7 }]);
    for (const sql of [
      "INSERT INTO later VALUES (8)",
      "DELETE FROM later",
      "DROP TABLE later",
      "CREATE TABLE public.mine (id int)",
      "CREATE TEMP TABLE mine (id int)",
      "CREATE ROLE mine",
    ]) {
      expect([sql, await verdict(client, sql)]).toEqual([sql, INSUFFICIENT_PRIVILEGE]);
    }
    await client.end();
  }
});

test("the role has the document's settings", async () => {
  const vault = dashboard.sandbox.vault.client();
  expect((await vault.read("delphi/database/roles/delphi-readonly")).data).toMatchObject({
    db_name: "delphi-postgresql",
    default_ttl: 3600,
    max_ttl: 86_400,
  });
  expect((await vault.read("delphi/database/config/delphi-postgresql")).data).toMatchObject({
    allowed_roles: ["delphi-readonly"],
  });
});

describe("what is kept below delphi/database/", () => {
  test("is read by the dashboard", async () => {
    const vault = await dashboard.as("dashboard");
    const { host, port } = dashboard.sandbox.postgres;
    expect((await vault.read(CONFIG)).data?.data).toEqual({
      host,
      port,
      database: "delphi",
      username: "delphi_static",
    });
    expect((await vault.read(PASSWORD)).data?.data).toEqual({ password: dashboard.staticPassword });
  });

  test("is not changed by it, nor read by another application or by what deploys", async () => {
    const reads = (vault: VaultClient, path: string) =>
      expect(vault.read(path)).rejects.toMatchObject(DENIED);
    const deployer = dashboard.sandbox.vault.client().withToken(dashboard.sandbox.env.VAULT_TOKEN);
    for (const vault of [await dashboard.as("other"), deployer]) {
      for (const path of [CONFIG, PASSWORD, CREDS]) await reads(vault, path);
    }
    const own = await dashboard.as("dashboard");
    await reads(own, "delphi/kv/metadata/delphi/database/password");
    await expect(own.write(PASSWORD, { data: {} })).rejects.toMatchObject(DENIED);
  });

  test("is not read by a deployment, which leaves it as it was changed by hand", async () => {
    const vault = dashboard.sandbox.vault.client();
    const kept = async () => (await vault.read(PASSWORD)).data?.data;
    await vault.write(PASSWORD, { data: { password: "changed by hand" } });
    await dashboard.workspace.apply();
    expect(await kept()).toEqual({ password: "changed by hand" });
    await vault.write(PASSWORD, { data: { password: dashboard.staticPassword } });
  });
});

test("the quota refuses a client that asks for too many credentials", async () => {
  const vault = await dashboard.as("dashboard");
  const asked = await Promise.all(
    Array.from({ length: 20 }, () => vault.send({ method: "GET", path: CREDS })),
  );
  const statuses = asked.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  // Other paths of the engine are not counted.
  await expect(vault.read(CONFIG)).resolves.toBeDefined();
  await dashboard.revokeAll();
});

test("a quota that is changed by hand is put back", async () => {
  const vault = dashboard.sandbox.vault.client();
  await vault.write("sys/quotas/rate-limit/delphi-credentials", { path: CREDS, rate: 99 });
  expect(await dashboard.workspace.plan()).toEqual([{ type: "vault_quota_rate_limit", actions: ["update"] }]);
  await dashboard.workspace.apply();
  expect((await vault.read("sys/quotas/rate-limit/delphi-credentials")).data).toMatchObject({ rate: 5 });
});

test("no password is in a file that was synthesized or written by Terraform", () => {
  const files = [...dashboard.workspace.files(), ...writtenFiles(dashboard.sandbox.directory)];
  expect(files.some((file) => file.endsWith("terraform.tfstate"))).toBe(true);
  expect(files.some((file) => file.endsWith("cdk.tf.json"))).toBe(true);
  const { managerPassword, env } = dashboard.sandbox;
  const secrets = [dashboard.staticPassword, managerPassword, env.VAULT_TOKEN ?? "", env.PGPASSWORD ?? ""];
  expect(secrets.filter((secret) => secret.length < 16)).toEqual([]);
  const holding = files.filter((file) => secrets.some((secret) => fs.readFileSync(file).includes(secret)));
  expect(holding).toEqual([]);
});

test("without the fallback, its login and all versions of its password are gone", async () => {
  const vault = dashboard.sandbox.vault.client();
  await dashboard.deploy({ withStaticFallback: false });
  expect(await vault.list("delphi/kv/metadata/delphi/database")).toEqual(["config"]);
  expect((await vault.read(CONFIG)).data?.data).not.toHaveProperty("username");
  expect(
    await asSuperuser(dashboard.sandbox, "SELECT 1 FROM pg_roles WHERE rolname = 'delphi_static'"),
  ).toEqual([]);
  expect(await dashboard.workspace.plan()).toEqual([]);
});

test("a destroy leaves nothing but what the server's configuration declares", async () => {
  await dashboard.revokeAll();
  await dashboard.workspace.destroy();
  expect(addedSince(before, await takeSnapshot(dashboard.sandbox))).toEqual([]);
  const left = dashboard.auditDeclaredIn === "api" ? [] : ["delphi/"];
  expect(Object.keys((await devices()) ?? {})).toEqual(left);
  expect(await dashboard.sandbox.vault.client().list("sys/quotas/rate-limit")).toEqual([]);
});
