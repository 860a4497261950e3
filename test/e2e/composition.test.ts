import { LocalBackend, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { Construct } from "constructs";
import { ReportingStack } from "../../examples/composition/reporting-stack";
import {
  AppRoleAuth,
  BaseRole,
  DatabaseSecretsEngine,
  DynamicRole,
  ManagerRole,
  Policy,
  PostgresConnection,
  StaticRole,
} from "../../lib";
import { VaultClient } from "../../cli/vault-client";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { addedSince, takeSnapshot } from "../../sandbox/snapshot";
import { CredentialsStack } from "../../stacks/credentials-stack";
import { dev } from "../../stacks/environments/dev";
import { local } from "../../stacks/environments/local";
import type { Environment } from "../../stacks/environment";
import { announce } from "./announce";
import { connect, issue, revoke, verdict } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

let sandbox: Sandbox;
let base: Workspace;
let environment: Environment;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  const { vault, postgres, databaseTemplate } = local(sandbox.env);
  environment = {
    ...{ ...dev, vault, postgres, databaseTemplate },
    staticRoles: { legacy: { role: "reader" } },
    applications: { ...dev.applications, reports: { roles: ["reader", "legacy"] } },
  };
  base = new Workspace(sandbox, "base", (scope) => new CredentialsStack(scope, environment));
  await base.apply();
});
afterAll(async () => {
  await base?.destroy();
  await sandbox?.stop();
});

test("a team's own stack adds to an environment, and takes only its own away", async () => {
  const here = local(sandbox.env);
  const owner = await issue(sandbox, "orders-dev/database/creds/owner");
  const migration = await connect(sandbox, owner, "orders_dev");
  await migration.query("CREATE TABLE app.invoices (id int); CREATE TABLE app.customers (id int)");
  await migration.end();
  await revoke(sandbox, owner);

  const before = await takeSnapshot(sandbox);
  const reporting = new Workspace(sandbox, "reporting", (scope) => {
    const stack = new ReportingStack(scope, "reporting", {
      vaultAddress: here.vault.address,
      postgresHost: here.postgres.host,
      postgresPort: here.postgres.port,
      postgresSslMode: here.postgres.sslMode,
    });
    new LocalBackend(stack, { path: "terraform.tfstate" });
    return stack;
  });
  await reporting.apply();
  expect(await reporting.plan()).toEqual([]);
  expect(await base.plan()).toEqual([]);

  const credential = await issue(sandbox, "orders-dev/database/creds/reporting-auditor");
  const auditor = await connect(sandbox, credential, "orders_dev");
  expect(await verdict(auditor, "SELECT * FROM app.invoices")).toBe("ok");
  expect(await verdict(auditor, "SELECT * FROM app.customers")).toBe("42501");
  await auditor.end();
  await revoke(sandbox, credential);

  await reporting.destroy();
  expect(addedSince(before, await takeSnapshot(sandbox))).toEqual([]);
  expect(await base.plan()).toEqual([]);
});

test("an environment is not made a second time in another namespace, whoever names it", async () => {
  const refused =
    /is in\s+the\s+namespace\s+""\s+of\s+Vault,\s+and\s+Terraform's\s+provider\s+is\s+in\s+"team"/;
  const env = sandbox.env as Record<string, string>;
  const { VAULT_TOKEN: ofRoot = "" } = env;
  if (sandbox.vault.product === "OpenBao") {
    await sandbox.vault.client().write("sys/namespaces/team");
    const { address, rootToken: token } = sandbox.vault;
    const inTeam = new VaultClient({ address, token, namespace: "team" });
    const policy = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }';
    await inTeam.write("sys/policies/acl/all", { policy });
    const { auth } = await inTeam.write("auth/token/create", { policies: ["all"], ttl: "1h" });
    env.VAULT_TOKEN = sandbox.lifetime.remember(auth?.client_token ?? "");
    await expect(base.apply()).rejects.toThrow(refused);
  } else {
    announce("Skipped: a token of another namespace, which Vault has in its Enterprise edition only");
  }
  env.VAULT_NAMESPACE = "team/";
  await expect(base.apply()).rejects.toThrow(refused);
  delete env.VAULT_NAMESPACE;
  const moved = { ...environment, vault: { ...environment.vault, namespace: "team" } };
  base.edit((scope) => new CredentialsStack(scope, moved));
  await expect(base.apply()).rejects.toThrow(refused);
  env.VAULT_TOKEN = ofRoot;
  base.edit((scope) => new CredentialsStack(scope, environment));
  expect(await base.plan()).toEqual([]);
});

describe("a team's own stack that hands out the environment's base role", () => {
  const READER = "orders-dev/database/creds/reader";
  const SHARED = "orders-dev/database/creds/reporting-shared";
  /** @param grantAdmin true as of versions that always granted it */
  const team = (name: string, grantAdmin?: boolean) => (scope: Construct) => {
    const here = local(sandbox.env);
    const stack = new TerraformStack(scope, name);
    new LocalBackend(stack, { path: "terraform.tfstate" });
    new VaultProvider(stack, "VaultProvider", { address: here.vault.address });
    const { host, port, sslMode: sslmode } = here.postgres;
    const username = "terraform";
    new PostgresqlProvider(stack, "PostgresqlProvider", { host, port, sslmode, username, superuser: false });
    PostgresConnection.fromName(stack, "Connection", {
      engine: DatabaseSecretsEngine.fromPath(stack, "Secrets", "orders-dev/database"),
      name: "orders_dev",
      manager: ManagerRole.fromName(stack, "Manager", "orders_dev_manager"),
    }).addDynamicRole("reporting-shared", {
      baseRole: BaseRole.fromName(stack, "Reader", "orders_dev_reader"),
      grantAdmin,
    });
    return stack;
  };
  const isIssued = async (path: string) => revoke(sandbox, await issue(sandbox, path));

  test("comes and goes while the environment's credentials live, and takes no right away", async () => {
    const credential = await issue(sandbox, READER);
    const workspace = new Workspace(sandbox, "sharing", team("sharing"));
    await workspace.apply();
    await isIssued(SHARED);
    await workspace.destroy();
    await sandbox.vault.client().write("sys/leases/renew", { lease_id: credential.leaseId });
    await isIssued(READER);
    await revoke(sandbox, credential);
    expect(await base.plan()).toEqual([]);
  });

  test("is brought over from a version that granted it again, and the right stays", async () => {
    const workspace = new Workspace(sandbox, "old-sharing", team("old-sharing", true));
    await workspace.apply();
    const credential = await issue(sandbox, READER);
    workspace.edit(team("old-sharing"));
    expect(await workspace.plan()).toEqual([{ type: "postgresql_grant_role", actions: ["forget"] }]);
    await workspace.apply();
    await isIssued(SHARED);
    expect([await workspace.plan(), await base.plan()]).toEqual([[], []]);
    await workspace.destroy();
    await isIssued(READER);
    await revoke(sandbox, credential);
    expect(await base.plan()).toEqual([]);
  });
});

describe("a team's own stack that lets its application read the environment's roles", () => {
  const PATHS = ["orders-dev/database/creds/reader", "orders-dev/database/static-creds/legacy"];
  /** @param earlier as a version did that named the policies like those of the environment */
  const team = (name: string, earlier: boolean) => (scope: Construct) => {
    const stack = new TerraformStack(scope, name);
    new LocalBackend(stack, { path: "terraform.tfstate" });
    new VaultProvider(stack, "VaultProvider", { address: sandbox.env.VAULT_ADDR });
    const application = AppRoleAuth.fromPath(stack, "AppRoles", "orders-dev/approle").addRole(name);
    if (earlier) {
      ["Reader", "Legacy"].forEach((id, index) => {
        const path = PATHS[index]!;
        const rules = [{ path, capabilities: ["read" as const] }];
        application.addPolicy(new Policy(new Construct(stack, id), "ReadPolicy", { name: path, rules }));
      });
    } else {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "orders-dev/database");
      DynamicRole.fromName(stack, "Reader", { engine, name: "reader" }).grantRead(application);
      StaticRole.fromName(stack, "Legacy", { engine, name: "legacy" }).grantRead(application);
    }
    return stack;
  };

  /** Whether an application that logs in now may read all. */
  async function mayRead(approle: string): Promise<boolean> {
    const vault = sandbox.vault.client();
    const role = `auth/orders-dev/approle/role/${approle}`;
    const { data: id } = await vault.read(`${role}/role-id`);
    const { data: secret } = await vault.write(`${role}/secret-id`);
    const { auth } = await vault.write("auth/orders-dev/approle/login", {
      role_id: id?.role_id,
      secret_id: secret?.secret_id,
    });
    const own = vault.withToken(auth?.client_token);
    const answers = await Promise.all(PATHS.map((path) => own.send({ method: "GET", path })));
    await own.write("auth/token/revoke-self");
    return answers.every(({ status }) => status === 200);
  }

  test("takes nothing from the environment's application when it goes", async () => {
    const workspace = new Workspace(sandbox, "team", team("team", false));
    await workspace.apply();
    expect(await mayRead("team")).toBe(true);
    expect(await base.plan()).toEqual([]);
    expect(await workspace.plan()).toEqual([]);
    await workspace.destroy();
    expect(await mayRead("orders-dev-reports")).toBe(true);
    expect(await base.plan()).toEqual([]);
  });

  test("is brought over from a version whose policies were the environment's, and nobody loses a right", async () => {
    const workspace = new Workspace(sandbox, "old-team", team("old-team", true));
    await workspace.apply();
    workspace.edit(team("old-team", false));
    const plan = (await workspace.plan()).map(({ type, actions }) => `${type} ${actions.join("+")}`);
    expect(plan.sort()).toEqual([
      "vault_approle_auth_backend_role update",
      ...["vault_policy create", "vault_policy create", "vault_policy forget", "vault_policy forget"],
    ]);
    await workspace.apply();
    expect(await mayRead("old-team")).toBe(true);
    expect(await mayRead("orders-dev-reports")).toBe(true);
    expect([await workspace.plan(), await base.plan()]).toEqual([[], []]);
    await workspace.destroy();
    expect(await mayRead("orders-dev-reports")).toBe(true);
  });
});
