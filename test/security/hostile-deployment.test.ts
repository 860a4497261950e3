import { LocalBackend, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  KeyValueContent,
  KeyValueEngine,
  ManagerRole,
  PostgresDatabase,
  quoteIdentifier,
  RateLimitQuota,
  RateLimitTarget,
  Revocation,
  WriteOnlySecret,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { asSuperuser, connect, issue, revoke, verdict } from "../e2e/credential";
import { Workspace } from "../e2e/workspace";
import { FULL } from "./servers";

jest.setTimeout(300_000);

/** Names that are taken, and that something on the way might read as its own. */
const NAMES = [
  "a b/c",
  "Größe.x @:&=+,|",
  "$1 $$ $body$ -- /*",
  "-dash END",
  "select",
  "שלום 한 𝕏",
  "x".repeat(63),
];
const ENGINE = "Odd.1/_-_";
const KEY_VALUE = "__proto";
/** As a part of a name, where PostgreSQL shall not cut it. */
const short = (name: string) => name.slice(0, 50);
const USED = FULL ? NAMES : NAMES.slice(0, 3);
const schemaOf = (name: string) => `${short(name)} 'schema'`;
const baseRoleOf = (name: string, level: string) => `${short(name).replace("=", "")}' ${level}`;
const roleOf = (index: number, level: string) => `r.${index}--${level}_`;

class HostileStack extends TerraformStack {
  constructor(scope: Construct, { env }: Sandbox) {
    super(scope, "hostile");
    new LocalBackend(this, { path: "terraform.tfstate" });
    new VaultProvider(this, "VaultProvider", { address: env.VAULT_ADDR });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: env.PGHOST,
      port: Number(env.PGPORT),
      username: env.PGUSER,
      sslmode: "disable",
      superuser: false,
    });
    const engine = new DatabaseSecretsEngine(this, "Secrets", {
      path: ENGINE,
      description: 'it\'s "odd" \\ %s $x\n',
    });
    const appRole = new AppRoleAuth(this, "Logins", { path: "odd.approle/_" }).addRole("_.-_");
    const manager = new ManagerRole(this, "Manager", {
      name: "o'manager $$ %s",
      password: WriteOnlySecret.fromVariable(this, "manager_password"),
    });
    USED.forEach((name, index) => {
      const database = new PostgresDatabase(this, `Database${index}`, {
        name,
        deletionProtection: false,
        template: "template1",
      });
      database.addSchema(schemaOf(name));
      const schemas = [schemaOf(name)];
      const connection = engine.addPostgresConnection(`c.${index}_`, {
        database,
        endpoint: { host: env.PGHOST ?? "", port: Number(env.PGPORT), sslMode: "disable" },
        manager,
        usernameTemplate: `e %s ${index}-{{random 20}}`,
      });
      const bases = {
        owner: database.addBaseRole("owner", {
          name: baseRoleOf(name, "owner"),
          access: Access.owner({ schemas }),
        }),
        reader: database.addBaseRole("reader", {
          name: baseRoleOf(name, "reader"),
          access: Access.readOnly({ schemas }),
        }),
      };
      connection
        .addDynamicRole(roleOf(index, "owner"), { baseRole: bases.owner, revocation: Revocation.drain() })
        .grantRead(appRole);
      connection.addDynamicRole(roleOf(index, "reader"), { baseRole: bases.reader }).grantRead(appRole);
    });
    new KeyValueEngine(this, "Values", { path: KEY_VALUE }).addSecret("a.b/_--_", {
      content: KeyValueContent.visible({ "odd.-": 'it\'s "odd" \\ %s $x {{name}}\n<&>𝕏' }),
    });
    new RateLimitQuota(this, "Quota", {
      name: "_.-_",
      rate: 1e6,
      target: RateLimitTarget.secretsEngine(engine),
    });
  }
}

let sandbox: Sandbox;
let workspace: Workspace;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  // The deployer may mount below usual paths only.
  const anywhere = { ...sandbox, env: { ...sandbox.env, VAULT_TOKEN: sandbox.vault.rootToken } };
  workspace = new Workspace(anywhere, "hostile", (scope) => new HostileStack(scope, sandbox));
  await asSuperuser(sandbox, "CREATE ROLE canary");
  await asSuperuser(sandbox, "CREATE TABLE canary AS SELECT 1");
  await asSuperuser(sandbox, "GRANT SELECT ON canary TO canary");
  const vault = sandbox.vault.client();
  await vault.write("sys/policies/acl/canary", { policy: 'path "canary" { capabilities = ["read"] }' });
  await vault.write("sys/mounts/canary", { type: "database" });
});
afterAll(() => sandbox?.stop());

/** All databases, roles, rights and names of the engine that there are. */
async function everything(): Promise<unknown> {
  const vault = sandbox.vault.client();
  const list = async (path: string) => (await vault.send({ method: "LIST", path })).body.data?.keys;
  return {
    databases: await asSuperuser(
      sandbox,
      "SELECT datname || ' ' || coalesce(datacl::text, '-') FROM pg_database ORDER BY 1",
    ),
    roles: await asSuperuser(sandbox, "SELECT rolname FROM pg_roles ORDER BY 1"),
    memberships: await asSuperuser(
      sandbox,
      "SELECT roleid::regrole || ' ' || member::regrole FROM pg_auth_members ORDER BY 1",
    ),
    canary: await asSuperuser(sandbox, "SELECT relacl::text FROM pg_class WHERE relname = 'canary'"),
    policies: await list("sys/policies/acl"),
    quotas: await list("sys/quotas/rate-limit"),
    mounts: Object.keys((await vault.read("sys/mounts")).data ?? {}),
    logins: Object.keys((await vault.read("sys/auth")).data ?? {}),
  };
}

test("names that look like something else are deployed, used, and leave nothing", async () => {
  const before = await everything();
  await workspace.apply();
  expect(await workspace.plan()).toEqual([]);

  for (const [index, name] of USED.entries()) {
    const table = `${quoteIdentifier(schemaOf(name))}.t`;
    const owner = await issue(sandbox, `${ENGINE}/creds/${roleOf(index, "owner")}`);
    const ownerClient = await connect(sandbox, owner, name);
    await ownerClient.query(`CREATE TABLE ${table} AS SELECT 'kept' AS word`);
    await ownerClient.end();
    const reader = await issue(sandbox, `${ENGINE}/creds/${roleOf(index, "reader")}`);
    const readerClient = await connect(sandbox, reader, name);
    expect((await readerClient.query<{ word: string }>(`SELECT word FROM ${table}`)).rows).toEqual([
      { word: "kept" },
    ]);
    expect(await verdict(readerClient, `DELETE FROM ${table}`)).toBe("42501");
    expect(await verdict(readerClient, "CREATE TABLE public.made (id int)")).toBe("42501");
    const other = USED[(index + 1) % USED.length] ?? "";
    await expect(connect(sandbox, reader, other)).rejects.toMatchObject({ code: "42501" });
    for (const credential of [owner, reader]) {
      await revoke(sandbox, credential);
      await expect(connect(sandbox, credential, name)).rejects.toMatchObject({ code: "28P01" });
    }
    await readerClient.end();
    expect(await asSuperuser(sandbox, `SELECT word FROM ${table}`, name)).toEqual(["kept"]);
    expect(
      await asSuperuser(sandbox, `SELECT tableowner FROM pg_tables WHERE tablename = 't'`, name),
    ).toEqual([baseRoleOf(name, "owner")]);
  }
  const kept = await sandbox.vault.client().read(`${KEY_VALUE}/data/a.b/_--_`);
  expect((kept.data as { data?: unknown }).data).toEqual({ "odd.-": 'it\'s "odd" \\ %s $x {{name}}\n<&>𝕏' });
  expect(await workspace.plan()).toEqual([]);

  await workspace.destroy();
  expect(await everything()).toEqual(before);
});
