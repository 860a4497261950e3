import { TerraformVariable, type TerraformStack } from "cdktf";
import {
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  MysqlAccess,
  MysqlConnection,
  MysqlDynamicRole,
  WriteOnlySecret,
  type MysqlConnectionOptions,
  type MysqlDynamicRoleOptions,
} from "../../lib";
import { addressOf, one, synthesize, waitsFor, type Synthesized } from "./synthesis";

const CONNECTION = "vault_database_secret_backend_connection";
const ROLE = "vault_database_secret_backend_role";
const access = MysqlAccess.readOnly({ databases: ["echo"] });

function connect(stack: TerraformStack, options: Partial<MysqlConnectionOptions> = {}): MysqlConnection {
  return new DatabaseSecretsEngine(stack, "Secrets").addMysqlConnection("echo", {
    server: "mariadb",
    ...(options.connectionUrl === undefined ? { endpoint: { host: "db.example.com" } } : {}),
    username: "credentials_manager",
    password: WriteOnlySecret.fromVariable(stack, "manager_password"),
    ...options,
  });
}

const connection = (options: Partial<MysqlConnectionOptions> = {}) =>
  one(
    synthesize((stack) => void connect(stack, options)),
    CONNECTION,
  ) as { mysql: Record<string, unknown> };

function role(options: MysqlDynamicRoleOptions, on: Partial<MysqlConnectionOptions> = {}) {
  const made = synthesize((stack) => void connect(stack, on).addDynamicRole("reader", options));
  return one(made, ROLE) as { creation_statements: string[]; revocation_statements: string[] };
}

describe("a connection to MySQL", () => {
  test("is minimal, verifies the server, and holds no password", () => {
    expect(connection()).toMatchObject({
      backend: "database",
      name: "echo",
      verify_connection: true,
      root_rotation_statements: [`ALTER USER '{{username}}'@'%' IDENTIFIED BY '{{password}}';`],
      mysql: {
        connection_url: "{{username}}:{{password}}@tcp(db.example.com:3306)/?tls=true",
        username: "credentials_manager",
        password_wo: "${var.manager_password}",
        password_wo_version: 1,
        max_open_connections: 4,
        max_idle_connections: 2,
        max_connection_lifetime: 1800,
      },
    });
  });

  test("serves the roles that are declared on it, and those named besides", () => {
    const made = synthesize((stack) => {
      const mysql = connect(stack, { additionalAllowedRoles: ["reports-*"] });
      mysql.addDynamicRole("writer", { access: MysqlAccess.readWrite({ databases: ["echo"] }) });
      mysql.addDynamicRole("reader", { access });
    });
    expect(one(made, CONNECTION).allowed_roles).toEqual(["reader", "reports-*", "writer"]);
  });

  test("takes a CA certificate instead of the system's, without the parameter that would turn it off", () => {
    const caCertificate = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
    expect(connection({ endpoint: { host: "::1", port: 3307, caCertificate } }).mysql).toMatchObject({
      connection_url: "{{username}}:{{password}}@tcp([::1]:3307)/",
      tls_ca: caCertificate,
    });
  });

  test.each([
    ["require", "skip-verify"],
    ["disable", "false"],
  ] as const)("says so in its URL where the TLS mode is %s", (tls, parameter) => {
    expect(connection({ endpoint: { host: "db", tls } }).mysql.connection_url).toMatch(
      new RegExp(`\\?tls=${parameter}$`),
    );
  });

  test("takes a URL of the driver, and values that only Terraform knows", () => {
    const connectionUrl = "{{username}}:{{password}}@tcp(db:3306)/?tls=true&timeout=5s";
    expect(connection({ connectionUrl }).mysql.connection_url).toBe(connectionUrl);
    const made = synthesize((stack) => {
      const host = new TerraformVariable(stack, "host", {}).stringValue;
      const port = new TerraformVariable(stack, "port", {}).numberValue;
      connect(stack, { endpoint: { host, port } });
    });
    expect(one(made, CONNECTION)).toMatchObject({
      mysql: {
        connection_url: "{{username}}:{{password}}@tcp(${var.host}:${var.port})/?tls=true",
      },
    });
  });

  describe("names its users after its server", () => {
    const template = (options: Partial<MysqlConnectionOptions>) =>
      connection(options).mysql.username_template;
    const usual = "v-97aefe-{{.RoleName | truncate 4}}-{{random 7}}-{{unix_time}}";

    test("which fits MySQL's 32 characters, and says nothing of who asked", () => {
      expect(template({})).toBe(usual);
      expect(usual.replace(/{{.RoleName[^}]*}}/, "role").replace("{{random 7}}", "1234567").length).toBe(
        32 - "1700000000".length + "{{unix_time}}".length,
      );
    });

    test.each<[string, Partial<MysqlConnectionOptions>]>([
      ["however it is written", { endpoint: { host: "DB.example.com", port: 3306, tls: "require" } }],
      [
        "by URL",
        { connectionUrl: "{{username}}:{{password}}@tcp(db.example.com:3306)/?tls=true&timeout=5s" },
      ],
      ["of either kind", { server: "mysql" }],
    ])("the same %s", (_, options) => expect(template(options)).toBe(usual));

    test.each<[string, Partial<MysqlConnectionOptions>]>([
      ["host", { endpoint: { host: "other.example.com" } }],
      ["port", { endpoint: { host: "db.example.com", port: 3307 } }],
      ["URL", { connectionUrl: "{{username}}:{{password}}@unix(/run/s)/" }],
    ])("another for another %s", (_, options) => {
      expect(template(options)).toMatch(/^v-[0-9a-f]{6}-{{/);
      expect(template(options)).not.toBe(usual);
    });

    test("or after itself, where only Terraform knows the server", () => {
      const templates = ["one", "two"].map((name) => {
        const made = synthesize((stack) => {
          const host = new TerraformVariable(stack, "host", {}).stringValue;
          new DatabaseSecretsEngine(stack, "Secrets").addMysqlConnection(name, {
            server: "mariadb",
            endpoint: { host },
            username: "m",
            password: WriteOnlySecret.fromVariable(stack, "p"),
          });
        });
        return (one(made, CONNECTION) as { mysql: Record<string, string> }).mysql.username_template;
      });
      expect(templates[0]).toMatch(/^v-[0-9a-f]{6}-{{/);
      expect(templates[0]).not.toBe(templates[1]);
    });
  });

  test("takes a template with a hash of who asked", () => {
    const usernameTemplate = "{{.DisplayName | sha256 | truncate 8}}-{{random 8}}";
    expect(connection({ usernameTemplate }).mysql.username_template).toBe(usernameTemplate);
  });

  test("has its name in its address", () => {
    const made = synthesize((stack) => void connect(stack));
    expect(addressOf(made, CONNECTION)).toMatch(/Secrets_echo_config-echo/);
  });

  test.each<[string, Partial<MysqlConnectionOptions>, RegExp]>([
    ["a host with a port", { endpoint: { host: "db:3306" } }, /host "db:3306" is not usable/],
    ["a port that is none", { endpoint: { host: "db", port: 0 } }, /port 0 is not usable/],
    ["an unknown TLS mode", { endpoint: { host: "db", tls: "true" as "require" } }, /TLS mode "true"/],
    [
      "a CA certificate that nothing is verified with",
      { endpoint: { host: "db", tls: "require", caCertificate: "-----BEGIN CERTIFICATE-----\n" } },
      /has a CA certificate and the TLS mode "require"/,
    ],
    [
      "the path of a certificate",
      { endpoint: { host: "db", caCertificate: "/etc/ca.pem" } },
      /no certificate in PEM/,
    ],
    [
      "a URL with a login",
      { connectionUrl: "root:secret@tcp(db:3306)/" },
      /does not take its login from the engine/,
    ],
    ["both", { connectionUrl: "x", endpoint: { host: "db" } }, /both an endpoint and a URL/],
    ["a login with a colon", { username: "a:b" }, /The MySQL login "a:b" is not usable/],
    ["fewer idle connections than none", { maxIdleConnections: -1 }, /may keep -1 idle connections/],
    ["no open connections", { maxOpenConnections: 0 }, /may open 0 connections/],
    ["names that repeat", { usernameTemplate: "{{.RoleName}}" }, /gives the same name twice/],
    [
      "names that an identity provider has a say in",
      { usernameTemplate: "{{.DisplayName | truncate 8}}-{{random 8}}" },
      /puts the display name into SQL as it is/,
    ],
    ["names of any length", { usernameTemplate: "{{.RoleName}}-{{random 8}}" }, /names of any length/],
    [
      "names too long for MySQL",
      { server: "mysql", usernameTemplate: "{{random 50 | truncate 40}}" },
      /names of 40 characters.*\n.*32/,
    ],
    ["names too long for MariaDB", { usernameTemplate: "{{random 81}}" }, /names of 81 characters.*\n.*80/],
  ])("with %s is refused", (_, options, message) => {
    expect(() => connection(options)).toThrow(message);
  });

  test("shows no password of a URL that it refuses", () => {
    expect(() => connection({ connectionUrl: "root:secret@tcp(db)/" })).not.toThrow(/secret/);
  });

  test("cannot have the name of another connection of its engine", () => {
    expect(() =>
      synthesize((stack) => {
        const { engine } = connect(stack);
        engine.addMysqlConnection("ECHO", {
          server: "mysql",
          endpoint: { host: "db" },
          username: "m",
          password: WriteOnlySecret.fromVariable(stack, "other"),
        });
      }),
    ).toThrow(/two connections named "ECHO"/);
  });

  test("of elsewhere takes roles", () => {
    const made = synthesize((stack) => {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "database");
      MysqlConnection.fromName(stack, "Echo", { engine, name: "echo", server: "mysql" }).addDynamicRole("r", {
        access,
      });
    });
    expect(one(made, ROLE)).toMatchObject({ db_name: "echo", name: "r" });
    expect(made.resource[CONNECTION]).toBeUndefined();
  });
});

describe("a dynamic role of MySQL", () => {
  /** The one block of a list that the engine does not split. */
  const blockOf = (statements: readonly string[]): string => {
    const blocks = statements.filter((statement) => statement.includes("BEGIN NOT ATOMIC"));
    expect(blocks).toHaveLength(1);
    const [block = "", ...more] = JSON.parse(blocks[0] ?? "") as string[];
    expect(more).toEqual([]);
    return block;
  };
  const statementsWith = (statements: readonly string[], word: string) =>
    statements.filter((statement) => statement.startsWith(word));

  test("on MariaDB makes a user with the grants of its access, over TLS, in one block that undoes itself", () => {
    const block = blockOf(role({ access }).creation_statements);
    expect(block).toContain(
      "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL ACCOUNT LOCK; SET made = 1; " +
        "GRANT SELECT ON `echo`.* TO '{{name}}'@'%'; ALTER USER '{{name}}'@'%' ACCOUNT UNLOCK; END;",
    );
    expect(block).toMatch(
      /EXIT HANDLER FOR SQLEXCEPTION .* DROP USER IF EXISTS '{{name}}'@'%'; .* RESIGNAL;/,
    );
  });

  test("on MySQL makes a user that is locked until it has all its grants", () => {
    const { creation_statements } = role({ access }, { server: "mysql" });
    expect(creation_statements.slice(-4)).toEqual([
      "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL ACCOUNT LOCK;",
      "GRANT SELECT ON `echo`.* TO '{{name}}'@'%';",
      "ALTER USER '{{name}}'@'%' ACCOUNT UNLOCK;",
      "SET SESSION sql_mode = @credentials_sql_mode;",
    ]);
  });

  test("on MariaDB finds accounts by name, and knows the names of its own server", () => {
    const block = blockOf(role({ access }).revocation_statements);
    expect(block).toContain("FROM mysql.user WHERE User = '{{name}}'");
    expect(block).toContain("KILL HARD CONNECTION USER '{{name}}'");
    expect(block).toContain("IF LEFT('{{name}}', 9) <> 'v-97aefe-' THEN");
  });

  test("on MySQL ends accounts and sessions by the documented procedure", () => {
    const { revocation_statements } = role({ access }, { server: "mysql" });
    expect(statementsWith(revocation_statements, "CALL")).toEqual([
      "CALL `credentials`.`revoke_user`('{{name}}', 'v-97aefe-');",
    ]);
  });

  test.each(["mariadb", "mysql"] as const)(
    "on %s reads the name before it does anything, in a mode of its own, with nothing that is split",
    (server) => {
      const { creation_statements, revocation_statements } = role({ access }, { server });
      for (const [first = "", ...others] of [creation_statements, revocation_statements]) {
        expect(first).toMatch(/^SET @credentials_sql_mode = .* SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,/);
        expect(others.at(-1)).toBe("SET SESSION sql_mode = @credentials_sql_mode;");
        const uses = others.findIndex((statement) => /USER|CALL/.test(statement));
        const before = others.slice(0, uses).join(" ");
        expect(before).toContain("'{{name}}");
        expect(before.replaceAll('\\"', '"')).toContain('"{{name}}');
        for (const statement of others.filter((each) => !each.startsWith("["))) {
          expect(statement.indexOf(";")).toBe(statement.length - 1);
        }
      }
    },
  );

  test("names no mark where names do not show the server: a user that is not there is a failure", () => {
    const own = role({ access }, { usernameTemplate: "{{random 20}}" });
    expect(blockOf(own.revocation_statements)).not.toContain("LEFT('{{name}}', 9)");
    const mysql = role({ access }, { server: "mysql", usernameTemplate: "{{random 20}}" });
    expect(statementsWith(mysql.revocation_statements, "CALL")).toEqual([
      "CALL `credentials`.`revoke_user`('{{name}}', '');",
    ]);
  });

  test("makes users of its host, without TLS where the server has none", () => {
    const { creation_statements } = role(
      { access, host: "10.1.%" },
      { endpoint: { host: "db", tls: "disable" } },
    );
    expect(blockOf(creation_statements)).toContain(
      "CREATE USER '{{name}}'@'10.1.%' IDENTIFIED BY '{{password}}' ACCOUNT LOCK; SET",
    );
  });

  test("waits for its connection, and its policy for it", () => {
    const made: Synthesized = synthesize((stack) => {
      connect(stack)
        .addDynamicRole("reader", { access })
        .grantRead(new AppRoleAuth(stack, "AppRoles").addRole("app"));
    });
    expect(one(made, "vault_policy")).toMatchObject({ name: "database/creds/reader" });
    expect(waitsFor(made, addressOf(made, "vault_policy"))).toEqual(
      new Set(
        [ROLE, "vault_generic_endpoint", CONNECTION, "vault_mount"].map((type) => addressOf(made, type)),
      ),
    );
  });

  test("takes SQL of the user's own", () => {
    const own = {
      creationStatements: ["CREATE USER '{{username}}' IDENTIFIED BY '{{password}}'"],
      revocationStatements: [JSON.stringify(["BEGIN NOT ATOMIC KILL USER '{{name}}'; END"])],
    };
    expect(role(own)).toMatchObject({
      creation_statements: own.creationStatements,
      revocation_statements: own.revocationStatements,
    });
  });

  test("may be the one to give all rights, if it says so", () => {
    const creationStatements = [
      "CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'",
      "GRANT ALL ON *.* TO '{{name}}'",
    ];
    expect(() => role({ creationStatements })).toThrow(/all rights on the server/);
    expect(role({ creationStatements, allowSuperuser: true }).creation_statements).toEqual(
      creationStatements,
    );
  });

  test("of elsewhere is read from", () => {
    const made = synthesize((stack) => {
      const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "database");
      const auth = new AppRoleAuth(stack, "AppRoles");
      MysqlDynamicRole.fromName(stack, "Role", { engine, name: "reader" }).grantRead(auth.addRole("app"));
    });
    expect(one(made, "vault_policy")).toMatchObject({
      name: expect.stringMatching(/^database\/creds\/reader\.for\.approle\.app-[0-9a-f]{8}$/) as string,
    });
  });

  const CREATION = "CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'";
  test.each<[string, MysqlDynamicRoleOptions, RegExp]>([
    ["nothing to grant", {}, /neither an access nor creation statements/],
    ["both", { access, creationStatements: [CREATION] }, /both an access and creation statements/],
    ["a TTL of 0", { access, defaultTtl: Duration.seconds(0) }, /has a TTL of 0/],
    ["a maxTtl that is too short", { access, maxTtl: Duration.minutes(5) }, /maxTtl 5m under defaultTtl 1h/],
    ["a host with a quote", { access, host: "a'b" }, /from the host "a'b"/],
    ["SQL without a password", { creationStatements: ["CREATE USER '{{name}}'"] }, /do not use {{password}}/],
    ["no revocation SQL", { access, revocationStatements: [] }, /are empty/],
    [
      "a placeholder that revocation does not have",
      { access, revocationStatements: ["DROP USER '{{name}}' -- {{password}}"] },
      /use "{{password}}"/,
    ],
    [
      "a DELIMITER",
      { access, revocationStatements: ["DELIMITER //", "DROP USER '{{name}}'//"] },
      /set a DELIMITER/,
    ],
    [
      "a block that would be split",
      { access, revocationStatements: ["BEGIN NOT ATOMIC KILL USER '{{name}}'; END"] },
      /hold a block with semicolons/,
    ],
    [
      "rights that can be handed on",
      { creationStatements: [CREATION, "GRANT SELECT ON a.* TO '{{name}}' WITH GRANT OPTION"] },
      /rights that can be handed on/,
    ],
  ])("with %s is refused", (_, options, message) => {
    expect(() => role(options)).toThrow(message);
  });
});

describe("access to MySQL", () => {
  const grants = (given: MysqlAccess) =>
    role({ access: given }, { server: "mysql" }).creation_statements.filter((sql) => sql.startsWith("GRANT"));

  test("names just the database, though its name holds wildcards and backticks", () => {
    expect(grants(MysqlAccess.readOnly({ databases: ["my_db", "50%`"] }))).toEqual([
      "GRANT SELECT ON `my\\_db`.* TO '{{name}}'@'%';",
      "GRANT SELECT ON `50\\%```.* TO '{{name}}'@'%';",
    ]);
  });

  test("names a table as it is", () => {
    const table = { database: "my_db", table: "a_b", privileges: ["SELECT", "INSERT"] };
    expect(grants(MysqlAccess.custom([table]))).toEqual([
      "GRANT SELECT, INSERT ON `my_db`.`a_b` TO '{{name}}'@'%';",
    ]);
  });

  test("to read and write changes rows, and no tables", () => {
    expect(grants(MysqlAccess.readWrite({ databases: ["echo"] }))).toEqual([
      "GRANT SELECT, INSERT, UPDATE, DELETE ON `echo`.* TO '{{name}}'@'%';",
    ]);
  });

  test.each<[string, () => unknown, RegExp]>([
    ["no database", () => MysqlAccess.readOnly({ databases: [] }), /covers no database/],
    ["no grants", () => MysqlAccess.custom([]), /has no grants/],
    ["a database twice", () => MysqlAccess.readOnly({ databases: ["a", "a"] }), /two grants on "a"/],
    [
      "ALL",
      () => MysqlAccess.custom([{ database: "a", privileges: ["ALL"] }]),
      /has the privileges \["ALL"\]/,
    ],
    [
      "a privilege that tables do not have",
      () => MysqlAccess.custom([{ database: "a", table: "t", privileges: ["EVENT"] }]),
      /A grant on a table has the privileges/,
    ],
    ["a semicolon in a name", () => MysqlAccess.readOnly({ databases: ["a;b"] }), /holds ";"/],
    ["a placeholder in a name", () => MysqlAccess.readOnly({ databases: ["{{name}}"] }), /holds "{{"/],
    [
      "a name that is too long",
      () => MysqlAccess.readOnly({ databases: ["a".repeat(65)] }),
      /longer than 64/,
    ],
    ["a name that ends in a space", () => MysqlAccess.readOnly({ databases: ["a "] }), /ends in a space/],
  ])("with %s is refused", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
