import { Fn, LocalBackend, TerraformStack, TerraformVariable } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  DynamicRole,
  ManagerRole,
  MysqlAccess,
  PostgresDatabase,
  Revocation,
  WriteOnlySecret,
  type AppRoleOptions,
  type DynamicRoleOptions,
  type MysqlDynamicRoleOptions,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { startReplacingProxy, type ReplacingProxy } from "./replacing-proxy";
import { Workspace } from "./workspace";

jest.setTimeout(240_000);

const ENGINE = "shop/database";
const APP_ROLE = "auth/shop/approle/role";

let sandbox: Sandbox;
let proxy: ReplacingProxy;
let workspace: Workspace;
beforeAll(async () => {
  sandbox = await startSandbox({ onProgress: announce });
  proxy = await startReplacingProxy(sandbox.vault.address);
});
afterAll(async () => {
  await proxy?.close();
  await sandbox?.stop();
});

type Settings = Readonly<Record<string, unknown>>;

/** A role as the engine has it. */
async function roleIn(name: string): Promise<Settings> {
  const { data } = await sandbox.vault.client().read(`${ENGINE}/roles/${name}`);
  return data as Settings;
}

const roles = async (names: readonly string[]) =>
  Object.fromEntries(await Promise.all(names.map(async (name) => [name, await roleIn(name)] as const)));

const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`;
const RENEW = `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`;
const DROP = `DROP ROLE IF EXISTS "{{name}}"`;
const CREATE_USER = "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'";
const DROP_USER = "DROP USER IF EXISTS '{{name}}'@'%'";

/** Text in which every character means something to JSON, to Terraform or to Go. */
const AWKWARD = `-- "q" 'a' \\n & < > % {{name}} é\n`;

interface Variant {
  readonly before: DynamicRoleOptions;
  readonly after: Partial<DynamicRoleOptions>;
  /** Set on Terraform's resource. */
  readonly override?: readonly [name: string, before: unknown, after: unknown];
  /** Fields of the engine that change. */
  readonly changes: readonly string[];
}

const written = {
  creationStatements: [CREATE, AWKWARD + CREATE],
  renewStatements: [RENEW],
  revocationStatements: [DROP],
  defaultTtl: Duration.minutes(15),
  maxTtl: Duration.hours(2),
};

/** One changed property each. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  "default-ttl": {
    before: written,
    after: { defaultTtl: Duration.minutes(5) },
    changes: ["default_ttl"],
  },
  "max-ttl": { before: written, after: { maxTtl: Duration.hours(1) }, changes: ["max_ttl"] },
  creation: {
    before: written,
    after: { creationStatements: [CREATE] },
    changes: ["creation_statements"],
  },
  renewal: {
    before: written,
    after: { renewStatements: [RENEW, RENEW] },
    changes: ["renew_statements"],
  },
  revocation: {
    before: written,
    after: { revocationStatements: [AWKWARD + DROP] },
    changes: ["revocation_statements"],
  },
  rollback: {
    before: written,
    after: {},
    override: ["rollback_statements", [DROP], [DROP, DROP]],
    changes: ["rollback_statements"],
  },
  overridden: {
    before: written,
    after: {},
    override: ["max_ttl", 3600, 1800],
    changes: ["max_ttl"],
  },
  // The stand-ins do not serve these.
  ...(process.env.SANDBOX_PROVIDERS === "installed" && {
    "credential-config": {
      before: written,
      after: {},
      override: ["credential_config", { password_policy: "one" }, { password_policy: "other" }],
      changes: ["credential_config"],
    },
    "credential-type": {
      before: written,
      after: {},
      override: ["credential_type", "password", "rsa_private_key"],
      changes: ["credential_type", "credential_config"],
    },
  }),
  untouched: { before: written, after: {}, changes: [] },
};

const MYSQL: Readonly<
  Record<
    string,
    { before: MysqlDynamicRoleOptions; after: Partial<MysqlDynamicRoleOptions>; changes: string[] }
  >
> = {
  "mysql-default-ttl": {
    before: { access: MysqlAccess.readOnly({ databases: ["shop"] }) },
    after: { defaultTtl: Duration.minutes(7) },
    changes: ["default_ttl"],
  },
  "mysql-max-ttl": {
    before: { access: MysqlAccess.readOnly({ databases: ["shop"] }) },
    after: { maxTtl: Duration.hours(7) },
    changes: ["max_ttl"],
  },
  "mysql-creation": {
    before: { creationStatements: [CREATE_USER], revocationStatements: [DROP_USER] },
    after: { creationStatements: [CREATE_USER, "SELECT '{{name}}'"] },
    changes: ["creation_statements"],
  },
  "mysql-revocation": {
    before: { creationStatements: [CREATE_USER], revocationStatements: [DROP_USER] },
    after: { revocationStatements: [DROP_USER, "SELECT '{{name}}'"] },
    changes: ["revocation_statements"],
  },
};

const NETWORKS = ["10.1.0.0/16", "10.2.3.4/32"];
/** All that an AppRole may be given, each with another value than the server's own. */
const appRole: Partial<AppRoleOptions> = {
  ...{ secretIdTtl: Duration.days(2), secretIdNumUses: 5, secretIdBoundCidrs: NETWORKS },
  ...{
    tokenTtl: Duration.minutes(20),
    tokenMaxTtl: Duration.hours(3),
    tokenExplicitMaxTtl: Duration.hours(9),
  },
  ...{ tokenNumUses: 50, tokenBoundCidrs: NETWORKS, noDefaultPolicy: true },
};

/** One changed property each, and the fields of the engine that it changes. */
const APP_ROLES: Readonly<
  Record<
    string,
    { before?: Partial<AppRoleOptions>; after: Partial<AppRoleOptions>; changes: readonly string[] }
  >
> = {
  "secret-id-ttl": { after: { secretIdTtl: Duration.days(3) }, changes: ["secret_id_ttl"] },
  "secret-id-num-uses": { after: { secretIdNumUses: 6 }, changes: ["secret_id_num_uses"] },
  "secret-id-cidrs": { after: { secretIdBoundCidrs: ["10.3.0.0/16"] }, changes: ["secret_id_bound_cidrs"] },
  "secret-id-any": { after: { secretIdBoundCidrs: undefined }, changes: ["secret_id_bound_cidrs"] },
  "no-secret-id": { after: { bindSecretId: false }, changes: ["bind_secret_id"] },
  "token-ttl": { after: { tokenTtl: Duration.minutes(10) }, changes: ["token_ttl"] },
  "token-max-ttl": { after: { tokenMaxTtl: Duration.hours(4) }, changes: ["token_max_ttl"] },
  "token-explicit": { after: { tokenExplicitMaxTtl: undefined }, changes: ["token_explicit_max_ttl"] },
  "token-num-uses": { after: { tokenNumUses: 0 }, changes: ["token_num_uses"] },
  "token-cidrs": { after: { tokenBoundCidrs: ["10.3.0.0/16"] }, changes: ["token_bound_cidrs"] },
  "default-policy": { after: { noDefaultPolicy: false }, changes: ["token_no_default_policy"] },
  "token-type": {
    before: { tokenNumUses: undefined },
    after: { tokenType: "batch" },
    changes: ["token_type"],
  },
  period: {
    before: { tokenTtl: undefined, tokenMaxTtl: undefined, tokenPeriod: Duration.hours(1) },
    after: { tokenPeriod: Duration.hours(2) },
    changes: ["token_period"],
  },
  grown: { after: {}, changes: ["token_policies"] },
  same: { after: {}, changes: [] },
};

/** An AppRole as the engine has it, and its RoleID. */
async function appRoleIn(name: string): Promise<Settings> {
  const engine = sandbox.vault.client();
  const [role, id] = await Promise.all(["", "/role-id"].map((at) => engine.read(`${APP_ROLE}/${name}${at}`)));
  return { ...role?.data, ...id?.data };
}

const appRoles = async () =>
  Object.fromEntries(
    await Promise.all(Object.keys(APP_ROLES).map(async (name) => [name, await appRoleIn(name)] as const)),
  );

/** What else a change of one property writes. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  [`${ENGINE}/static-roles/reports`]: ["rotation_period"],
  [`${ENGINE}/static-roles/statements`]: ["rotation_statements"],
  // The role that moved.
  [`${ENGINE}/config/other`]: ["allowed_roles"],
};
/** Not settings, but what became of them. */
const OBSERVED = ["last_vault_rotation", "ttl"];

const others = async () =>
  Object.fromEntries(
    await Promise.all(
      Object.keys(OTHERS).map(async (path) => {
        const { data } = await sandbox.vault.client().read(path);
        const settings = Object.entries(data ?? {}).filter(([name]) => !OBSERVED.includes(name));
        return [path, Object.fromEntries(settings)] as const;
      }),
    ),
  );

const ROTATION = `ALTER ROLE "{{name}}" PASSWORD '{{password}}'`;

const NAMES = [...Object.keys(VARIANTS), ...Object.keys(MYSQL), "preset", "mode", "moved", "expressions"];

interface Edition {
  /** Whether each property is at its changed value. */
  readonly changed?: boolean;
  /** As deployed by a version that left each role to its one resource. */
  readonly single?: boolean;
}

function build({ changed = false, single = false }: Edition) {
  return (scope: ConstructorParameters<typeof TerraformStack>[0]) => {
    const { env } = sandbox;
    const stack = new TerraformStack(scope, "shop");
    new LocalBackend(stack, { path: "terraform.tfstate" });
    new VaultProvider(stack, "VaultProvider", { address: proxy.address });
    new PostgresqlProvider(stack, "PostgresqlProvider", {
      host: env.PGHOST,
      port: Number(env.PGPORT),
      username: env.PGUSER,
      sslmode: "disable",
      superuser: false,
    });
    const database = new PostgresDatabase(stack, "Database", {
      ...{ name: "shop", deletionProtection: false, template: "template1" },
    });
    database.addSchema("app");
    const reader = database.addBaseRole("reader", { access: Access.readOnly({ schemas: ["app"] }) });
    const password = WriteOnlySecret.fromVariable(stack, "manager_password");
    const manager = new ManagerRole(stack, "Manager", { name: "shop_manager", password });
    const engine = new DatabaseSecretsEngine(stack, "Secrets", { path: ENGINE });
    const endpoint = { host: env.PGHOST ?? "", port: Number(env.PGPORT), sslMode: "disable" } as const;
    const connect = (name: string) => engine.addPostgresConnection(name, { database, endpoint, manager });
    const connection = engine.addPostgresConnection("shop", {
      ...{ database, endpoint, manager, usernameTemplate: `v-{{random 20}}` },
      ...(changed && { maxOpenConnections: 5 }),
    });
    const other = connect("other");
    for (const [name, { before, after, override }] of Object.entries(VARIANTS)) {
      const role = connection.addDynamicRole(name, { ...before, ...(changed && after) });
      if (override) role.resource.addOverride(override[0], override[changed ? 2 : 1]);
    }
    connection.addDynamicRole("preset", {
      baseRole: reader,
      defaultTtl: Duration.minutes(changed ? 6 : 5),
    });
    connection.addDynamicRole("mode", {
      baseRole: reader,
      revocation: changed ? Revocation.drain() : Revocation.terminate(),
    });
    new DynamicRole(stack, "Moved", {
      ...{ ...written, name: "moved", connection: changed ? other : connection },
    });
    // Values that only Terraform knows.
    const note = new TerraformVariable(stack, "note", { type: "string", default: AWKWARD });
    const text = `${AWKWARD}${CREATE} -- ${note.stringValue} ${Fn.upper("}{")}`;
    const expressions = connection.addDynamicRole("expressions", {
      ...{ ...written, creationStatements: [text], defaultTtl: Duration.minutes(changed ? 6 : 5) },
    });
    expressions.resource.addOverride("max_ttl", '${tostring(3600 * length("ab"))}');
    const login = database.addLogin("reports", { baseRole: reader });
    const reports = connection.addStaticRole("reports", {
      ...{ login, rotationPeriod: Duration.hours(changed ? 2 : 1) },
    });
    connection.addStaticRole("statements", {
      login: database.addLogin("statements", { baseRole: reader }),
      rotationPeriod: Duration.hours(1),
      rotationStatements: [changed ? `${AWKWARD}${ROTATION}` : ROTATION],
    });
    const auth = new AppRoleAuth(stack, "AppRoles", { path: "shop/approle" });
    for (const [name, { before, after }] of Object.entries(APP_ROLES)) {
      const role = auth.addRole(name, { ...appRole, ...before, ...(changed && after) });
      reports.grantRead(role);
      if (changed && name === "grown") expressions.grantRead(role);
    }
    const mysql = engine.addMysqlConnection("shop_mysql", {
      endpoint: { host: "mysql.invalid", tls: "disable" },
      username: "manager",
      password,
      verify: false,
      server: "mariadb",
    });
    for (const [name, { before, after }] of Object.entries(MYSQL)) {
      mysql.addDynamicRole(name, { ...before, ...(changed && after) });
    }
    if (single) {
      for (const role of stack.node.findAll()) {
        role.node.tryRemoveChild("Whole");
        if (role instanceof DynamicRole) role.resource.lifecycle = undefined;
      }
    }
    return stack;
  };
}

/** Names of the fields that two editions of a role differ in. */
const differing = (one: Settings, other: Settings) =>
  Object.keys({ ...one, ...other }).filter(
    (name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]),
  );

describe("on an engine that replaces a role when it is written", () => {
  let first: Readonly<Record<string, Settings>>;
  let firstAppRoles: typeof first;
  let firstOthers: typeof first;

  beforeAll(async () => {
    workspace = new Workspace(sandbox, "shop", build({}));
    await workspace.apply();
    first = await roles(NAMES);
    firstAppRoles = await appRoles();
    firstOthers = await others();
  });

  test("a deployment leaves every role whole, and nothing to plan", async () => {
    expect(await workspace.plan()).toEqual([]);
    for (const name of NAMES) {
      expect({ name, ...first[name] }).toMatchObject({
        name,
        revocation_statements: [expect.any(String), ...(first[name]!.revocation_statements as []).slice(1)],
        default_ttl: expect.any(Number) as number,
      });
      expect(first[name]!.default_ttl).not.toBe(0);
      expect(first[name]!.max_ttl).not.toBe(0);
    }
  });

  test("no change of one property loses another, not for a moment", async () => {
    const half: string[] = [];
    proxy.onWrite = async (path) => {
      const { data } = await sandbox.vault.client().read(path);
      const { default_ttl, max_ttl, revocation_statements } = data as Settings;
      if (default_ttl === 0 || max_ttl === 0 || (revocation_statements as []).length === 0) half.push(path);
    };
    workspace.edit(build({ changed: true }));
    const writes = proxy.writes();
    await workspace.apply();
    expect(proxy.writes() - writes).toBeGreaterThan(0);
    const second = await roles(NAMES);
    const changes = Object.fromEntries(NAMES.map((name) => [name, differing(first[name]!, second[name]!)]));
    expect(changes).toEqual({
      ...Object.fromEntries(Object.entries(VARIANTS).map(([name, { changes: fields }]) => [name, fields])),
      ...Object.fromEntries(Object.entries(MYSQL).map(([name, { changes: fields }]) => [name, fields])),
      preset: ["default_ttl"],
      expressions: ["default_ttl"],
      mode: expect.arrayContaining(["creation_statements", "revocation_statements"]) as string[],
      moved: ["db_name"],
    });
    expect(await workspace.plan()).toEqual([]);
    expect(half).toEqual([]);
    proxy.onWrite = undefined;
  });

  // These every engine of today merges; its plugin sends no more than what changed of an AppRole.
  test("nor of an AppRole, which keeps its RoleID, nor of what else is written", async () => {
    const second = { ...(await appRoles()), ...(await others()) };
    const before = { ...firstAppRoles, ...firstOthers };
    const changes = Object.entries(before).map(([name, fields]) => [
      name,
      differing(fields, second[name] ?? {}),
    ]);
    expect(Object.fromEntries(changes)).toEqual({
      ...Object.fromEntries(Object.entries(APP_ROLES).map(([name, { changes: fields }]) => [name, fields])),
      ...OTHERS,
    });
  });

  test("a role that was changed by hand is put right as a whole", async () => {
    const before = await roles(NAMES);
    const engine = sandbox.vault.client();
    const meddle = (name: string, change: Settings) =>
      engine.write(`${ENGINE}/roles/${name}`, { ...before[name], ...change });
    await meddle("default-ttl", { default_ttl: 1 });
    await meddle("max-ttl", { max_ttl: 999_999 });
    await meddle("creation", { creation_statements: [`${CREATE} SUPERUSER`] });
    await meddle("renewal", { renew_statements: [] });
    await meddle("revocation", { revocation_statements: [] });
    await meddle("rollback", { rollback_statements: [] });
    await meddle("untouched", { credential_config: { password_policy: "other" } });
    await engine.delete(`${ENGINE}/roles/preset`);
    const planned = await workspace.plan();
    expect(planned.map(({ actions }) => actions.join("+")).sort()).toEqual([
      ...["create", "create"],
      ...Array<string>(7).fill("update"),
    ]);
    await workspace.apply();
    expect(await roles(NAMES)).toEqual(before);
    expect(await workspace.plan()).toEqual([]);
  });

  test("a role is brought over whole from a version that left it to one resource", async () => {
    workspace.edit(build({ single: true }));
    await workspace.apply();
    workspace.edit(build({ changed: true }));
    const planned = await workspace.plan();
    const kinds = new Set(planned.map(({ type, actions }) => `${type} ${actions.join("+")}`));
    expect(kinds).toContain("vault_generic_endpoint create");
    // That of the role whose connection is another.
    const deleted = planned.filter(({ actions }) => actions.includes("delete"));
    expect(deleted).toEqual([{ type: "vault_database_secret_backend_role", actions: ["delete", "create"] }]);
    await workspace.apply();
    expect(await workspace.plan()).toEqual([]);
    const now = await roles(NAMES);
    for (const [name, { changes }] of Object.entries(VARIANTS)) {
      expect({ name, fields: differing(first[name]!, now[name]!) }).toEqual({ name, fields: changes });
    }
  });

  test("writes of static roles and connections leave nothing to the engine to remember but passwords", () => {
    // Without these an engine runs its own, which they are.
    const ownSql = /^shop\/database\/config\/\w+: root_credentials_rotate_statements$/;
    expect(proxy.left.filter((each) => !each.startsWith("auth/") && !ownSql.test(each))).toEqual([]);
  });

  test("destroying deletes each role once", async () => {
    await workspace.destroy();
    await expect(roleIn("untouched")).rejects.toThrow(/404/);
  });
});
