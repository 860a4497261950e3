import { Testing, App, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  Lockout,
  ManagerRole,
  MysqlAccess,
  PostgresDatabase,
  WriteOnlySecret,
  type AppRoleOptions,
  type IDatabaseSecretsEngine,
} from "../../lib";
import { CredentialsStack, type Environment } from "../../stacks";
import { one, synthesize, synthesizeStack, type Synthesized } from "./synthesis";

const LIMIT = Duration.days(32);
const LONGER = Duration.seconds(LIMIT.toSeconds() + 1);

const CREATION = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;

/** A role of each kind of server. */
function addRoles(stack: TerraformStack, engine: IDatabaseSecretsEngine, maxTtl: Duration): void {
  const password = WriteOnlySecret.fromVariable(stack, "password");
  const database = PostgresDatabase.fromName(stack, "Database", "shop");
  const manager = ManagerRole.fromName(stack, "Manager", "shop_manager");
  engine
    .addPostgresConnection("shop", { database, manager, password, endpoint: { host: "db" } })
    .addDynamicRole("reader", { creationStatements: [CREATION], maxTtl });
  engine
    .addMysqlConnection("echo", {
      ...{ server: "mariadb", endpoint: { host: "db" }, username: "manager", password },
    })
    .addDynamicRole("mysql", { access: MysqlAccess.readOnly({ databases: ["echo"] }) });
}

/** Warnings of a stack. */
function warningsOf(build: (stack: TerraformStack) => void): string[] {
  const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
  build(stack);
  return warningsIn(stack);
}

function warningsIn(stack: TerraformStack): string[] {
  return stack.node
    .findAll()
    .flatMap((construct: IConstruct) => construct.node.metadata)
    .filter(({ type }) => type === "@cdktf/warn")
    .map(({ data }) => String(data));
}

describe("the maximum of a mount", () => {
  const auth = (options: AppRoleOptions, change?: (made: ReturnType<AppRoleAuth["addRole"]>) => void) =>
    one(
      synthesize((stack) => {
        const approles = new AppRoleAuth(stack, "AppRoles");
        approles.addRole("short");
        const made = approles.addRole("web", options);
        change?.(made);
      }),
      "vault_auth_backend",
    );
  const periodic = { tokenPeriod: LONGER };

  test.each<[string, AppRoleOptions]>([
    ["a SecretID's", { secretIdTtl: LONGER }],
    ["a token's", { tokenTtl: LONGER }],
    ["a token's longest", { tokenMaxTtl: LONGER }],
    ["a token's period", periodic],
    ["a token's hard end", { tokenExplicitMaxTtl: LONGER }],
  ])("follows the longest TTL that is declared on it: %s", (_, options) => {
    expect(auth(options).tune).toEqual([expect.objectContaining({ max_lease_ttl: "2764801s" })]);
  });

  test("is the longest of several, and what a user has changed on the resource", () => {
    const options = { secretIdTtl: Duration.days(40), tokenMaxTtl: Duration.days(90) };
    expect(auth(options).tune).toEqual([expect.objectContaining({ max_lease_ttl: "2160h" })]);
    expect(auth({}, ({ resource }) => (resource.secretIdTtl = 8_640_000)).tune).toEqual([
      expect.objectContaining({ max_lease_ttl: "2400h" }),
    ]);
  });

  test.each<[string, AppRoleOptions]>([
    ["the server's limit itself", { secretIdTtl: LIMIT, tokenMaxTtl: LIMIT, tokenTtl: LIMIT }],
    ["no end", { secretIdTtl: Duration.seconds(0), tokenMaxTtl: Duration.seconds(0) }],
  ])("is left to the server where nothing is longer than it: %s", (_, options) => {
    expect(auth(options)).not.toHaveProperty("tune");
  });

  test("follows the longest TTL of a role, of a secrets engine", () => {
    const mount = (maxTtl: Duration, maxLeaseTtl?: Duration): Synthesized =>
      synthesize((stack) =>
        addRoles(stack, new DatabaseSecretsEngine(stack, "Secrets", { maxLeaseTtl }), maxTtl),
      );
    expect(one(mount(LONGER), "vault_mount").max_lease_ttl_seconds).toBe(2_764_801);
    expect(one(mount(LIMIT), "vault_mount")).not.toHaveProperty("max_lease_ttl_seconds");
    expect(one(mount(LONGER, Duration.days(7)), "vault_mount").max_lease_ttl_seconds).toBe(604_800);
    expect(one(mount(LIMIT, Duration.days(90)), "vault_mount").max_lease_ttl_seconds).toBe(7_776_000);
  });

  test("is the server's own where a user says 0, and what that would cut is warned of", () => {
    const none = Duration.seconds(0);
    const build = (secretIdTtl: Duration) => (stack: TerraformStack) => {
      new AppRoleAuth(stack, "AppRoles", { maxLeaseTtl: none }).addRole("web", { secretIdTtl });
      AppRoleAuth.fromPath(stack, "Other", { path: "other", maxLeaseTtl: none }).addRole("web", {
        secretIdTtl,
      });
      addRoles(stack, new DatabaseSecretsEngine(stack, "Secrets", { maxLeaseTtl: none }), LIMIT);
    };
    const made = synthesize(build(LIMIT));
    expect(one(made, "vault_auth_backend").tune).toEqual([expect.objectContaining({ max_lease_ttl: "0s" })]);
    expect(one(made, "vault_mount").max_lease_ttl_seconds).toBe(0);
    expect(warningsOf(build(LIMIT))).toEqual([]);
    const warnings = warningsOf(build(LONGER));
    expect(warnings).toHaveLength(2);
    for (const warning of warnings) expect(warning).toContain("ends it after 768h");
  });

  test("is the user's where there is one", () => {
    const made = synthesize((stack) => {
      new AppRoleAuth(stack, "AppRoles", { maxLeaseTtl: Duration.days(7) }).addRole("web", {
        secretIdTtl: LONGER,
      });
    });
    expect(one(made, "vault_auth_backend").tune).toEqual([
      expect.objectContaining({ max_lease_ttl: "168h" }),
    ]);
  });
});

describe("the maxima of an environment's mounts", () => {
  const environment: Environment = {
    ...{ name: "test", application: "shop", schemas: ["app"] },
    vault: { address: "https://vault.example.com:8200", lockout: Lockout.off() },
    postgres: { host: "db" },
    roles: { owner: { access: Access.owner({ schemas: ["app"] }) } },
    applications: { migrations: { roles: ["owner"] } },
  };
  const longer = {
    roles: { reader: { access: Access.readOnly({ schemas: ["app"] }), maxTtl: LONGER } },
    applications: { web: { roles: ["reader"], tokenMaxTtl: LONGER, secretIdTtl: Duration.days(90) } },
  };

  test.each<[string, Environment]>([
    ["its own stack", { ...environment, ...longer }],
    ["that of a group", { ...environment, groups: { web: longer } }],
  ])("follow what is declared on them in %s, and nobody is warned", (_, given) => {
    const app = Testing.stubVersion(new App({ stackTraces: false }));
    new CredentialsStack(app, given);
    const stacks = app.node.findAll().filter((each) => TerraformStack.isStack(each));
    const made = synthesizeStack(stacks[0]!);
    expect(one(made, "vault_mount").max_lease_ttl_seconds).toBe(2_764_801);
    expect(one(made, "vault_auth_backend").tune).toEqual([
      expect.objectContaining({ max_lease_ttl: "2160h" }),
    ]);
    expect(
      one(made, "vault_generic_endpoint", { path: "sys/mounts/auth/shop-test/approle/tune" }),
    ).toBeDefined();
    expect(stacks.flatMap(warningsIn)).toEqual([]);
  });

  test("are left to the server where nothing is longer", () => {
    const stack = new CredentialsStack(Testing.stubVersion(new App({ stackTraces: false })), environment);
    const made = synthesizeStack(stack);
    expect(one(made, "vault_mount")).not.toHaveProperty("max_lease_ttl_seconds");
    expect(one(made, "vault_auth_backend")).not.toHaveProperty("tune");
  });
});

describe("a TTL that a mount cuts", () => {
  test.each<[string, (stack: TerraformStack) => void, RegExp]>([
    [
      "an AppRole's, in an auth method of elsewhere",
      (stack) =>
        void AppRoleAuth.fromPath(stack, "A", "team/approle").addRole("web", { secretIdTtl: LONGER }),
      /^The secretIdTtl of the AppRole "web" is 2764801s, and the auth method "team\/approle" ends it after 768h, unless it or its server/,
    ],
    [
      "a role's, in a secrets engine of elsewhere",
      (stack) => addRoles(stack, DatabaseSecretsEngine.fromPath(stack, "S", "shop/database"), LONGER),
      /^The maxTtl of the role "reader" is 2764801s, and the secrets engine "shop\/database" ends it after 768h/,
    ],
    [
      "an AppRole's, beyond the user's bound",
      (stack) =>
        void new AppRoleAuth(stack, "A", { maxLeaseTtl: Duration.days(7) }).addRole("web", {
          secretIdTtl: Duration.days(8),
        }),
      /^The secretIdTtl of the AppRole "web" is 192h, and the auth method "approle" ends it after 168h\. Set a longer maxLeaseTtl/,
    ],
    [
      "a role's, beyond the user's bound",
      (stack) =>
        addRoles(
          stack,
          new DatabaseSecretsEngine(stack, "S", { maxLeaseTtl: Duration.hours(24) }),
          Duration.hours(25),
        ),
      /^The maxTtl of the role "reader" is 25h, and the secrets engine "database" ends it after 24h/,
    ],
  ])("is warned of: %s", (_, build, warning) => {
    expect(warningsOf(build)).toEqual([expect.stringMatching(warning)]);
  });

  test("is not warned of where none is cut", () => {
    expect(
      warningsOf((stack) => {
        AppRoleAuth.fromPath(stack, "A", "team/approle").addRole("web", { secretIdTtl: LIMIT });
        AppRoleAuth.fromPath(stack, "C", { path: "c", maxLeaseTtl: LONGER }).addRole("web", {
          secretIdTtl: LONGER,
        });
        new AppRoleAuth(stack, "B").addRole("web", { secretIdTtl: LONGER });
        addRoles(
          stack,
          new DatabaseSecretsEngine(stack, "S", { maxLeaseTtl: Duration.hours(24) }),
          Duration.hours(24),
        );
      }),
    ).toEqual([]);
  });
});
