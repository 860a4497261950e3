import { TerraformVariable, type TerraformStack } from "cdktf";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  Login,
  ManagerRole,
  PostgresConnection,
  PostgresDatabase,
  rotation,
  StaticRole,
  WriteOnlySecret,
  type StaticRoleOptions,
} from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

const TYPE = "vault_database_secret_backend_static_role";

/** Everything up to a connection and a login, for tests of what hangs on them. */
function connected(scope: TerraformStack) {
  const database = new PostgresDatabase(scope, "Orders", { name: "orders" });
  const owner = database.addBaseRole("owner", { access: Access.owner() });
  const reader = database.addBaseRole("reader", { access: Access.readOnly() });
  const login = database.addLogin("legacy", { baseRole: reader });
  const manager = new ManagerRole(scope, "Manager", {
    name: "orders_manager",
    password: WriteOnlySecret.fromVariable(scope, "manager_password"),
  });
  const engine = new DatabaseSecretsEngine(scope, "Secrets");
  const endpoint = { host: "db.example.com" };
  const connection = engine.addPostgresConnection("orders", { database, manager, endpoint });
  return { database, owner, reader, login, manager, engine, connection };
}

type Made = ReturnType<typeof connected>;

const build = (options: StaticRoleOptions | ((made: Made) => StaticRoleOptions)) =>
  synthesize((scope) => {
    const made = connected(scope);
    made.connection.addStaticRole("r", typeof options === "function" ? options(made) : options);
  });

describe("StaticRole", () => {
  test("is made anew with its login, where that is declared here", () => {
    const made = synthesize((scope) => {
      const { connection, login } = connected(scope);
      connection.addStaticRole("legacy", { login });
      connection.addStaticRole("old", { username: "old_app" });
    });
    const address = addressOf(made, "postgresql_role", { name: "orders_legacy" });
    // Unknown while the login is made, and a username that is unknown makes the static role anew.
    expect(one(made, TYPE, { name: "legacy" }).username).toBe(`orders_legacy\${substr(${address}.id, 0, 0)}`);
    expect(one(made, TYPE, { name: "old" }).username).toBe("old_app");
    expect(JSON.stringify(made)).not.toContain("terraform_data");
  });

  test("minimal definition: SQL that waits for no lock for long, a new password a day, nothing else", () => {
    const role = one(
      build(({ login }) => ({ login })),
      TYPE,
    );
    expect(role).toMatchObject({
      backend: "database",
      name: "r",
      db_name: "orders",
      username: expect.stringMatching(/^orders_legacy\$\{substr\(.+\.id, 0, 0\)\}$/) as string,
      rotation_period: 86_400,
      rotation_statements: rotation(),
    });
    expect(Object.keys(role).filter((name) => /schedule|window|password|skip/.test(name))).toEqual([]);
  });

  test("is allowed on its connection, beside dynamic roles", () => {
    const stack = synthesize((scope) => {
      const { connection, reader, login } = connected(scope);
      connection.addDynamicRole("reader", { baseRole: reader });
      new StaticRole(scope, "Static", { connection, name: "legacy", login });
    });
    expect(one(stack, "vault_database_secret_backend_connection").allowed_roles).toEqual([
      "legacy",
      "reader",
    ]);
  });

  test("waits for its connection, its login with all rights, and the manager's right over the login", () => {
    const stack = build(({ login }) => ({ login }));
    expect([...waitsFor(stack, addressOf(stack, TYPE))]).toEqual(
      expect.arrayContaining([
        addressOf(stack, "vault_database_secret_backend_connection"),
        addressOf(stack, "postgresql_role", { name: "orders_legacy" }),
        addressOf(stack, "postgresql_grant_role", { grant_role: "orders_legacy" }),
        addressOf(stack, "postgresql_grant", { role: "orders_reader", object_type: "table" }),
      ]),
    );
    expect(one(stack, "postgresql_grant_role")).toMatchObject({
      role: "orders_manager",
      grant_role: "orders_legacy",
      with_admin_option: true,
    });
  });

  test("takes a login of elsewhere by name, and makes the manager ADMIN of it unless told that it is", () => {
    const stack = (grantAdmin?: boolean) => build({ username: "app", grantAdmin });
    expect(one(stack(), TYPE).username).toBe("app");
    expect(all(stack(), "postgresql_grant_role")).toMatchObject([{ grant_role: "app" }]);
    expect(all(stack(false), "postgresql_grant_role")).toEqual([]);
    expect(all(stack(), "postgresql_role").map((role) => role.name)).not.toContain("app");
  });

  test("takes a login that only Terraform knows", () => {
    const stack = synthesize((scope) => {
      const username = new TerraformVariable(scope, "login", { type: "string" }).stringValue;
      connected(scope).connection.addStaticRole("r", { username });
    });
    expect(one(stack, TYPE).username).toBe("${var.login}");
  });

  test("takes rotation statements of the user's own", () => {
    const rotationStatements = [`ALTER ROLE "{{name}}" PASSWORD '{{password}}'`];
    expect(one(build({ username: "app", rotationStatements }), TYPE).rotation_statements).toEqual(
      rotationStatements,
    );
  });

  test.each<[StaticRoleOptions, RegExp]>([
    [{}, /has no login.*\n?.*exactly one of login/s],
    [{ username: "" }, /The login has no name/],
    [{ username: "a;b" }, /holds ";"/],
    [{ username: "orders_manager" }, /the login of its own connection/],
    [{ username: "app", rotationPeriod: Duration.seconds(4) }, /rotation period "4s".*5s or longer/s],
    [{ username: "app", rotationStatements: [] }, /rotation statements of role "r" are empty/],
    [
      { username: "app", rotationStatements: [`ALTER ROLE "{{name}}" PASSWORD 'x'`] },
      /do not use \{\{password\}\}/,
    ],
    [
      { username: "app", rotationStatements: [`ALTER ROLE app PASSWORD '{{password}}'`] },
      /do not use \{\{name\}\}/,
    ],
    [
      {
        username: "app",
        rotationStatements: [`ALTER ROLE "{{name}}" PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`],
      },
      /use "\{\{expiration\}\}"/,
    ],
    [
      { username: "app", rotationStatements: [`ALTER ROLE "{{name}}" SUPERUSER PASSWORD '{{password}}'`] },
      /Set the password only/,
    ],
  ])("refuses %j", (options, message) => {
    expect(() => build(options)).toThrow(message);
  });

  test("refuses a login with a password of its own, which the login gets and keeps out of the plan", () => {
    const withPassword = (asStatic: boolean) =>
      synthesize((scope) => {
        const { connection, database, reader } = connected(scope);
        const password = WriteOnlySecret.fromVariable(scope, "fallback", { version: 2 });
        const login = database.addLogin("fallback", { baseRole: reader, password });
        if (asStatic) connection.addStaticRole("r", { login });
      });
    expect(one(withPassword(false), "postgresql_role", { name: "orders_fallback" })).toMatchObject({
      password_wo: "${var.fallback}",
      password_wo_version: "2",
    });
    expect(() => withPassword(true)).toThrow(/"orders_fallback", which has a password of its own/);
  });

  test("refuses two logins at once", () => {
    expect(() => build(({ login }) => ({ login, username: "app" }))).toThrow(/both a login and a username/);
  });

  test.each([
    ["after", "legacy"],
    ["before", "Legacy"],
  ])("refuses the name of a dynamic role declared %s it, also in another case", (order, name) => {
    expect(() =>
      synthesize((scope) => {
        const { connection, reader, login } = connected(scope);
        if (order === "before") connection.addDynamicRole("legacy", { baseRole: reader });
        connection.addStaticRole(name, { login });
        connection.addDynamicRole("legacy", { baseRole: reader });
      }),
    ).toThrow(/two roles named "legacy"/i);
  });

  test("on a connection of elsewhere warns that its login has to be made ADMIN", () => {
    const warnings = (options: { grantAdmin?: boolean }) => {
      let role: StaticRole | undefined;
      synthesize((scope) => {
        const { engine } = connected(scope);
        const connection = PostgresConnection.fromName(scope, "There", { engine, name: "there" });
        role = connection.addStaticRole("r", { username: "app", ...options });
      });
      return role?.node.metadata.map((entry) => String(entry.data)) ?? [];
    };
    expect(warnings({})).toEqual([expect.stringMatching(/make it ADMIN of "app"/)]);
    expect(warnings({ grantAdmin: false })).toEqual([]);
  });
});

describe("grantRead of a static role", () => {
  test("makes one policy over the exact path, whoever gets it", () => {
    const stack = synthesize((scope) => {
      const { connection, login } = connected(scope);
      const role = connection.addStaticRole("Legacy", { login });
      const auth = new AppRoleAuth(scope, "AppRoles");
      role.grantRead(auth.addRole("web"));
      role.grantRead(auth.addRole("batch"));
      expect(role.rotatePath).toBe("database/rotate-role/Legacy");
    });
    expect(all(stack, "vault_policy")).toMatchObject([
      {
        name: "database/static-creds/legacy",
        policy: 'path "database/static-creds/Legacy" {\n  capabilities = ["read"]\n}\n',
      },
    ]);
    expect(waitsFor(stack, addressOf(stack, "vault_policy"))).toContain(addressOf(stack, TYPE));
    for (const role_name of ["web", "batch"]) {
      expect(one(stack, "vault_approle_auth_backend_role", { role_name }).token_policies).toEqual([
        "database/static-creds/legacy",
      ]);
    }
  });

  test("works for a role of elsewhere", () => {
    const stack = synthesize((scope) => {
      const engine = DatabaseSecretsEngine.fromPath(scope, "Secrets", "shared/database");
      const role = StaticRole.fromName(scope, "Legacy", { engine, name: "legacy" });
      role.grantRead(AppRoleAuth.fromPath(scope, "Auth", "approle").addRole("web"));
    });
    expect(one(stack, "vault_policy").name).toMatch(
      /^shared\/database\/static-creds\/legacy\.for\.approle\.web-[0-9a-f]{8}$/,
    );
    expect(all(stack, TYPE)).toEqual([]);
  });
});

describe("Login", () => {
  test("minimal definition: a member of its base role, with no password, dropped after the database", () => {
    const stack = synthesize((scope) => void connected(scope));
    const role = one(stack, "postgresql_role", { name: "orders_legacy" });
    expect(role).toMatchObject({ login: true, superuser: false, roles: ["orders_reader"] });
    expect(Object.keys(role).filter((name) => /password|assume/.test(name))).toEqual([]);
    expect(waitsFor(stack, addressOf(stack, "postgresql_database"))).toContain(
      addressOf(stack, "postgresql_role", { name: "orders_legacy" }),
    );
  });

  test("of an owner acts as the owner from the start", () => {
    const stack = synthesize((scope) => {
      const { database, owner } = connected(scope);
      database.addLogin("migrations", { baseRole: owner, name: "migrations", connectionLimit: 3 });
    });
    expect(one(stack, "postgresql_role", { name: "migrations" })).toMatchObject({
      assume_role: "orders_owner",
      connection_limit: 3,
    });
  });

  test("refuses a name that PostgreSQL reserves, and the id of another role of the database", () => {
    const add = (id: string, name?: string) =>
      synthesize((scope) => {
        const { database, reader } = connected(scope);
        database.addLogin(id, { baseRole: reader, name });
      });
    expect(() => add("x", "pg_app")).toThrow(/reserved by PostgreSQL/);
    expect(() => add("reader")).toThrow(/another role with the id "reader"/);
  });

  test("can be declared apart from a database of this stack", () => {
    const stack = synthesize((scope) => {
      const { reader } = connected(scope);
      new Login(scope, "Apart", { name: "apart", baseRole: reader });
    });
    expect(waitsFor(stack, addressOf(stack, "postgresql_role", { name: "apart" }))).toContain(
      addressOf(stack, "postgresql_role", { name: "orders_reader" }),
    );
  });
});
