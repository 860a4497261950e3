import { App, TerraformStack, TerraformVariable, Testing } from "cdktf";
import {
  Access,
  accessMermaid,
  accessOf,
  accessTable,
  AppRoleAuth,
  BaseRole,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  MysqlAccess,
  MysqlConnection,
  Policy,
  PostgresConnection,
  PostgresDatabase,
  type AccessReport,
  type BaseRoleOptions,
  type DynamicRoleOptions,
  type PolicyRule,
} from "../../lib";
import { CredentialsStack } from "../../stacks";
import type { Environment } from "../../stacks";

interface Variation {
  readonly access?: Access;
  readonly applicationReadsWriter?: boolean;
  readonly rules?: readonly PolicyRule[];
  readonly role?: Partial<DynamicRoleOptions>;
  readonly base?: Partial<BaseRoleOptions>;
}

function emptyStack(): TerraformStack {
  return new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
}

/** Two roles, two applications and a policy made by hand. */
function declare(variation: Variation = {}): TerraformStack {
  const stack = emptyStack();
  const auth = new AppRoleAuth(stack, "Auth", { path: "approle" });
  const database = PostgresDatabase.fromName(stack, "Database", "shop");
  const connection = PostgresConnection.fromName(stack, "Connection", {
    engine: DatabaseSecretsEngine.fromPath(stack, "Engine", "database"),
    name: "shop",
    manager: ManagerRole.fromName(stack, "Manager", "shop_manager"),
  });
  const reader = database.addBaseRole("reader", {
    access: variation.access ?? Access.readOnly({ schemas: ["app"] }),
    ...variation.base,
  });
  const writer = database.addBaseRole("writer", { access: Access.readWrite({ schemas: ["app"] }) });
  const ttls = { defaultTtl: Duration.hours(1), maxTtl: Duration.hours(24) };
  const reading = connection.addDynamicRole("reader", { ...ttls, baseRole: reader, ...variation.role });
  const writing = connection.addDynamicRole("writer", { ...ttls, baseRole: writer });
  const rules = variation.rules ?? [{ path: "sys/health", capabilities: ["read"] }];
  const health = new Policy(stack, "Health", { name: "health", rules });
  const reports = auth.addRole("reports", { policies: [health] });
  reading.grantRead(reports);
  if (variation.applicationReadsWriter === true) writing.grantRead(reports);
  writing.grantRead(auth.addRole("api"));
  return stack;
}

/** Lines that a variation takes away and adds. */
function changed(variation: Variation): { readonly gone: string[]; readonly come: string[] } {
  const before = accessTable(accessOf(declare())).split("\n");
  const after = accessTable(accessOf(declare(variation))).split("\n");
  return {
    gone: before.filter((line) => !after.includes(line)),
    come: after.filter((line) => !before.includes(line)),
  };
}

describe("a widened right changes just its lines of the tables", () => {
  test("read-only to read-write: who may what, and the privileges", () => {
    expect(changed({ access: Access.readWrite({ schemas: ["app"] }) })).toEqual({
      gone: [
        "| reports | database/creds/reader | shop_reader | read-only on shop.app |",
        "| shop_reader | shop | all tables in schema app | SELECT |  |",
        "| shop_reader | shop | all sequences in schema app | SELECT |  |",
      ],
      come: [
        "| reports | database/creds/reader | shop_reader | read-write on shop.app |",
        "| shop_reader | shop | all tables in schema app | SELECT, INSERT, UPDATE, DELETE |  |",
        "| shop_reader | shop | all sequences in schema app | USAGE, SELECT |  |",
      ],
    });
  });

  test("another role for an AppRole", () => {
    expect(changed({ applicationReadsWriter: true })).toEqual({
      gone: [],
      come: ["| reports | database/creds/writer | shop_writer | read-write on shop.app |"],
    });
  });

  test("a policy that allows more at its path", () => {
    expect(changed({ rules: [{ path: "sys/health", capabilities: ["read", "sudo"] }] })).toEqual({
      gone: ["| health | sys/health | read | reports |"],
      come: ["| health | sys/health | read, sudo | reports |"],
    });
  });

  test("a longer life", () => {
    expect(changed({ role: { maxTtl: Duration.days(30) } })).toEqual({
      gone: ["| database/creds/reader | dynamic | 1 h, at most 24 h | terminate | shop_reader |  |"],
      come: ["| database/creds/reader | dynamic | 1 h, at most 30 d | terminate | shop_reader |  |"],
    });
  });

  test("SQL of one's own", () => {
    const { come } = changed({ role: { revocationStatements: ['DROP ROLE "{{name}}"'] } });
    expect(come).toEqual([
      "| database/creds/reader | dynamic | 1 h, at most 24 h | custom | shop_reader | own SQL: revocation |",
    ]);
  });

  test("objects that another role makes later", () => {
    const owners = new TerraformStack(Testing.stubVersion(new App()), "other");
    const { come } = changed({ base: { objectOwners: [BaseRole.fromName(owners, "Owner", "migrator")] } });
    expect(come).toEqual([
      "| shop_reader | shop | all tables in schema app | SELECT | migrator |",
      "| shop_reader | shop | all sequences in schema app | SELECT | migrator |",
    ]);
  });
});

describe("the report", () => {
  test("is data that JSON keeps", () => {
    const report = accessOf(declare());
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("changes nothing that is synthesized", () => {
    const stack = declare();
    accessOf(stack);
    expect(Testing.synth(stack)).toBe(Testing.synth(declare()));
  });

  test("tells a policy by what it says: one that reads just a role is no policy besides", () => {
    const report = accessOf(declare({ rules: [{ path: "database/creds/writer", capabilities: ["read"] }] }));
    expect(report.policies).toEqual([]);
    expect(report.appRoles[0]?.reads).toEqual(["role database/creds/writer", "role database/creds/reader"]);
  });

  test("a policy with more than to read a role is one besides", () => {
    const capabilities = ["read", "update"] as const;
    const report = accessOf(declare({ rules: [{ path: "database/creds/writer", capabilities }] }));
    expect(report.policies.map(({ name }) => name)).toEqual(["health"]);
    expect(report.appRoles[0]?.reads).toEqual(["role database/creds/reader"]);
  });

  test("shows what only Terraform knows as that", () => {
    const stack = emptyStack();
    const name = new TerraformVariable(stack, "name", {}).stringValue;
    new AppRoleAuth(stack, "Auth").addRole("api", { tokenBoundCidrs: [name] });
    PostgresDatabase.fromName(stack, "Database", name).addBaseRole("reader", {
      name: "reader",
      access: Access.readOnly(),
    });
    const text = accessTable(accessOf(stack)) + accessMermaid(accessOf(stack));
    expect(text).toContain("(known at deployment)");
    expect(text).not.toMatch(/TfToken|\$\{/);
  });

  test("has what users of MySQL may do", () => {
    const stack = emptyStack();
    MysqlConnection.fromName(stack, "Connection", {
      engine: DatabaseSecretsEngine.fromPath(stack, "Engine", "database"),
      name: "shop",
      server: "mysql",
    }).addDynamicRole("reader", {
      access: MysqlAccess.readOnly({ databases: ["shop"] }),
      defaultTtl: Duration.hours(1),
      maxTtl: Duration.hours(2),
    });
    const [role] = accessOf(stack).roles;
    expect(role?.level).toBe("read-only");
    expect(role?.grants).toEqual([{ database: "shop", on: "table", privileges: ["SELECT"] }]);
  });

  test("knows a construct of another copy of the package", () => {
    const stack = declare();
    jest.isolateModules(() => {
      const copy = jest.requireActual<{ accessOf: typeof accessOf }>("../../lib/access-picture/access-of");
      expect(copy.accessOf).not.toBe(accessOf);
      expect(copy.accessOf(stack)).toEqual(accessOf(stack));
    });
  });

  test("of an environment covers its groups, each role once", () => {
    const roles = { reader: { access: Access.readOnly() } };
    const environment: Environment = {
      name: "test",
      application: "shop",
      vault: { address: "https://vault.example.com" },
      postgres: { host: "db.example.com" },
      roles,
      applications: {},
      groups: { search: { applications: { search: { roles: ["reader"] } } } },
    };
    const stack = new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), environment);
    const report = accessOf(stack, ...stack.groups);
    expect(report.roles.map(({ name, existing }) => [name, existing])).toEqual([["reader", false]]);
    expect(report.appRoles.map(({ name, reads }) => [name, reads])).toEqual([
      ["shop-test-search", ["role shop-test/database/creds/reader"]],
    ]);
    expect(report.policies).toEqual([]);
  });
});

describe("the picture", () => {
  test("has the lines of a right, from the application to the schema", () => {
    const text = accessMermaid(accessOf(declare()));
    expect(text).toContain("AppRole_approle_reports --> role_database_creds_reader\n");
    expect(text).toContain("role_database_creds_reader --> base_role_shop_reader\n");
    expect(text).toContain('base_role_shop_reader -->|"reads"| schema_shop_app\n');
    expect(text).toContain('base_role_shop_writer["shop_writer<br/>read-write"]:::write\n');
  });

  test("escapes names", () => {
    const stack = emptyStack();
    PostgresDatabase.fromName(stack, "Database", "shop").addBaseRole("reader", {
      name: "a<b>]|&#",
      access: Access.readOnly(),
    });
    expect(accessMermaid(accessOf(stack))).toContain('["a#60;b#62;#93;#124;#38;#35;<br/>read-only"]');
  });

  /** Sixty roles that six applications read; every other role of an application is like the one before last. */
  function many(): AccessReport {
    const roles = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `role-${n}`,
        { access: n % 2 === 0 ? Access.readOnly() : Access.readWrite() },
      ]),
    );
    const names = Object.keys(roles);
    const applications = Object.fromEntries(
      Array.from({ length: 6 }, (_, n) => [`app-${n}`, { roles: names.slice(n * 10, n * 10 + 10) }]),
    );
    const servers = { vault: { address: "https://vault.example.com" }, postgres: { host: "db.example.com" } };
    const environment = { name: "test", application: "shop", ...servers, roles, applications };
    return accessOf(new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), environment));
  }

  test("of sixty roles puts those that are alike into one box, in the same order as their base roles", () => {
    const text = accessMermaid(many());
    expect(text.match(/-->/g)).toHaveLength(6 * 2 * 2);
    expect(text).toContain('["role-1<br/>role-3<br/>role-5<br/>role-7<br/>role-9<br/>1 h, at most 24 h"]');
    const bases = [1, 3, 5, 7, 9].map((n) => `shop_test_role-${n}<br/>`).join("");
    expect(text).toContain(`["${bases}reads, writes: public"]:::write`);
  });
});
