import * as fs from "node:fs";
import * as path from "node:path";
import { TerraformStack } from "cdktf";
import type { Client } from "pg";
import type { Construct } from "constructs";
import { Access, Duration, Revocation, rotation } from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { CredentialsStack, type Environment } from "../../stacks";
import { orders } from "../../stacks/environments/orders";
import { announce } from "./announce";
import { asSuperuser, connect, issue, revoke, verdict, type Credential } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

const DATABASE = "orders_upgraded";
const ROLES = ["owner", "writer", "reader", "slow"];
/** What may be in no plan: it holds data, logins, or what is logged in with. */
const KEPT = /^(postgresql_|vault_mount|vault_auth_backend|vault_database_secret|vault_approle|vault_policy)/;

/** An environment as the first release synthesized it: the file is what it wrote, without CDKTF's metadata. */
class FirstRelease extends TerraformStack {
  constructor(
    scope: Construct,
    private readonly sandbox: Sandbox,
  ) {
    super(scope, "upgraded");
  }

  override toTerraform(): unknown {
    const file = path.join(__dirname, "deployed", "first-release.tf.json");
    const { address } = this.sandbox.vault;
    const text = fs
      .readFileSync(file, "utf8")
      .replaceAll("http://127.0.0.1:58200", address)
      .replaceAll("54321", String(this.sandbox.postgres.port));
    return JSON.parse(text) as unknown;
  }
}

/** The same environment, as it is declared for the present release. */
const environment = ({ vault, postgres }: Sandbox): Environment => ({
  ...orders,
  name: "upgraded",
  vault: { address: vault.address },
  postgres: { host: postgres.host, port: postgres.port, sslMode: "disable" },
  databaseTemplate: "template1",
  deletionProtection: false,
  roles: {
    ...orders.roles,
    slow: {
      access: Access.readWrite({ schemas: ["app"] }),
      revocation: Revocation.drain({ idleSessionTimeout: Duration.minutes(1) }),
    },
  },
  staticRoles: { legacy: { role: "reader", rotationPeriod: Duration.hours(12) } },
  applications: { ...orders.applications, worker: { roles: ["slow", "legacy"] } },
});

describe("an environment that the first release deployed", () => {
  let sandbox: Sandbox;
  let workspace: Workspace;
  const credentials: Credential[] = [];
  const sessions = new Map<string, Client>();
  const credsPath = (role: string) => `orders-upgraded/database/creds/${role}`;
  const engineRole = (role: string) => sandbox.vault.client().read(`orders-upgraded/database/roles/${role}`);
  const legacy = () => sandbox.vault.client().read("orders-upgraded/database/static-creds/legacy");

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce });
    workspace = new Workspace(sandbox, "upgraded", (scope) => new FirstRelease(scope, sandbox));
    await workspace.apply();
    for (const role of ROLES) {
      const credential = await issue(sandbox, credsPath(role));
      credentials.push(credential);
      sessions.set(credential.username, await connect(sandbox, credential, DATABASE));
    }
  });
  afterAll(() => sandbox?.stop());

  test("is upgraded without losing or replacing anything, and the next plan is empty", async () => {
    const [password, before] = [(await legacy()).data?.password, await engineRole("reader")];
    workspace.edit((scope) => new CredentialsStack(scope, environment(sandbox)));
    const planned = await workspace.plan();
    const lost = planned.filter(({ type, actions }) => KEPT.test(type) && actions.includes("delete"));
    expect(lost).toEqual([]);
    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
    expect((await legacy()).data?.password).toBe(password);
    const path = "orders-upgraded/database/static-roles/legacy";
    expect((await sandbox.vault.client().read(path)).data?.rotation_statements).toEqual(
      rotation().map((sql) => sql.trim()),
    );
    const { data } = await engineRole("reader");
    for (const kept of ["default_ttl", "max_ttl", "db_name"]) {
      expect([kept, data?.[kept]]).toEqual([kept, before.data?.[kept]]);
    }
  });

  test("has its earlier credentials still, whose revocation leaves nothing", async () => {
    for (const credential of credentials) {
      const client = sessions.get(credential.username)!;
      expect(await verdict(client, "SELECT 1")).toBe("ok");
      await sandbox.vault.client().write("sys/leases/renew", { lease_id: credential.leaseId });
      await revoke(sandbox, credential);
      const there = `SELECT 1 FROM pg_roles WHERE rolname = '${credential.username}'`;
      expect(await asSuperuser(sandbox, there)).toEqual([]);
      const isDrained = credential === credentials.at(-1);
      expect((await verdict(client, "SELECT 1")) === "ok").toBe(isDrained);
      await client.end().catch(() => undefined);
    }
  });

  test("issues new ones", async () => {
    for (const role of ROLES) {
      const credential = await issue(sandbox, credsPath(role));
      await (await connect(sandbox, credential, DATABASE)).end();
      await revoke(sandbox, credential);
    }
  });
});
