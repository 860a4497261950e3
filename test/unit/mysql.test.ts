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
    ["no open connections", { maxOpenConnections: 0 }, /may open 0 connections/],
    ["names that repeat", { usernameTemplate: "{{.RoleName}}" }, /gives the same name twice/],
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
  test("makes a user with the grants of its access, over TLS", () => {
    expect(role({ access }).creation_statements).toEqual([
      "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL;",
      "GRANT SELECT ON `echo`.* TO '{{name}}'@'%';",
    ]);
  });

  test("on MariaDB drops the user and ends its sessions in one statement that is not split", () => {
    const [drop, end = "", ...more] = role({ access }).revocation_statements;
    expect(drop).toBe("DROP USER IF EXISTS '{{name}}'@'%';");
    expect(JSON.parse(end)).toEqual([
      expect.stringMatching(/^BEGIN NOT ATOMIC .* KILL HARD CONNECTION USER .* END$/),
    ]);
    expect(more).toEqual([]);
  });

  test("on MySQL ends sessions by the documented procedure", () => {
    expect(role({ access }, { server: "mysql" }).revocation_statements).toEqual([
      "DROP USER IF EXISTS '{{name}}'@'%';",
      "CALL `credentials`.`end_sessions`('{{name}}');",
    ]);
  });

  test("makes and drops users of its host, without TLS where the server has none", () => {
    const { creation_statements, revocation_statements } = role(
      { access, host: "10.1.%" },
      { endpoint: { host: "db", tls: "disable" } },
    );
    expect(creation_statements[0]).toBe("CREATE USER '{{name}}'@'10.1.%' IDENTIFIED BY '{{password}}';");
    expect(revocation_statements[0]).toBe("DROP USER IF EXISTS '{{name}}'@'10.1.%';");
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
  const grants = (given: MysqlAccess) => role({ access: given }).creation_statements.slice(1);

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
