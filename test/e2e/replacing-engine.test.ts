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
  type DynamicRoleOptions,
  type MysqlDynamicRoleOptions,
} from "../../lib";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { startReplacingProxy, type ReplacingProxy } from "./replacing-proxy";
import { Workspace } from "./workspace";

jest.setTimeout(240_000);

const ENGINE = "shop/database";

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
    connection.addStaticRole("reports", { login, rotationPeriod: Duration.hours(changed ? 2 : 1) });
    const auth = new AppRoleAuth(stack, "AppRoles", { path: "shop/approle" });
    auth.addRole("reports", { tokenTtl: Duration.minutes(changed ? 10 : 20) });
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

  beforeAll(async () => {
    workspace = new Workspace(sandbox, "shop", build({}));
    await workspace.apply();
    first = await roles(NAMES);
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
