import { VaultProvider, type VaultProviderConfig } from "@cdktf/provider-vault/lib/provider";
import { TerraformVariable, type TerraformStack } from "cdktf";
import {
  Access,
  AppRole,
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  DynamicRole,
  KeyValueEngine,
  KeyValueSecret,
  ManagerRole,
  Policy,
  PostgresConnection,
  PostgresDatabase,
  Revocation,
  StaticRole,
  WriteOnlySecret,
  type AppRoleOptions,
  type DynamicRoleOptions,
  type PostgresConnectionOptions,
} from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

/** Everything up to a connection, for tests of what hangs on it. */
function connected(scope: TerraformStack, options: Partial<PostgresConnectionOptions> = {}, name = "orders") {
  const database = new PostgresDatabase(scope, "Orders", { name: "orders" });
  const owner = database.addBaseRole("owner", { access: Access.owner() });
  const reader = database.addBaseRole("reader", { access: Access.readOnly() });
  const manager = new ManagerRole(scope, "Manager", {
    name: "orders_manager",
    password: WriteOnlySecret.fromVariable(scope, "manager_password"),
  });
  const engine = new DatabaseSecretsEngine(scope, "Secrets");
  const endpoint = options.connectionUrl === undefined ? { host: "db.example.com" } : undefined;
  const connection = engine.addPostgresConnection(name, { database, manager, endpoint, ...options });
  return { database, owner, reader, manager, engine, connection };
}

describe("PostgresConnection", () => {
  const build = (options: Partial<PostgresConnectionOptions> = {}, name?: string) =>
    synthesize((scope) => connected(scope, options, name));
  const settings = (stack: ReturnType<typeof build>) =>
    one(stack, "vault_database_secret_backend_connection").postgresql as Record<string, unknown>;

  test("minimal definition: encrypted, verified, SCRAM, no role allowed", () => {
    const stack = build();
    expect(one(stack, "vault_database_secret_backend_connection")).toMatchObject({
      backend: "database",
      name: "orders",
      allowed_roles: [],
      verify_connection: true,
      root_rotation_statements: [`ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}';`],
    });
    expect(settings(stack)).toEqual({
      connection_url:
        "postgresql://{{username}}:{{password}}@db.example.com:5432/orders?sslmode=verify-full&connect_timeout=5",
      username: "orders_manager",
      password_wo: "${var.manager_password}",
      password_wo_version: 1,
      password_authentication: "scram-sha-256",
      username_template: "v-6abfa4-{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}",
      max_open_connections: 4,
      max_idle_connections: 2,
      max_connection_lifetime: 1800,
    });
  });

  test("percent-encodes what a URL would read as its own", () => {
    const stack = synthesize((scope) => {
      const { engine, manager } = connected(scope);
      engine.addPostgresConnection("odd", {
        database: PostgresDatabase.fromName(scope, "Odd", "a/b&c d"),
        manager: ManagerRole.fromName(scope, "Other", manager.name),
        password: manager.password,
        endpoint: { host: "::1", port: 6432, sslMode: "verify-ca", sslRootCert: "/etc/ca & co.pem" },
      });
    });
    const connection = one(stack, "vault_database_secret_backend_connection", { name: "odd" });
    expect((connection.postgresql as Record<string, unknown>).connection_url).toBe(
      "postgresql://{{username}}:{{password}}@[::1]:6432/a%2Fb%26c%20d?sslmode=verify-ca&sslrootcert=%2Fetc%2Fca%20%26%20co.pem&connect_timeout=5",
    );
  });

  test("takes an endpoint and names that only Terraform knows", () => {
    const stack = synthesize((scope) => {
      const variable = (id: string, type: string) => new TerraformVariable(scope, id, { type });
      const { engine, manager } = connected(scope);
      const database = new PostgresDatabase(scope, "Later", { name: variable("db", "string").stringValue });
      const schema = variable("schema", "string").stringValue;
      database.addSchema(schema);
      database.addBaseRole("reader", { access: Access.readOnly({ schemas: [schema] }) });
      new PostgresConnection(scope, "LaterConnection", {
        engine,
        name: variable("connection", "string").stringValue,
        database,
        manager,
        endpoint: {
          host: variable("host", "string").stringValue,
          port: variable("port", "number").numberValue,
        },
      });
    });
    const connection = one(stack, "vault_database_secret_backend_connection", { name: "${var.connection}" });
    expect((connection.postgresql as Record<string, unknown>).connection_url).toBe(
      'postgresql://{{username}}:{{password}}@${var.host}:${var.port}/${replace(urlencode(var.db), "+", "%20")}?sslmode=verify-full&connect_timeout=5',
    );
    expect(all(stack, "postgresql_grant").map((grant) => grant.schema)).toContain("${var.schema}");
  });

  test("waits for a new connection as long as it is told, and never without a bound", () => {
    const wait = (connectTimeout: Duration) => () =>
      settings(build({ endpoint: { host: "db", connectTimeout } })).connection_url;
    const url = "postgresql://{{username}}:{{password}}@db:5432/orders?sslmode=verify-full&connect_timeout=";
    expect(wait(Duration.seconds(1))()).toBe(`${url}1`);
    expect(wait(Duration.hours(1))()).toBe(`${url}3600`);
    for (const out of [Duration.seconds(0), Duration.seconds(3601)]) {
      expect(wait(out)).toThrow('for the PostgreSQL host "db" is not usable.\n  Use 1 second to 1 hour');
    }
    const connectionUrl = "postgresql://{{username}}:{{password}}@db/orders?connect_timeout=60";
    expect(settings(build({ connectionUrl })).connection_url).toBe(connectionUrl);
  });

  test("may have a role of its own name", () => {
    const stack = synthesize((scope) => {
      const { connection, reader } = connected(scope);
      connection.addDynamicRole(connection.name, { baseRole: reader });
    });
    expect(one(stack, "vault_database_secret_backend_role").name).toBe("orders");
  });

  test("is another resource when it is renamed", () => {
    const address = (name: string) => addressOf(build({}, name), "vault_database_secret_backend_connection");
    expect(address("orders")).not.toBe(address("orders2"));
    const fixedId = (name: string) =>
      addressOf(
        synthesize((scope) => {
          const { engine, database, manager } = connected(scope);
          new PostgresConnection(scope, "Fixed", {
            engine,
            name,
            database,
            manager,
            endpoint: { host: "h" },
          });
        }),
        "vault_database_secret_backend_connection",
        { name },
      );
    expect(fixedId("a")).not.toBe(fixedId("b"));
  });

  test("allows the roles that are declared on it, and those of elsewhere that are named", () => {
    const stack = synthesize((scope) => {
      const { connection, owner, reader } = connected(scope, { additionalAllowedRoles: ["reports-*"] });
      connection.addDynamicRole("reader", { baseRole: reader });
      new DynamicRole(scope, "Other", { connection, name: "owner", baseRole: owner });
    });
    expect(one(stack, "vault_database_secret_backend_connection").allowed_roles).toEqual([
      "owner",
      "reader",
      "reports-*",
    ]);
  });

  test("waits for the engine, the database, the manager and its right to connect", () => {
    const stack = build();
    const before = waitsFor(stack, addressOf(stack, "vault_database_secret_backend_connection"));
    expect([...before]).toEqual(
      expect.arrayContaining([
        addressOf(stack, "vault_mount"),
        addressOf(stack, "postgresql_database"),
        addressOf(stack, "postgresql_role", { name: "orders_manager" }),
        addressOf(stack, "postgresql_grant", { role: "orders_manager" }),
      ]),
    );
  });

  test.each([
    [{ endpoint: { host: "db:5432" } }, /Use a host name or an IP address alone/],
    [{ endpoint: { host: "user@db" } }, /Use a host name or an IP address alone/],
    [{ endpoint: { host: "" } }, /Use a host name or an IP address alone/],
    [{ endpoint: { host: "db", port: 70_000 } }, /1 to 65535/],
    [{ endpoint: { host: "db", sslMode: "prefer" as "require" } }, /Use one of disable, require/],
    [
      { connectionUrl: "postgresql://{{username}}:{{password}}@db/x", endpoint: { host: "db" } },
      /exactly one of/,
    ],
    [{ endpoint: undefined }, /has no endpoint/],
    [{ usernameTemplate: "app-{{.RoleName}}" }, /gives the same name twice/],
    [{ maxOpenConnections: 0 }, /1 or more/],
    [{ maxOpenConnections: 2, maxIdleConnections: 3 }, /from 0 to maxOpenConnections \(2\)/],
    [{ additionalAllowedRoles: ["a b"] }, /cannot be used in a Vault path/],
  ])("refuses %j", (options, message) => {
    expect(() => build(options)).toThrow(message);
  });

  test("keeps no connection where none is to be kept, which the engine counts in another way", () => {
    expect(settings(build({ maxIdleConnections: 0 }))).toMatchObject({ max_idle_connections: -1 });
    expect(settings(build({ maxIdleConnections: 1 }))).toMatchObject({ max_idle_connections: 1 });
    expect(settings(build({ maxConnectionLifetime: Duration.seconds(0) }))).toMatchObject({
      max_connection_lifetime: 0,
    });
  });

  test.each([
    "postgresql://app:hunter2@db/orders",
    "postgresql://{{username}}:hunter2@db/orders",
    "postgresql://{{username}}:{{password}}@db/orders?password=hunter2",
    "host=db user={{username}} password={{password}}",
  ])("refuses the URL %p without showing it", (connectionUrl) => {
    expect.assertions(2);
    try {
      build({ connectionUrl });
    } catch (error) {
      expect(String(error)).toMatch(/pass the login apart/);
      expect(String(error)).not.toMatch(/hunter2/);
    }
  });

  test("refuses two connections of one name, also through constructs", () => {
    const message = /two connections named "Orders"/;
    expect(() =>
      synthesize((scope) => {
        const { engine, database, manager } = connected(scope);
        engine.addPostgresConnection("Orders", { database, manager, endpoint: { host: "db" } });
      }),
    ).toThrow(message);
  });
});

/** In drain, sessions are ended of users that were issued without its timeouts. */
const WITHOUT_TIMEOUTS_ONLY =
  /shobj_description.*? OR NOT EXISTS .*?idle_session_timeout=.*pg_terminate_backend/s;

describe("DynamicRole", () => {
  const build = (options: DynamicRoleOptions | ((c: ReturnType<typeof connected>) => DynamicRoleOptions)) =>
    synthesize((scope) => {
      const made = connected(scope);
      made.connection.addDynamicRole("r", typeof options === "function" ? options(made) : options);
    });
  const creation = [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`];

  test("minimal definition: membership, an hour, revoked means gone", () => {
    const role = one(
      build((c) => ({ baseRole: c.reader })),
      "vault_database_secret_backend_role",
    );
    expect(role).toMatchObject({
      backend: "database",
      db_name: "orders",
      default_ttl: 3600,
      max_ttl: 86_400,
    });
    expect(JSON.stringify(role.creation_statements)).toMatch(
      /GRANT .*orders_reader.* INHERIT TRUE, SET FALSE/,
    );
    expect(role.revocation_statements).toHaveLength(1);
  });

  test("of an owner acts as the owner from the start", () => {
    const role = one(
      build((c) => ({ baseRole: c.owner })),
      "vault_database_secret_backend_role",
    );
    expect(JSON.stringify(role.creation_statements)).toMatch(/SET role = 'orders_owner'/);
  });

  test("in drain keeps sessions and bounds idle ones", () => {
    const role = one(
      build((c) => ({
        baseRole: c.reader,
        revocation: Revocation.drain({ idleSessionTimeout: Duration.seconds(20) }),
      })),
      "vault_database_secret_backend_role",
    );
    expect(JSON.stringify(role.creation_statements)).toMatch(/idle_session_timeout = 20000/);
    expect(JSON.stringify(role.revocation_statements)).toMatch(WITHOUT_TIMEOUTS_ONLY);
  });

  test("waits for its connection, the grants of its base role and the manager's right to hand it out", () => {
    const stack = build((c) => ({ baseRole: c.reader }));
    const before = waitsFor(stack, addressOf(stack, "vault_database_secret_backend_role"));
    expect([...before]).toEqual(
      expect.arrayContaining([
        addressOf(stack, "vault_database_secret_backend_connection"),
        addressOf(stack, "postgresql_grant_role"),
        addressOf(stack, "postgresql_grant", { role: "orders_reader", object_type: "table" }),
      ]),
    );
  });

  test("takes SQL of the user's own in place of each list", () => {
    const role = one(
      build({
        creationStatements: creation,
        renewStatements: [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`],
        revocationStatements: [`DROP ROLE "{{name}}"`],
      }),
      "vault_database_secret_backend_role",
    );
    expect(role).toMatchObject({
      creation_statements: creation,
      revocation_statements: [`DROP ROLE "{{name}}"`],
    });
  });

  test("of raw SQL alone still ends sessions on revocation", () => {
    const role = one(build({ creationStatements: creation }), "vault_database_secret_backend_role");
    expect(JSON.stringify(role.revocation_statements)).toMatch(
      /pg_terminate_backend.*no base role that gets them/,
    );
    expect(JSON.stringify(role.revocation_statements)).not.toMatch(/REASSIGN OWNED/);
  });

  test("of raw SQL drains if it is told to", () => {
    const role = one(
      build({ creationStatements: creation, revocation: Revocation.drain() }),
      "vault_database_secret_backend_role",
    );
    expect(JSON.stringify(role.revocation_statements)).toMatch(WITHOUT_TIMEOUTS_ONLY);
  });

  test.each([
    [{}, /neither a base role nor creation statements/],
    [
      { creationStatements: creation, defaultTtl: Duration.hours(2), maxTtl: Duration.hours(1) },
      /maxTtl 1h under/,
    ],
    [
      { creationStatements: creation, defaultTtl: Duration.days(2) },
      /maxTtl 24h \(the default\) under defaultTtl 48h/,
    ],
    [{ creationStatements: creation, defaultTtl: Duration.seconds(0) }, /TTL of 0/],
    [{ creationStatements: [`CREATE ROLE "{{name}}" SUPERUSER PASSWORD '{{password}}'`] }, /allowSuperuser/],
    [
      {
        creationStatements: creation,
        revocationStatements: [`DROP ROLE "{{name}}"`],
        revocation: Revocation.drain(),
      },
      /both a revocation mode and revocation statements/,
    ],
  ])("refuses %j", (options, message) => {
    expect(() => build(options)).toThrow(message);
  });

  test("on a connection of elsewhere warns that its login has to be made ADMIN", () => {
    const warnings = (known: boolean) => {
      let role: DynamicRole | undefined;
      synthesize((scope) => {
        const { engine, manager, reader } = connected(scope);
        const connection = PostgresConnection.fromName(scope, "There", {
          engine,
          name: "there",
          ...(known && { manager }),
        });
        role = connection.addDynamicRole("r", { baseRole: reader });
      });
      return role?.node.metadata.map((entry) => String(entry.data)) ?? [];
    };
    expect(warnings(false)).toEqual([expect.stringMatching(/make it ADMIN of "orders_reader"/)]);
    expect(warnings(true)).toEqual([]);
  });

  test("refuses a drain without limits", () => {
    expect(() => Revocation.drain({ idleSessionTimeout: Duration.seconds(0) })).toThrow(
      /no limit to PostgreSQL/,
    );
  });

  test("refuses two roles of one name in an engine, also in another case", () => {
    expect(() =>
      synthesize((scope) => {
        const { connection, reader } = connected(scope);
        connection.addDynamicRole("reader", { baseRole: reader });
        connection.addDynamicRole("reader", { baseRole: reader });
      }),
    ).toThrow(/two roles named "reader"/);
    expect(() =>
      synthesize((scope) => {
        const { connection, reader } = connected(scope);
        connection.addDynamicRole("reader", { baseRole: reader });
        new DynamicRole(scope, "Second", { connection, name: "Reader", baseRole: reader });
      }),
    ).toThrow(/two roles named "Reader"/);
  });
});

describe("grantRead", () => {
  test("makes one policy over the exact path, whoever gets it", () => {
    const stack = synthesize((scope) => {
      const { connection, reader } = connected(scope);
      const role = connection.addDynamicRole("reader", { baseRole: reader });
      const auth = new AppRoleAuth(scope, "AppRoles");
      role.grantRead(auth.addRole("web"));
      role.grantRead(auth.addRole("batch"));
    });
    expect(all(stack, "vault_policy")).toMatchObject([
      {
        name: "database/creds/reader",
        policy: 'path "database/creds/reader" {\n  capabilities = ["read"]\n}\n',
      },
    ]);
    for (const role_name of ["web", "batch"]) {
      expect(one(stack, "vault_approle_auth_backend_role", { role_name }).token_policies).toEqual([
        "database/creds/reader",
      ]);
      expect(waitsFor(stack, addressOf(stack, "vault_approle_auth_backend_role", { role_name }))).toContain(
        addressOf(stack, "vault_policy"),
      );
    }
  });

  test("works for a role of elsewhere", () => {
    const stack = synthesize((scope) => {
      const engine = DatabaseSecretsEngine.fromPath(scope, "Secrets", "shared/database");
      const role = DynamicRole.fromName(scope, "Reader", { engine, name: "reader" });
      role.grantRead(AppRoleAuth.fromPath(scope, "Auth", "approle").addRole("web"));
    });
    expect(one(stack, "vault_policy").name).toMatch(
      /^shared\/database\/creds\/reader\.for\.approle\.web-[0-9a-f]{8}$/,
    );
    expect(all(stack, "vault_mount")).toEqual([]);
    expect(all(stack, "vault_auth_backend")).toEqual([]);
  });

  test("says where to add the policy of an AppRole of elsewhere", () => {
    expect(() =>
      synthesize((scope) => {
        const engine = DatabaseSecretsEngine.fromPath(scope, "Secrets", "database");
        const auth = AppRoleAuth.fromPath(scope, "Auth", "approle");
        DynamicRole.fromName(scope, "Reader", { engine, name: "reader" }).grantRead(
          AppRole.fromName(scope, "Web", { auth, name: "web" }),
        );
      }),
    ).toThrow(/Add the policy "database\/creds\/reader" to its token_policies/);
  });
});

describe("a policy of another namespace or server than the AppRole's", () => {
  interface Place {
    readonly namespace?: string;
    readonly provider?: VaultProvider;
  }
  const at = (scope: TerraformStack, alias: string, settings: VaultProviderConfig): Place => ({
    provider: new VaultProvider(scope, alias, { alias, ...settings }),
  });
  /** Ways to give an AppRole a policy. */
  const WAYS: readonly (readonly [string, (scope: TerraformStack, engine: Place, auth: Place) => void])[] = [
    [
      "a role's grantRead",
      (scope, place, auth) => {
        const engine = DatabaseSecretsEngine.fromPath(scope, "E", { path: "database", ...place });
        DynamicRole.fromName(scope, "R", { engine, name: "reader" }).grantRead(
          new AppRoleAuth(scope, "A", auth).addRole("web"),
        );
      },
    ],
    [
      "grantRead of a declared role",
      (scope, place, auth) => {
        const { manager, database, reader } = connected(scope);
        const engine = new DatabaseSecretsEngine(scope, "E", { path: "other", ...place });
        const endpoint = { host: "db.example.com" };
        engine
          .addPostgresConnection("main", { database, endpoint, manager })
          .addDynamicRole("reader", { baseRole: reader })
          .grantRead(new AppRoleAuth(scope, "A", auth).addRole("web"));
      },
    ],
    [
      "a secret's grantRead",
      (scope, place, auth) =>
        KeyValueSecret.fromPath(scope, "S", {
          engine: KeyValueEngine.fromPath(scope, "E", { path: "secret", ...place }),
          path: "a",
        }).grantRead(AppRoleAuth.fromPath(scope, "A", { path: "approle", ...auth }).addRole("web")),
    ],
    [
      "an AppRole of elsewhere",
      (scope, place, auth) => {
        const engine = DatabaseSecretsEngine.fromPath(scope, "E", { path: "database", ...place });
        const method = AppRoleAuth.fromPath(scope, "A", { path: "approle", ...auth });
        StaticRole.fromName(scope, "R", { engine, name: "legacy" }).grantRead(
          AppRole.fromName(scope, "Web", { auth: method, name: "web" }),
        );
      },
    ],
    [
      "readPolicy among the policies of an AppRole",
      (scope, place, auth) => {
        const engine = DatabaseSecretsEngine.fromPath(scope, "E", { path: "database", ...place });
        const policies = [DynamicRole.fromName(scope, "R", { engine, name: "reader" }).readPolicy];
        new AppRoleAuth(scope, "A", auth).addRole("web", { policies });
      },
    ],
    [
      "a Policy that is added",
      (scope, place, auth) => {
        const rules = [{ path: "sys/health", capabilities: ["read"] as const }];
        const policy = new Policy(scope, "P", { name: "health", rules, ...place });
        new AppRoleAuth(scope, "A", auth).addRole("web").addPolicy(policy);
      },
    ],
  ];
  const ONE = "https://one.example.com:8200";

  describe.each(WAYS)("by %s", (_, give) => {
    test.each<[string, (scope: TerraformStack) => [Place, Place], RegExp]>([
      [
        "a namespace and the root",
        () => [{ namespace: "xa" }, {}],
        /the AppRole is in the root namespace, the policy in the namespace "xa"/,
      ],
      ["the root and a namespace", () => [{}, { namespace: "xb" }], /"xb", the policy in the root namespace/],
      ["two namespaces", () => [{ namespace: "xa" }, { namespace: "xb" }], /"xb", the policy in .* "xa"/],
      [
        "providers of two namespaces",
        (scope) => [at(scope, "a", { namespace: "xa" }), at(scope, "b", { namespace: "xb" })],
        /"xb", the policy in .* "xa"/,
      ],
      [
        "providers of two servers",
        (scope) => [
          at(scope, "a", { address: ONE }),
          at(scope, "b", { address: "https://two.example.com:8200" }),
        ],
        /of https:\/\/two.*, the policy in the root namespace of https:\/\/one/,
      ],
      [
        "namespaces below one provider, of an address that only Terraform knows",
        (scope) => {
          const address = new TerraformVariable(scope, "address", {}).stringValue;
          const { provider } = at(scope, "a", { address });
          return [{ provider, namespace: "xa" }, { provider }];
        },
        /the AppRole is in the root namespace, the policy in the namespace "xa"/,
      ],
    ])("is refused: %s", (_places, places, message) => {
      expect(() => synthesize((scope) => give(scope, ...places(scope)))).toThrow(message);
    });
  });

  const [, give] = WAYS[0]!;
  test.each<[string, (scope: TerraformStack) => [Place, Place]]>([
    ["one namespace in two spellings", () => [{ namespace: "team/" }, { namespace: "/team" }]],
    [
      "a namespace below the provider's and a provider of it",
      (scope) => [
        { ...at(scope, "a", { address: ONE, namespace: "team" }), namespace: "sub" },
        at(scope, "b", { address: `${ONE.toUpperCase().replace("HTTPS", "https")}/`, namespace: "team/sub" }),
      ],
    ],
    [
      "an address that may be that of the environment",
      (scope) => [at(scope, "a", { address: ONE }), at(scope, "b", {})],
    ],
    [
      "a namespace that only Terraform knows",
      (scope) => [{ namespace: new TerraformVariable(scope, "ns", {}).stringValue }, { namespace: "xa" }],
    ],
  ])("is let pass where it may be the same: %s", (_, places) => {
    expect(() => synthesize((scope) => give(scope, ...places(scope)))).not.toThrow();
  });

  test("may be named, and be declared beside the AppRole for a namespace below", () => {
    const made = synthesize((scope) => {
      const approle = new AppRoleAuth(scope, "A", { namespace: "team" }).addRole("web");
      approle.addPolicy(Policy.fromName(scope, "Named", "other"));
      const rules = [{ path: "sub/database/creds/reader", capabilities: ["read"] as const }];
      approle.addPolicy(new Policy(scope, "P", { name: "sub-reader", rules, namespace: "team" }));
    });
    expect(one(made, "vault_approle_auth_backend_role").token_policies).toEqual(["other", "sub-reader"]);
  });
});

describe("Policy", () => {
  test.each(["database/creds/*", "database/+/reader", "/database", "", 'a"b', "a\nb"])(
    "refuses the path %p",
    (path) => {
      expect(() =>
        synthesize(
          (scope) => new Policy(scope, "P", { name: "p", rules: [{ path, capabilities: ["read"] }] }),
        ),
      ).toThrow(/is not an exact path/);
    },
  );

  test.each(["Reader", "", "a*b", "root"])("refuses the name %p", (name) => {
    expect(() =>
      synthesize((scope) => new Policy(scope, "P", { name, rules: [{ path: "a", capabilities: ["read"] }] })),
    ).toThrow(/policy name/);
  });
});

describe("AppRole", () => {
  const build = (options: AppRoleOptions = {}, name = "web") =>
    one(
      synthesize((scope) => new AppRoleAuth(scope, "AppRoles").addRole(name, options)),
      "vault_approle_auth_backend_role",
    );

  test("minimal definition: a SecretID for 30 days, tokens for an hour, renewable to a day", () => {
    expect(build()).toMatchObject({
      backend: "approle",
      role_name: "web",
      bind_secret_id: true,
      secret_id_ttl: 2_592_000,
      secret_id_num_uses: 0,
      token_ttl: 3600,
      token_max_ttl: 86_400,
      token_num_uses: 0,
      token_type: "service",
      token_policies: [],
    });
  });

  test.each([
    ["one use", 1, 1],
    ["two uses", 2, 0],
    ["any number of uses", 0, 0],
  ])("whose tokens have %s is warned of where that would revoke what it reads", (_, tokenNumUses, warned) => {
    synthesize((scope) => {
      const engine = DatabaseSecretsEngine.fromPath(scope, "Secrets", "database");
      const role = new AppRoleAuth(scope, "Auth").addRole("web", { tokenNumUses });
      StaticRole.fromName(scope, "Legacy", { engine, name: "legacy" }).grantRead(role);
      expect(role.node.metadata).toHaveLength(0);
      DynamicRole.fromName(scope, "Reader", { engine, name: "reader" }).grantRead(role);
      expect(role.node.metadata.map(({ data }) => String(data))).toEqual(
        Array.from({ length: warned }, () => expect.stringContaining("tokens of one use") as string),
      );
    });
  });

  test("has all limits", () => {
    expect(
      build({
        secretIdTtl: Duration.minutes(10),
        secretIdNumUses: 40,
        secretIdBoundCidrs: ["10.0.0.0/8"],
        tokenTtl: Duration.minutes(20),
        tokenMaxTtl: Duration.minutes(30),
        tokenExplicitMaxTtl: Duration.hours(1),
        tokenNumUses: 10,
        tokenBoundCidrs: ["10.1.2.3/32", "FD00:0::1/128", "10.0.0.0/8"],
        noDefaultPolicy: true,
      }),
    ).toMatchObject({
      secret_id_ttl: 600,
      secret_id_num_uses: 40,
      secret_id_bound_cidrs: ["10.0.0.0/8"],
      token_ttl: 1200,
      token_max_ttl: 1800,
      token_explicit_max_ttl: 3600,
      token_num_uses: 10,
      token_bound_cidrs: ["10.1.2.3/32", "fd00::1/128", "10.0.0.0/8"],
      token_no_default_policy: true,
    });
  });

  test("can have periodic tokens, which have no TTL", () => {
    const role = build({ tokenPeriod: Duration.hours(1) });
    expect(role).toMatchObject({ token_period: 3600 });
    expect(role).not.toHaveProperty("token_ttl");
  });

  test.each([
    [{ tokenTtl: Duration.hours(2), tokenMaxTtl: Duration.hours(1) }, /tokenMaxTtl 1h under tokenTtl 2h/],
    [{ tokenPeriod: Duration.hours(1), tokenTtl: Duration.hours(1) }, /a token period and a token TTL/],
    [{ tokenType: "batch", tokenNumUses: 3 }, /batch tokens/],
    [{ secretIdNumUses: -1 }, /whole number, 0 for no limit/],
    [{ tokenNumUses: 1.5 }, /whole number, 0 for no limit/],
    [{ tokenBoundCidrs: ["10.0.0.1"] }, /CIDR notation/],
    [{ bindSecretId: false }, /needs neither a SecretID nor a network/],
    [{ tokenBoundCidrs: ["10.0.0.0/33"] }, /CIDR notation/],
    [{ secretIdBoundCidrs: ["example.com/8"] }, /CIDR notation/],
    // The servers write these in another way, which the plan would show for ever.
    [{ tokenBoundCidrs: ["10.0.0.0/08"] }, /"10\.0\.0\.0\/08"[^]*CIDR notation/],
    [{ secretIdBoundCidrs: ["fd00::/064"] }, /CIDR notation/],
    [{ tokenBoundCidrs: ["::ffff:10.0.0.0/104"] }, /IPv4-mapped[^]*"10\.0\.0\.0\/8"/],
    [{ secretIdBoundCidrs: ["::FFFF:0a00:0/112"] }, /IPv4-mapped[^]*"10\.0\.0\.0\/16"/],
    [{ tokenBoundCidrs: ["::ffff:0:0/90"] }, /IPv4-mapped[^]*"0\.0\.0\.0\/0"/],
    [{ secretIdBoundCidrs: ["fe80::1%eth0/64"] }, /CIDR notation[^]*without a zone/],
  ] as const)("refuses %j", (options, message) => {
    expect(() => build(options)).toThrow(message);
  });

  test("refuses two of one name", () => {
    expect(() =>
      synthesize((scope) => {
        const auth = new AppRoleAuth(scope, "AppRoles");
        auth.addRole("web");
        auth.addRole("web");
      }),
    ).toThrow(/two AppRoles named "web"/);
  });
});
