// What bounds a credential's life besides its role, and a login besides its SecretID: the mount's maximum, and lockouts.
import { LocalBackend, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import { VaultError } from "../../cli/vault-client";
import {
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  KeyValueContent,
  KeyValueEngine,
  Lockout,
  ManagerRole,
  PostgresDatabase,
  RateLimitQuota,
  RateLimitTarget,
  WriteOnlySecret,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { makeExtrasDeployerToken } from "../../sandbox/rights";
import { FULL } from "../security/servers";
import { announce } from "./announce";
import { asSuperuser } from "./credential";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

if (!FULL) announce("A lockout after a number of failed logins is tried in the full set only.");
const testInFull = FULL ? test : test.skip;

const DAY = 86_400;
const LONG = Duration.days(90);
const AUTH = "auth/limits/approle";

let sandbox: Sandbox;
let workspace: Workspace;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  const token = sandbox.lifetime.remember(await makeExtrasDeployerToken(sandbox.vault.client()));
  const deploying = { ...sandbox, env: { ...sandbox.env, VAULT_TOKEN: token } };
  workspace = new Workspace(deploying, "limits", build());
  await workspace.apply();
});
afterAll(() => sandbox?.stop());

const PATHS = { engine: "limits/database", auth: "limits/approle", values: "limits/kv" };

interface Declared extends Partial<typeof PATHS> {
  readonly lockout?: Lockout;
  /** Bound of engine and method. */
  readonly bound?: Duration;
  readonly rootRotationStatements?: readonly string[];
  /** A quota, and the AppRole whose logins it counts; absent for all requests to the method. */
  readonly quota?: { readonly name: string; readonly of?: "long" | "periodic" };
}

function build({ lockout, bound, rootRotationStatements, quota, ...changed }: Declared = {}) {
  const paths = { ...PATHS, ...changed };
  return (scope: Construct) => {
    const { env } = sandbox;
    const stack = new TerraformStack(scope, "limits");
    new LocalBackend(stack, { path: "terraform.tfstate" });
    new VaultProvider(stack, "VaultProvider", { address: env.VAULT_ADDR });
    new PostgresqlProvider(stack, "PostgresqlProvider", {
      host: env.PGHOST,
      port: Number(env.PGPORT),
      username: env.PGUSER,
      sslmode: "disable",
      superuser: false,
    });
    const database = new PostgresDatabase(stack, "Database", {
      ...{ name: "limits", deletionProtection: false, template: "template1" },
    });
    const password = WriteOnlySecret.fromVariable(stack, "manager_password");
    const manager = new ManagerRole(stack, "Manager", { name: "limits_manager", password });
    const role = new DatabaseSecretsEngine(stack, "Secrets", { path: paths.engine, maxLeaseTtl: bound })
      .addPostgresConnection("limits", {
        endpoint: { host: env.PGHOST ?? "", port: Number(env.PGPORT), sslMode: "disable" },
        ...{ database, manager, rootRotationStatements },
      })
      .addDynamicRole("long", {
        creationStatements: [
          `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`,
        ],
        defaultTtl: LONG,
        maxTtl: LONG,
      });
    const auth = new AppRoleAuth(stack, "AppRoles", { path: paths.auth, maxLeaseTtl: bound, lockout });
    const long = auth.addRole("long", { secretIdTtl: LONG, tokenTtl: LONG });
    role.grantRead(long);
    const values = new KeyValueEngine(stack, "Values", { path: paths.values });
    values.addSecret("host", { content: KeyValueContent.visible({ host: "db.example.com" }) });
    const word = WriteOnlySecret.fromExpression("${var.manager_password}");
    values.addSecret("word", { content: KeyValueContent.writeOnly({ word }) });
    const periodic = auth.addRole("periodic", { tokenPeriod: LONG });
    if (quota) {
      const target = RateLimitTarget.authMethod(auth, quota.of && { long, periodic }[quota.of]);
      new RateLimitQuota(stack, "Quota", { name: quota.name, rate: 1000, target });
    }
    auth.addRole("ended", { tokenPeriod: LONG, tokenExplicitMaxTtl: LONG });
    // Of elsewhere, as far as Terraform knows: what a server does that is told nothing.
    new AppRoleAuth(stack, "Cut", { path: "cut/approle", maxLeaseTtl: Duration.days(32) }).addRole("long", {
      secretIdTtl: LONG,
      tokenTtl: LONG,
    });
    return stack;
  };
}

/** Logs in with a new SecretID, or with one that is none. */
async function logIn(role: string, secretId?: string) {
  const vault = sandbox.vault.client();
  const [, method = "", name = ""] = /^(.*)\/(.*)$/.exec(role) ?? [];
  const { data: id } = await vault.read(`auth/${method}/role/${name}/role-id`);
  const { data: secret } = await vault.write(`auth/${method}/role/${name}/secret-id`);
  const { data: found } = await vault.write(`auth/${method}/role/${name}/secret-id/lookup`, {
    secret_id: secret?.secret_id,
  });
  const { auth } = await vault
    .withToken(undefined)
    .write(`auth/${method}/login`, { role_id: id?.role_id, secret_id: secretId ?? secret?.secret_id });
  const created = Date.parse(String(found?.creation_time));
  return {
    token: auth?.client_token ?? "",
    tokenDays: (auth?.lease_duration ?? 0) / DAY,
    secretIdDays: Math.round((Date.parse(String(found?.expiration_time)) - created) / 1000 / DAY),
  };
}

test("a TTL beyond the server's limit holds for whatever the deployment declares", async () => {
  const long = await logIn("limits/approle/long");
  expect(long).toMatchObject({ tokenDays: 90, secretIdDays: 90 });
  const own = sandbox.vault.client().withToken(long.token);
  const { lease_duration: lease = 0 } = await own.read("limits/database/creds/long");
  expect(lease / DAY).toBe(90);
  await own.write("auth/token/revoke-self");
  expect(await logIn("limits/approle/periodic")).toMatchObject({ tokenDays: 90 });
  expect(await logIn("limits/approle/ended")).toMatchObject({ tokenDays: 90 });
  expect(await workspace.plan()).toEqual([]);
});

test("a secret by a Terraform expression is the expression's value", async () => {
  const { data } = await sandbox.vault.client().read("limits/kv/data/word");
  expect(data?.data).toEqual({ word: sandbox.env.TF_VAR_manager_password });
});

test("a TTL beyond a mount's bound is cut, without a word of the server's", async () => {
  expect(await logIn("cut/approle/long")).toMatchObject({ tokenDays: 32, secretIdDays: 32 });
});

test("another path for what stands is refused before anything is changed", async () => {
  const long = await logIn("limits/approle/long");
  const own = sandbox.vault.client().withToken(long.token);
  const { lease_id: leaseId } = await own.read("limits/database/creds/long");
  workspace.edit(build({ engine: "other/database", auth: "other/approle", values: "other/kv" }));
  const refusal = await workspace.apply().then(
    () => "",
    (error: unknown) => String(error).replace(/[\s│]+/g, " "),
  );
  workspace.edit(build());
  expect(refusal).toContain("The secrets engine limits/database would be moved to other/database");
  expect(refusal).toContain("The AppRole method limits/approle would be moved to other/approle");
  expect(refusal).toContain("The key-value engine limits/kv would be moved to other/kv");
  expect(refusal).toContain("Take the change of its path back.");
  expect(await workspace.plan()).toEqual([]);
  await own.write("sys/leases/renew", { lease_id: leaseId });
  const { data: kept } = await sandbox.vault.client().read("limits/kv/data/host");
  expect(kept?.data).toEqual({ host: "db.example.com" });
  await sandbox.vault.client().write("sys/leases/revoke", { lease_id: leaseId, sync: true });
  await own.write("auth/token/revoke-self");
});

test("a quota of another AppRole is never said to be deployed, and comes by another name or once it is deleted", async () => {
  const vault = sandbox.vault.client();
  const counted = async (name: string) => (await vault.read(`sys/quotas/rate-limit/${name}`)).data?.role;
  const deploy = async (quota: Declared["quota"]) => {
    workspace.edit(build({ quota }));
    await workspace.apply();
    return counted(quota?.name ?? "");
  };
  expect(await deploy({ name: "limits", of: "long" })).toBe("long");
  await expect(deploy({ name: "limits", of: "periodic" })).rejects.toThrow(/should count/);
  expect(await counted("limits")).toBe("long");
  expect(await deploy({ name: "limits-of-all" })).toBe("");
  await expect(vault.read("sys/quotas/rate-limit/limits")).rejects.toThrow(VaultError);
  if (!FULL) return;
  await expect(deploy({ name: "limits-of-all", of: "long" })).rejects.toThrow(/should count/);
  await vault.delete("sys/quotas/rate-limit/limits-of-all");
  expect(await deploy({ name: "limits-of-all", of: "long" })).toBe("long");
  expect(await workspace.plan()).toEqual([]);
  await expect(deploy({ name: "limits-of-all" })).rejects.toThrow(/should count/);
});

describe("failed logins", () => {
  const wrong = (role: string) =>
    expect(logIn(role, "00000000-0000-0000-0000-000000000000")).rejects.toThrow(VaultError);
  async function fail(role: string, times: number): Promise<void> {
    for (let time = 0; time < times; time++) await wrong(role);
  }

  test("lock an AppRole's RoleID, so that valid SecretIDs are refused", async () => {
    await fail("limits/approle/periodic", 5);
    await expect(logIn("limits/approle/periodic")).rejects.toMatchObject({ status: 403 });
    // Others are not.
    await logIn("limits/approle/long");
  });

  test("lock nobody out where the lockout is off, and end a lock that is", async () => {
    workspace.edit(build({ lockout: Lockout.off() }));
    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
    await logIn("limits/approle/periodic");
    await fail("limits/approle/periodic", 6);
    await logIn("limits/approle/periodic");
  });

  testInFull("lock after as many as are told, and a change by hand is put right", async () => {
    workspace.edit(build({ lockout: Lockout.after(2, { duration: Duration.seconds(2) }) }));
    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
    await sandbox.vault.client().write(`sys/mounts/${AUTH}/tune`, {
      user_lockout_config: { lockout_threshold: "9" },
    });
    expect(await workspace.plan()).toEqual([{ type: "vault_generic_endpoint", actions: ["update"] }]);
    await workspace.apply();
    await fail("limits/approle/ended", 2);
    await expect(logIn("limits/approle/ended")).rejects.toMatchObject({ status: 403 });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await logIn("limits/approle/ended");
  });
});

test("what is taken away is gone, but for a mount's bound, which stays until another is declared", async () => {
  const vault = sandbox.vault.client();
  const rotation = async () =>
    (await vault.read("limits/database/config/limits")).data?.root_credentials_rotate_statements;
  const days = async (path: string) => Number((await vault.read(`${path}/tune`)).data?.max_lease_ttl) / DAY;
  const bounds = async () => [await days("sys/mounts/limits/database"), await days(`sys/mounts/${AUTH}`)];
  const [before, long] = [await rotation(), await bounds()];
  const rootRotationStatements = [`ALTER ROLE "{{name}}" PASSWORD '{{password}}' CONNECTION LIMIT 7`];
  workspace.edit(build({ rootRotationStatements }));
  await workspace.apply();
  expect(await rotation()).toEqual(rootRotationStatements);
  expect([long, await bounds()]).toEqual([
    [90, 90],
    [90, 90],
  ]);

  workspace.edit(build({ bound: Duration.days(32) }));
  await workspace.apply();
  expect(await workspace.plan()).toEqual([]);
  expect(await bounds()).toEqual([32, 32]);
  expect(await rotation()).toEqual(before);
  // What is there instead does what the engine does by itself.
  await vault.done("limits/database/rotate-root/limits");
  await vault.read("limits/database/creds/long");
  const limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'limits_manager'";
  expect(await asSuperuser(sandbox, limit)).toEqual([-1]);
});

test("a bound and a lockout go with the method", async () => {
  await sandbox.vault.client().write("sys/leases/revoke-prefix/limits/database/creds", { sync: true });
  await workspace.destroy();
  await expect(sandbox.vault.client().read(`sys/mounts/${AUTH}/tune`)).rejects.toThrow(VaultError);
});
