import { App, TerraformStack, TerraformVariable, Testing } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { Construct } from "constructs";
import {
  Access,
  BaseRole,
  DatabaseSecretsEngine,
  Login,
  ManagerRole,
  PostgresConnection,
  PostgresDatabase,
  WriteOnlySecret,
  type DynamicRoleOptions,
  type IManagerRole,
} from "../../lib";
import { CredentialsStack, type Environment } from "../../stacks";
import { synthesizeStack } from "./synthesis";

const access = Access.readOnly();
const VAULT = "https://vault.example.com:8200";

/** A stack of an app, whose providers name these servers. */
function stackOf(app: App, id: string, host: string | undefined = "db.example.com", address = VAULT) {
  const stack = new TerraformStack(app, id);
  new PostgresqlProvider(stack, "PostgresqlProvider", { host, username: "terraform" });
  new VaultProvider(stack, "VaultProvider", { address });
  return stack;
}

const newApp = () => Testing.stubVersion(new App({ stackTraces: false }));
const alone = () => stackOf(newApp(), "alone");
const password = (scope: TerraformStack) => WriteOnlySecret.fromVariable(scope, "manager_password");

function connected(scope: TerraformStack, name = "orders") {
  const database = new PostgresDatabase(scope, "Database", { name });
  const manager = new ManagerRole(scope, "Manager", { name: `${name}_manager`, password: password(scope) });
  const engine = new DatabaseSecretsEngine(scope, "Secrets", { path: `${name}/database` });
  const endpoint = { host: "db.example.com" };
  return {
    database,
    manager,
    connection: engine.addPostgresConnection("main", { database, manager, endpoint }),
  };
}

describe("a name on a PostgreSQL server", () => {
  test.each<[string, (stack: TerraformStack) => unknown, RegExp]>([
    [
      "of a base role and the manager",
      (stack) => {
        new ManagerRole(stack, "Manager", { name: "orders_manager", password: password(stack) });
        new PostgresDatabase(stack, "Database", { name: "orders" }).addBaseRole("manager", { access });
      },
      /server db\.example\.com:5432 .*"orders_manager": the manager that is declared at "alone\/Manager", and the base role that is declared at "alone\/Database\/manager".*\n.*give one of them another name/s,
    ],
    [
      "of roles of two databases",
      (stack) => {
        new PostgresDatabase(stack, "A", { name: "a" }).addBaseRole("b_c", { access });
        new PostgresDatabase(stack, "B", { name: "a_b" }).addBaseRole("c", { access });
      },
      /"a_b_c": the base role .*alone\/A\/b_c.*the base role .*alone\/B\/c/s,
    ],
    [
      "of a login and a base role",
      (stack) => {
        const database = new PostgresDatabase(stack, "Database", { name: "orders" });
        const baseRole = database.addBaseRole("reader", { access });
        database.addLogin("legacy", { baseRole, name: "orders_reader" });
      },
      /"orders_reader": the base role .* and the login/s,
    ],
    [
      "of two databases",
      (stack) => ["A", "B"].map((id) => new PostgresDatabase(stack, id, { name: "orders" })),
      /"orders": the database .*alone\/A.* and the database .*alone\/B/s,
    ],
    [
      "of a login that is imported, too",
      (stack) => {
        Login.fromName(stack, "Production", "shop_owner");
        PostgresDatabase.fromName(stack, "Shop", "shop").addBaseRole("owner", { access });
      },
      /"shop_owner": the login that is imported at "alone\/Production", and the base role that is declared.*\n.*take the declaration away/s,
    ],
    [
      "of a login that a static role takes by its name",
      (stack) => {
        const { database, connection } = connected(stack);
        const baseRole = database.addBaseRole("reader", { access });
        database.addLogin("legacy", { baseRole });
        connection.addStaticRole("old", { username: "orders_legacy" });
      },
      /"orders_legacy": the login that is declared .* imported at "alone\/Secrets\/main\/old\/Login"/s,
    ],
    [
      "of a database that is imported, too",
      (stack) => {
        PostgresDatabase.fromName(stack, "There", "orders");
        new PostgresDatabase(stack, "Here", { name: "orders" });
      },
      /"orders": the database that is imported/,
    ],
    [
      "of the login that Terraform uses",
      (stack) =>
        new PostgresDatabase(stack, "D", { name: "d" }).addBaseRole("x", { access, name: "terraform" }),
      /base role at "alone\/D\/x" has the name "terraform", that of the login which Terraform uses/,
    ],
    [
      "of a schema of two references to a database",
      (stack) => ["A", "B"].forEach((id) => PostgresDatabase.fromName(stack, id, "orders").addSchema("app")),
      /two owners of the schema "app" of the database "orders": the schema that is declared at "alone\/A\/schema-app", and the schema that is declared at "alone\/B\/schema-app".*\n.*drop it from under the other/s,
    ],
  ])("has one owner: that %s is refused", (_, build, message) => {
    expect(() => build(alone())).toThrow(message);
  });

  test("may be imported twice, be that of a role and of a database, and differ in case", () => {
    const stack = alone();
    const database = new PostgresDatabase(stack, "Database", { name: "orders" });
    database.addBaseRole("reader", { access });
    database.addBaseRole("Reader", { access });
    database.addBaseRole("alike", { access, name: "orders" });
    BaseRole.fromName(stack, "One", "elsewhere");
    Login.fromName(stack, "Two", "elsewhere");
    expect(() => Testing.synth(stack, true)).not.toThrow();
  });

  test("that only Terraform knows passes", () => {
    const stack = alone();
    const name = new TerraformVariable(stack, "name", { type: "string" }).stringValue;
    const database = new PostgresDatabase(stack, "Database", { name: "orders" });
    database.addBaseRole("a", { access, name });
    database.addBaseRole("b", { access, name });
    expect(() => Testing.synth(stack, true)).not.toThrow();
  });

  test("has one owner in all stacks that name the server, and is imported by any of them", () => {
    const app = newApp();
    const build = (stack: TerraformStack) =>
      PostgresDatabase.fromName(stack, "Orders", "orders").addBaseRole("reader", { access });
    build(stackOf(app, "one"));
    BaseRole.fromName(stackOf(app, "two"), "Reader", "orders_reader");
    expect(() => build(stackOf(app, "three", "DB.example.com"))).toThrow(
      /"one\/Orders\/reader".*"three\/Orders/s,
    );
  });

  test.each([
    ["db", "other"],
    ["db", undefined],
    [undefined, undefined],
    ["${var.host}", "${var.host}"],
  ])("of %s is another's on %s", (first, second) => {
    const app = newApp();
    for (const [id, server] of [
      ["one", first],
      ["two", second],
    ] as const) {
      const stack = new TerraformStack(app, id);
      new PostgresqlProvider(stack, "PostgresqlProvider", { host: server });
      new PostgresDatabase(stack, "Orders", { name: "orders" }).addBaseRole("reader", { access });
    }
    expect(() => app.synth()).not.toThrow();
  });

  test("is looked at where the provider is declared last", () => {
    const app = newApp();
    for (const id of ["one", "two"]) {
      const stack = new TerraformStack(app, id);
      new PostgresDatabase(stack, "Orders", { name: "orders" });
      new PostgresqlProvider(stack, "PostgresqlProvider", { host: "db.example.com" });
    }
    expect(() => app.synth()).toThrow(/"orders": the database .*"one\/Orders".*"two\/Orders"/s);
  });

  test("is one provider's where a stack has several", () => {
    const stack = alone();
    const provider = new PostgresqlProvider(stack, "Second", { host: "second.example.com", alias: "second" });
    const same = new PostgresqlProvider(stack, "Same", { host: "db.example.com", alias: "same" });
    new PostgresDatabase(stack, "A", { name: "orders" });
    new PostgresDatabase(stack, "B", { name: "orders", provider });
    expect(() => new PostgresDatabase(stack, "C", { name: "orders", provider: same })).toThrow(/"alone\/A"/);
  });
});

describe("a schema", () => {
  test("has one owner in all stacks that name the server, in each database", () => {
    const app = newApp();
    new PostgresDatabase(stackOf(app, "one"), "Orders", { name: "orders" }).addSchema("app");
    const two = stackOf(app, "two");
    PostgresDatabase.fromName(two, "Billing", "billing").addSchema("app");
    PostgresDatabase.fromName(two, "Upper", "Orders").addSchema("app");
    const orders = PostgresDatabase.fromName(two, "Orders", "orders");
    orders.addSchema("App");
    expect(() => orders.addSchema("app")).toThrow(
      /db\.example\.com:5432 .*the schema "app" of the database "orders": .*"one\/Orders\/schema-app".*"two\/Orders/s,
    );
    PostgresDatabase.fromName(stackOf(app, "three", "other"), "Orders", "orders").addSchema("app");
    expect(() => app.synth()).not.toThrow();
  });
});

const orders = (stack: TerraformStack, id = "Orders") => PostgresDatabase.fromName(stack, id, "orders");

describe("a grant on a database", () => {
  test("has one owner in all stacks, and in one stack may be said twice", () => {
    const app = newApp();
    const one = stackOf(app, "one");
    const database = orders(one);
    database.grantConnect(one, "app");
    orders(one, "Again").grantConnect(new Construct(one, "Elsewhere"), "app");
    database.grantConnect(new Construct(one, "Upper"), "App");
    const two = stackOf(app, "two");
    expect(() => orders(two).grantConnect(two, "app")).toThrow(
      /two owners of the grant on the database "orders" to "app": the grant that is declared at "one\/connect-orders", and the grant that is declared at "two\/connect-orders".*\n.*take the right from the other/s,
    );
  });

  test("is not a base role's with less than its access", () => {
    const stack = alone();
    const database = orders(stack);
    database.grantConnect(stack, database.addBaseRole("reader", { access }).name);
    const owner = database.addBaseRole("owner", { access: Access.owner() });
    expect(() => database.grantConnect(new Construct(stack, "Owner"), owner.name)).toThrow(
      /the grant on the database "orders" to "orders_owner"/,
    );
  });
});

describe("the right to hand out a base role", () => {
  const environment = (app: App) => {
    const stack = stackOf(app, "one");
    const { database, manager, connection } = connected(stack);
    const baseRole = database.addBaseRole("reader", { access });
    connection.addDynamicRole("reader", { baseRole });
    return { manager, connection, baseRole };
  };
  /** A team's stack, which knows the environment by its names. */
  const team = (stack: TerraformStack, options: Partial<DynamicRoleOptions> = {}, manager?: IManagerRole) => {
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "orders/database");
    manager ??= ManagerRole.fromName(stack, "Manager", "orders_manager");
    const connection = PostgresConnection.fromName(stack, "Main", { engine, name: "main", manager });
    const baseRole = BaseRole.fromName(stack, "Reader", "orders_reader");
    const add = (name: string, more: Partial<DynamicRoleOptions> = {}) =>
      connection.addDynamicRole(name, { baseRole, ...options, ...more });
    add(stack.node.id);
    return { manager, connection, baseRole, add };
  };
  /** Resources that grant it, those that are taken out of the state, and warnings of that. */
  const granted = (stack: TerraformStack) => {
    const { resource, ...rest } = synthesizeStack(stack);
    const { removed = [] } = JSON.parse(rest.json) as { removed?: readonly { from: string }[] };
    const warnings = stack.node
      .findAll()
      .flatMap((each) => each.node.metadata.filter(({ data }) => String(data).includes("made ADMIN")));
    return {
      grants: Object.keys(resource.postgresql_grant_role ?? {}),
      forgotten: removed.map(({ from }) => from.replace(/_[0-9A-F]{8}$/, "")),
      warnings: warnings.length,
    };
  };
  const FORGOTTEN = "postgresql_grant_role.Manager_admin-orders_reader";

  test("is left to others where connection, login and base role are theirs, with a warning until that is said", () => {
    const app = newApp();
    environment(app);
    const two = stackOf(app, "two");
    team(two);
    expect(granted(two)).toEqual({ grants: [], forgotten: [FORGOTTEN], warnings: 1 });
    const three = stackOf(app, "three");
    team(three, { grantAdmin: false });
    expect(granted(three)).toEqual({ grants: [], forgotten: [FORGOTTEN], warnings: 0 });
    expect(() => app.synth()).not.toThrow();
  });

  test("is declared where it is asked for, at the address that it has always had", () => {
    const [one, two] = [alone(), alone()];
    team(one, { grantAdmin: true });
    const manager = ManagerRole.fromName(two, "Manager", "orders_manager");
    manager.handOut(BaseRole.fromName(two, "Reader", "orders_reader"));
    expect(granted(one)).toEqual({ ...granted(two), forgotten: [], warnings: 0 });
    expect(granted(one).grants).toEqual([expect.stringMatching(/^Manager_admin-orders_reader_[0-9A-F]{8}$/)]);
  });

  test.each([
    [false, true],
    [true, false],
  ])("is declared where one of two roles asks for it: %s and %s", (first, second) => {
    const stack = alone();
    team(stack, { grantAdmin: first }).add("other", { grantAdmin: second });
    expect(granted(stack)).toMatchObject({ grants: [expect.anything()], forgotten: [] });
  });

  test.each<[string, (stack: TerraformStack) => void]>([
    [
      "the login",
      (stack) =>
        void team(stack, {}, new ManagerRole(stack, "Own", { name: "own", password: password(stack) })),
    ],
    [
      "the base role",
      (stack) => {
        const { add } = team(stack, { grantAdmin: false });
        add("own", { grantAdmin: undefined, baseRole: orders(stack).addBaseRole("own", { access }) });
      },
    ],
    [
      "the connection",
      (stack) => {
        const engine = new DatabaseSecretsEngine(stack, "Secrets");
        const manager = ManagerRole.fromName(stack, "Manager", "made_by_a_dba");
        const endpoint = { host: "db.example.com" };
        engine
          .addPostgresConnection("main", {
            database: orders(stack),
            manager,
            endpoint,
            password: password(stack),
          })
          .addDynamicRole("reader", { baseRole: BaseRole.fromName(stack, "Reader", "orders_reader") });
      },
    ],
  ])("is declared where %s is", (_, build) => {
    const stack = alone();
    build(stack);
    expect(granted(stack)).toMatchObject({ grants: [expect.anything()], warnings: 0 });
  });

  test("is left to the stack of a base role that another refers to by its construct", () => {
    const app = newApp();
    const { baseRole } = environment(app);
    const two = stackOf(app, "two");
    team(two, { baseRole });
    expect(granted(two).grants).toEqual([]);
  });

  test("has one owner in all stacks", () => {
    const app = newApp();
    environment(app);
    expect(() => team(stackOf(app, "two"), { grantAdmin: true })).toThrow(
      /two owners of the grant of "orders_reader" to "orders_manager" WITH ADMIN OPTION: .*"one\/Manager\/admin-orders_reader", .*"two\/Manager\/admin-orders_reader".*\n.*pass grantAdmin: false to the dynamic roles of one stack/s,
    );
  });

  test("may be declared by two references to a login in one stack", () => {
    const stack = alone();
    const { baseRole, connection } = team(stack, { grantAdmin: true });
    const manager = ManagerRole.fromName(stack, "Again", "orders_manager");
    const { engine } = connection;
    const again = PostgresConnection.fromName(stack, "Second", { engine, name: "second", manager });
    again.addDynamicRole("second", { baseRole, grantAdmin: true });
    expect(granted(stack).grants).toHaveLength(2);
  });
});

describe("the password of a login", () => {
  const TWO =
    /password of the login "app" .* two owners: the static role at .*, and the static role at .*\n.*shut out/s;

  test("has one static role, however it names the login", () => {
    const stack = alone();
    const { connection } = connected(stack);
    connection.addStaticRole("one", { username: "app" });
    expect(() => connection.addStaticRole("two", { username: "app" })).toThrow(TWO);
    expect(() => connection.addStaticRole("three", { login: Login.fromName(stack, "App", "app") })).toThrow(
      TWO,
    );
    connection.addStaticRole("four", { username: "App" });
  });

  test("has one static role on all connections and engines of the server", () => {
    const stack = alone();
    const { connection, database, manager } = connected(stack);
    connection.addStaticRole("one", { username: "app" });
    const other = new DatabaseSecretsEngine(stack, "Other", { path: "other/database" });
    const second = other.addPostgresConnection("main", { database, manager, endpoint: { host: "pooler" } });
    expect(() => second.addStaticRole("two", { username: "app" })).toThrow(TWO);
  });

  test("of a declared login has one static role", () => {
    const { connection, database } = connected(alone());
    const login = database.addLogin("app", { baseRole: database.addBaseRole("r", { access }), name: "app" });
    connection.addStaticRole("one", { login });
    expect(() => connection.addStaticRole("two", { login })).toThrow(TWO);
  });

  test("has one static role in all stacks of an app, whatever they know of the server", () => {
    const app = newApp();
    connected(stackOf(app, "one", "${var.host}")).connection.addStaticRole("one", { username: "app" });
    const stack = new TerraformStack(app, "two");
    new VaultProvider(stack, "VaultProvider", { address: VAULT });
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "orders/database");
    const connection = PostgresConnection.fromName(stack, "Main", { engine, name: "main" });
    expect(() => connection.addStaticRole("two", { username: "app", grantAdmin: false })).toThrow(TWO);
    const elsewhere = PostgresConnection.fromName(stack, "Other", { engine, name: "other" });
    elsewhere.addStaticRole("three", { username: "app", grantAdmin: false });
  });

  test("of another connection's manager is no static role's", () => {
    const stack = alone();
    const { connection, database, manager: first } = connected(stack);
    const manager = ManagerRole.fromName(stack, "Second", "second");
    const engine = new DatabaseSecretsEngine(stack, "Other", { path: "other/database" });
    const endpoint = { host: "db.example.com" };
    engine.addPostgresConnection("main", { database, manager, endpoint, password: first.password });
    expect(() => connection.addStaticRole("x", { username: "second" })).toThrow(
      /"second" .*the connection at "alone\/Other\/main", and the static role at/s,
    );
  });

  test("that a login has of its own is no static role's in another stack", () => {
    const app = newApp();
    const one = stackOf(app, "one");
    const database = new PostgresDatabase(one, "Database", { name: "d" });
    const baseRole = database.addBaseRole("r", { access });
    database.addLogin("app", { baseRole, name: "app", password: password(one) });
    const { connection } = connected(stackOf(app, "two"));
    expect(() => connection.addStaticRole("x", { username: "app" })).toThrow(
      /the login at "one\/Database\/app"/,
    );
  });
});

describe("the login that Terraform uses", () => {
  const OWN =
    /static role at "[^"]+" manages "terraform", the login that Terraform uses .*provider at "[^"]+".*\n.*login of its own/s;

  test("is no static role's, by its name or as a login that is imported", () => {
    const stack = alone();
    const { connection } = connected(stack);
    expect(() => connection.addStaticRole("a", { username: "terraform" })).toThrow(OWN);
    const login = Login.fromName(stack, "Own", "terraform");
    expect(() => connection.addStaticRole("b", { login, grantAdmin: false })).toThrow(OWN);
    connection.addStaticRole("c", { username: "Terraform" });
  });

  test("is no static role's where the provider is declared last", () => {
    const stack = new TerraformStack(newApp(), "late");
    connected(stack).connection.addStaticRole("a", { username: "terraform" });
    new PostgresqlProvider(stack, "PostgresqlProvider", { host: "db.example.com", username: "terraform" });
    new VaultProvider(stack, "VaultProvider", { address: VAULT });
    expect(() => Testing.synth(stack, true)).toThrow(OWN);
  });

  test("of another stack is no static role's, whichever is declared first", () => {
    for (const order of [
      ["two", "one"],
      ["one", "two"],
    ]) {
      const app = newApp();
      const build = {
        one: () => {
          const stack = new TerraformStack(app, "one");
          new PostgresqlProvider(stack, "PostgresqlProvider", { host: "db.example.com", username: "other" });
          new VaultProvider(stack, "VaultProvider", { address: VAULT });
          connected(stack).connection.addStaticRole("a", { username: "terraform" });
        },
        two: () => new PostgresDatabase(stackOf(app, "two"), "Database", { name: "second" }),
      };
      expect(() => {
        order.forEach((id) => build[id as "one" | "two"]());
        app.synth();
      }).toThrow(OWN);
    }
  });

  test("is no static role's where the connection is known by its name alone, and nothing else uses the provider", () => {
    const app = newApp();
    connected(stackOf(app, "one"));
    const stack = new TerraformStack(app, "two");
    new PostgresqlProvider(stack, "PostgresqlProvider", { host: "db.example.com", username: "deployer" });
    new VaultProvider(stack, "VaultProvider", { address: VAULT });
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "orders/database");
    const connection = PostgresConnection.fromName(stack, "Main", { engine, name: "main" });
    expect(() => connection.addStaticRole("a", { username: "terraform", grantAdmin: false })).toThrow(OWN);
    connection.addStaticRole("b", { username: "deployer", grantAdmin: false });
    expect(() => app.synth()).toThrow(/manages "deployer".*"two\/PostgresqlProvider"/s);
  });

  test("of another server may be a static role's, and one that only Terraform knows", () => {
    const app = newApp();
    new PostgresDatabase(stackOf(app, "one"), "Database", { name: "first" });
    const stack = new TerraformStack(app, "two");
    const username = new TerraformVariable(stack, "user", { type: "string" }).stringValue;
    new PostgresqlProvider(stack, "PostgresqlProvider", { host: "other.example.com", username });
    new VaultProvider(stack, "VaultProvider", { address: VAULT });
    const { connection } = connected(stack);
    connection.addStaticRole("a", { username: "terraform" });
    connection.addStaticRole("b", { username });
    expect(() => app.synth()).not.toThrow();
  });
});

describe("environments of one app", () => {
  const environment = (application: string, name: string, more: Partial<Environment> = {}): Environment => ({
    ...{ application, name, vault: { address: VAULT }, postgres: { host: "db.example.com" } },
    ...{ roles: { reader: { access: Access.readOnly({ schemas: ["app"] }) } }, applications: {} },
    ...more,
  });

  test("whose names would begin alike are refused on one server", () => {
    const app = newApp();
    new CredentialsStack(app, environment("orders-eu", "dev"));
    const other = { postgres: { host: "other.example.com" } };
    const both =
      /environment "dev" of application "orders-eu" and of environment "eu-dev" of application "orders" .*"orders-eu-dev"/;
    expect(() => new CredentialsStack(app, environment("orders", "eu-dev"))).toThrow(both);
    expect(() => new CredentialsStack(app, environment("orders", "eu-dev", other))).toThrow(
      /the Vault server/,
    );
    const spelled = {
      postgres: { host: "DB.example.com" },
      vault: { address: "https://vault.eu.example.com" },
    };
    expect(() => new CredentialsStack(app, environment("orders", "eu-dev", spelled))).toThrow(
      /the PostgreSQL server/,
    );
    const again = { ...other, vault: { address: "https://Vault.example.com:8200/", namespace: "" } };
    expect(() => new CredentialsStack(app, environment("orders", "eu-dev", again))).toThrow(
      /the Vault server/,
    );
    const elsewhere = { ...other, vault: { address: "https://vault.eu.example.com" } };
    new CredentialsStack(app, environment("orders", "eu-dev", elsewhere));
  });

  test("of two applications, or of a group, that would have one stack are refused in a sentence", () => {
    const app = newApp();
    new CredentialsStack(app, environment("orders", "dev-eu"));
    expect(() => new CredentialsStack(app, environment("billing", "dev-eu"))).toThrow(
      /would be named "dev-eu"/,
    );
    const groups = { eu: { roles: { eu: { access: Access.readOnly({ schemas: ["app"] }) } } } };
    expect(() => new CredentialsStack(app, environment("shop", "dev", { groups }))).toThrow(
      /group "eu" of environment "dev" would be named "dev-eu"/,
    );
  });

  test.each<[string, Partial<Environment>]>([
    ["of its own", { staticRoles: { own: { username: "terraform" } } }],
    ["of a group", { groups: { g: { staticRoles: { own: { username: "terraform" } } } } }],
    [
      "under another name",
      {
        postgres: { host: "db.example.com", username: "deployer" },
        groups: { g: { staticRoles: { own: { username: "deployer" } } } },
      },
    ],
  ])("refuse a static role %s on the login that Terraform uses", (_, more) => {
    expect(() => new CredentialsStack(newApp(), environment("orders", "dev", more))).toThrow(
      /static role at "dev[^"]*" manages "(terraform|deployer)", the login that Terraform uses/,
    );
  });

  test.each(["roles", "staticRoles"])("refuse a role named like the engine's login, in %s", (kind) => {
    const reader = { access: Access.readOnly({ schemas: ["app"] }) };
    const more: Partial<Environment> =
      kind === "roles"
        ? { roles: { manager: reader } }
        : { roles: { reader }, staticRoles: { manager: { role: "reader" } } };
    expect(() => new CredentialsStack(newApp(), environment("orders", "dev", more))).toThrow(
      /"orders_dev_manager"/,
    );
  });
});

describe("a login of two connections", () => {
  const warnings = (connection: PostgresConnection) =>
    connection.node.metadata.filter(({ type }) => /warn/i.test(type)).map(({ data }) => String(data));
  const endpoint = { host: "db.example.com" };
  const sharing = /at "one\/Secrets\/main" and "[^"]+" log in as "orders_manager".* shuts the other out/;

  test("is warned of at the second one, on one mount", () => {
    const stack = stackOf(newApp(), "one");
    const { database, manager, connection } = connected(stack);
    const second = (connection.engine as DatabaseSecretsEngine).addPostgresConnection("second", {
      ...{ database, manager, endpoint },
    });
    expect(warnings(connection)).toEqual([]);
    expect(warnings(second)).toEqual([expect.stringMatching(sharing)]);
  });

  test.each([
    ["on two mounts of two stacks", "db.example.com", 1],
    ["not where the servers are two", "elsewhere.example.com", 0],
  ])("is warned of %s", (_, host, count) => {
    const app = newApp();
    const { connection } = connected(stackOf(app, "one"));
    const other = stackOf(app, "two", host);
    const second = new DatabaseSecretsEngine(other, "Secrets", { path: "reports" }).addPostgresConnection(
      "main",
      {
        database: PostgresDatabase.fromName(other, "Database", "orders"),
        manager: ManagerRole.fromName(other, "Manager", "orders_manager"),
        password: password(other),
        endpoint: { host },
      },
    );
    expect(warnings(connection)).toEqual([]);
    expect(warnings(second)).toEqual(Array(count).fill(expect.stringMatching(sharing)));
  });

  test("is not warned of where each has its own", () => {
    const app = newApp();
    const found = ["one", "two"].map((id) => connected(stackOf(app, id), id).connection);
    expect(found.flatMap(warnings)).toEqual([]);
  });
});

describe("a role that is named on another server than its own", () => {
  /** A stack for the server a, and a provider of a second server. */
  function withSecond(settings: { readonly host?: string; readonly port?: number }) {
    const stack = stackOf(newApp(), "alone", "a");
    return { stack, second: new PostgresqlProvider(stack, "Second", { ...settings, alias: "second" }) };
  }
  type Second = ReturnType<typeof withSecond>;

  const there = ({ stack, second }: Second) =>
    new PostgresDatabase(stack, "There", { name: "there", provider: second });
  const connection = ({ stack }: Second, provider?: PostgresqlProvider) => {
    const database = new PostgresDatabase(stack, "Here", { name: "here" });
    const manager = new ManagerRole(stack, "M", { name: "m", password: password(stack), provider });
    const engine = new DatabaseSecretsEngine(stack, "E");
    return engine.addPostgresConnection("main", { database, manager, endpoint: { host: "a" } });
  };
  const WAYS: readonly (readonly [string, (given: Second) => unknown])[] = [
    [
      "the base role of a dynamic role",
      (given) =>
        connection(given).addDynamicRole("r", { baseRole: there(given).addBaseRole("r", { access }) }),
    ],
    ["the manager of a connection", (given) => connection(given, given.second)],
    [
      "the login of a static role",
      (given) => {
        const database = there(given);
        const baseRole = database.addBaseRole("r", { access });
        connection(given).addStaticRole("r", { login: database.addLogin("l", { baseRole }) });
      },
    ],
    [
      "the base role of a login",
      (given) => {
        const baseRole = there(given).addBaseRole("r", { access });
        new PostgresDatabase(given.stack, "Here", { name: "here" }).addLogin("l", { baseRole });
      },
    ],
    [
      "an owner of objects",
      (given) => {
        const owner = there(given).addBaseRole("r", { access });
        const here = new PostgresDatabase(given.stack, "Here", { name: "here" });
        here.addBaseRole("x", { access, objectOwners: [owner] });
      },
    ],
  ];

  test.each(WAYS)("is refused as %s", (_, build) => {
    for (const settings of [{ host: "b" }, { host: "a", port: 6432 }]) {
      const given = withSecond(settings);
      build(given);
      expect(() => synthesizeStack(given.stack)).toThrow(
        /is declared on the server (b:5432|a:6432), and "alone\/.*" names it on a:5432/,
      );
    }
  });

  test.each(WAYS)("is taken where the servers may be one, as %s", (_, build) => {
    for (const settings of [{ host: "A", port: 5432 }, {}, { host: "${var.host}" }]) {
      const given = withSecond(settings);
      build(given);
      expect(() => synthesizeStack(given.stack)).not.toThrow();
    }
  });
});
