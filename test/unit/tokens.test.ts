// Values that only Terraform knows: each option takes one, or says why it cannot.
import { Fn, TerraformVariable, Token, type TerraformStack } from "cdktf";
import {
  Access,
  accessOf,
  accessTable,
  AppRoleAuth,
  BaseRole,
  ConfigurationError,
  ConsulTemplateConfiguration,
  DatabaseSecretsEngine,
  Duration,
  DynamicRole,
  KeyValueContent,
  KeyValueEngine,
  ManagerRole,
  MysqlAccess,
  OnChange,
  Policy,
  PostgresDatabase,
  quoteMysqlDatabasePattern,
  RateLimitQuota,
  RateLimitTarget,
  Revocation,
  SystemdUnit,
  WriteOnlySecret,
  type AppRoleOptions,
  type DynamicRoleOptions,
  type PostgresConnectionOptions,
} from "../../lib";
import {
  AGENT_PLACES,
  NUMBER_PLACES,
  SERVER_PLACES,
  UNIT_PLACES,
  type Place,
} from "../security/hostile-places";
import { all, one, synthesize } from "./synthesis";

/** Where the value decides what is declared, or is checked to be one of a few. */
const KNOWN_AT_SYNTHESIS: Readonly<Record<string, RegExp>> = {
  "id of a base role": /known to Terraform only, and no address can be made of it/,
  "id of a login": /known to Terraform only, and no address can be made of it/,
  connection: /known to Terraform only, and no address can be made of it.*constructor/s,
  role: /known to Terraform only, and no address can be made of it.*constructor/s,
  AppRole: /known to Terraform only, and no address can be made of it.*constructor/s,
  "key-value path": /known to Terraform only, and no address can be made of it.*constructor/s,
  variable: /name of a Terraform variable is known to Terraform only/,
  "key of a content": /keys that only Terraform knows/,
  "MySQL TLS mode": /TLS mode of a MySQL endpoint is known to Terraform only/,
  field: /name of a field is known to Terraform only/,
  signal: /signal is known to Terraform only/,
};

/** The text of a stack with a variable in one place; fails if the reference to it is not there, or broken. */
function withReference<T>(place: Place<T>, value: (variable: TerraformVariable) => T): string {
  const { json } = synthesize((stack) =>
    place.build(stack, value(new TerraformVariable(stack, "later", {}))),
  );
  expect(json).toContain("var.later");
  expect(json).not.toMatch(/tftoken|e\+\d{3}/i);
  return json;
}

const stringPlaces = [...SERVER_PLACES, ...UNIT_PLACES, ...AGENT_PLACES];

describe("a text that only Terraform knows arrives, or is refused for what it is:", () => {
  test.each(stringPlaces)("$what", (place) => {
    const attempt = () => withReference(place, (variable) => variable.stringValue);
    const refusal = KNOWN_AT_SYNTHESIS[place.what];
    if (refusal === undefined) attempt();
    else {
      expect(attempt).toThrow(refusal);
      expect(attempt).toThrow(ConfigurationError);
    }
  });
});

type Build = (stack: TerraformStack, value: number) => void;
const seconds = (value: number) => Duration.seconds(value);
const appRole = (options: (value: number) => AppRoleOptions): Build => {
  return (stack, value) => void new AppRoleAuth(stack, "A").addRole("a", options(value));
};
const connection = (options: (value: number) => Partial<PostgresConnectionOptions>): Build => {
  return (stack, value) => void connect(stack, options(value));
};
const quota = (
  options: (value: number) => Partial<ConstructorParameters<typeof RateLimitQuota>[2]>,
): Build => {
  return (stack, value) => {
    const target = RateLimitTarget.secretsEngine(new DatabaseSecretsEngine(stack, "E"));
    new RateLimitQuota(stack, "Q", { name: "q", rate: 1, target, ...options(value) });
  };
};
const revoked = (options: (value: number) => Revocation): Build => {
  return (stack, value) =>
    void connect(stack).addDynamicRole("r", {
      baseRole: BaseRole.fromName(stack, "B", "base"),
      revocation: options(value),
    });
};
const DURATIONS: readonly (readonly [string, Build])[] = [
  ["bound of an engine", (s, v) => void new DatabaseSecretsEngine(s, "E", { maxLeaseTtl: seconds(v) })],
  ["TTL of a SecretID", appRole((v) => ({ secretIdTtl: seconds(v) }))],
  ["TTL of a token", appRole((v) => ({ tokenTtl: seconds(v) }))],
  ["maximum TTL of a token", appRole((v) => ({ tokenMaxTtl: seconds(v) }))],
  ["period of a token", appRole((v) => ({ tokenPeriod: seconds(v) }))],
  ["hard end of a token", appRole((v) => ({ tokenExplicitMaxTtl: seconds(v) }))],
  ["uses of a SecretID", appRole((v) => ({ secretIdNumUses: v }))],
  ["lifetime of a connection", connection((v) => ({ maxConnectionLifetime: seconds(v) }))],
  ["idle connections", connection((v) => ({ maxIdleConnections: v }))],
  [
    "idle connections beside a number of open ones",
    connection((v) => ({ maxIdleConnections: v, maxOpenConnections: 3 })),
  ],
  ["timeout of a revocation", revoked((v) => Revocation.terminate({ timeout: seconds(v) }))],
  ["timeout in a transaction", revoked((v) => Revocation.drain({ idleInTransactionTimeout: seconds(v) }))],
  ["interval", quota((v) => ({ interval: seconds(v) }))],
  ["block interval", quota((v) => ({ blockInterval: seconds(v) }))],
  [
    "restart delay",
    (s, v) =>
      void new SystemdUnit(s, "U", {
        description: "Agent",
        command: ["/x"],
        user: "x",
        runtimeDirectory: "x",
        restartDelay: seconds(v),
        outputName: "text",
      }),
  ],
  [
    "timeout of a command on a change, and of a program's end",
    (s, v) =>
      void new ConsulTemplateConfiguration(s, "C", {
        address: "https://v",
        tokenFile: "/t",
        files: [
          {
            source: { credsPath: "database/creds/r" },
            path: "/f",
            onChange: OnChange.command(["/x"], { timeout: seconds(v) }),
          },
        ],
        exec: { command: ["/x"], killTimeout: seconds(v) },
        outputName: "text",
      }),
  ],
];

describe("a number that only Terraform knows arrives:", () => {
  test.each(NUMBER_PLACES)("$what", (place) => {
    const attempt = () => withReference(place, (variable) => variable.numberValue);
    const refusal = KNOWN_AT_SYNTHESIS[place.what];
    if (refusal === undefined) attempt();
    else expect(attempt).toThrow(refusal);
  });

  test.each(DURATIONS)("%s", (what, build) => {
    withReference({ what, build }, (variable) => variable.numberValue);
  });

  test("as a part of a text, as JavaScript makes one with it", () => {
    const { json } = synthesize((stack) => {
      const n = new TerraformVariable(stack, "n", {}).numberValue;
      new DatabaseSecretsEngine(stack, "E", { path: `team${n}/database`, description: `No. ${n}` });
      new AppRoleAuth(stack, "A").addRole("a", { tokenBoundCidrs: [`10.0.0.0/${n}`] });
      expect(() => new DatabaseSecretsEngine(stack, "F", { path: `team${n}/*` })).toThrow(
        /"team\$\{…\}\/\*" is not usable/,
      );
    });
    for (const text of ["team${var.n}/database", "No. ${var.n}", "10.0.0.0/${var.n}"])
      expect(json).toContain(text);
    expect(json).not.toMatch(/e\+\d{3}/);
  });

  test("as a part of a text in which CDKTF would lose it, by another spelling", () => {
    const { json } = synthesize((stack) => {
      const n = new TerraformVariable(stack, "n", {}).numberValue;
      for (const path of [`team-${n}/database`, `team${n}.1`]) {
        expect(() => new DatabaseSecretsEngine(stack, path.slice(-3), { path })).toThrow(
          /Token\.asString\(number\)/,
        );
      }
      new DatabaseSecretsEngine(stack, "E", { path: `team-${Token.asString(n)}/database` });
    });
    expect(json).toContain("team-${var.n}/database");
  });

  test("in minutes, hours and days, which Terraform counts in seconds", () => {
    const role = (life: (value: number) => Duration) => (stack: TerraformStack) =>
      void new AppRoleAuth(stack, "A").addRole("a", {
        tokenTtl: life(new TerraformVariable(stack, "v", {}).numberValue),
      });
    for (const [life, factor] of [
      [(amount: number) => Duration.minutes(amount), 60],
      [(amount: number) => Duration.hours(amount), 3600],
      [(amount: number) => Duration.days(amount), 86_400],
    ] as const) {
      const made = one(synthesize(role(life)), "vault_approle_auth_backend_role");
      expect(made.token_ttl).toBe(`\${(var.v * ${factor})}`);
    }
  });

  test("as a text, also in milliseconds", () => {
    const { json } = synthesize((stack) => {
      const duration = Duration.seconds(new TerraformVariable(stack, "v", {}).numberValue);
      new DatabaseSecretsEngine(stack, "E", {
        description: `${duration.toString()} ${duration.toMilliseconds()}`,
      });
      expect(duration.isLongerThan(Duration.seconds(1)) || Duration.seconds(1).isLongerThan(duration)).toBe(
        false,
      );
    });
    expect(json).toContain("${var.v}s ${(var.v * 1000)}");
    expect(Duration.seconds(2).toMilliseconds()).toBe("2000");
  });

  test("and keeps no idle connection where it will be 0", () => {
    const made = synthesize(connectionOf((v) => ({ maxIdleConnections: v })));
    expect(one(made, "vault_database_secret_backend_connection")).toMatchObject({
      postgresql: { max_idle_connections: "${(1 > var.v) ? -1 : var.v}" },
    });
  });

  test("and bounds the idle connections by default, whatever it will be", () => {
    const made = synthesize(connectionOf((v) => ({ maxOpenConnections: v })));
    expect(one(made, "vault_database_secret_backend_connection")).toMatchObject({
      postgresql: { max_open_connections: "${var.v}", max_idle_connections: "${min(2, var.v)}" },
    });
  });
});

const connectionOf =
  (options: (value: number) => Partial<PostgresConnectionOptions>) => (stack: TerraformStack) =>
    void connect(stack, options(new TerraformVariable(stack, "v", {}).numberValue));

function connect(stack: TerraformStack, options: Partial<PostgresConnectionOptions> = {}) {
  return new DatabaseSecretsEngine(stack, "Secrets").addPostgresConnection("c", {
    database: PostgresDatabase.fromName(stack, "Existing", "existing"),
    ...(options.connectionUrl === undefined && { endpoint: { host: "db" } }),
    manager: new ManagerRole(stack, "Manager", {
      name: "manager",
      password: WriteOnlySecret.fromVariable(stack, "password"),
    }),
    ...options,
  });
}

describe("a list that only Terraform knows", () => {
  const later = (stack: TerraformStack) => new TerraformVariable(stack, "later", {}).listValue;

  test("of networks or of allowed roles arrives, joined with what is declared", () => {
    const made = synthesize((stack) => {
      new AppRoleAuth(stack, "A").addRole("a", { tokenBoundCidrs: later(stack) });
      const connection = connect(stack, {
        additionalAllowedRoles: new TerraformVariable(stack, "roles", {}).listValue,
      });
      connection.addDynamicRole("r", { baseRole: BaseRole.fromName(stack, "B", "base") });
    });
    expect(one(made, "vault_approle_auth_backend_role").token_bound_cidrs).toBe("${var.later}");
    expect(one(made, "vault_database_secret_backend_connection").allowed_roles).toBe(
      '${sort(distinct(concat(["r"], var.roles)))}',
    );
  });

  test("of statements arrives, unchecked", () => {
    const made = synthesize((stack) => {
      const creationStatements = later(stack);
      connect(stack).addDynamicRole("r", { creationStatements });
    });
    expect(one(made, "vault_database_secret_backend_role").creation_statements).toBe("${var.later}");
  });

  test("of objects and privileges arrives", () => {
    const made = synthesize((stack) => {
      const access = Access.custom([
        { on: "table", schema: "app", objects: later(stack), privileges: later2(stack) },
      ]);
      new PostgresDatabase(stack, "D", { name: "d" }).addBaseRole("b", { access });
    });
    expect(one(made, "postgresql_grant", { object_type: "table" })).toMatchObject({
      objects: "${var.later}",
      privileges: "${var.later2}",
    });
  });
  const later2 = (stack: TerraformStack) => new TerraformVariable(stack, "later2", {}).listValue;

  test.each<[string, (list: string[], stack: TerraformStack) => unknown]>([
    ["schemas", (schemas) => Access.readOnly({ schemas })],
    ["databases", (databases) => MysqlAccess.readOnly({ databases })],
    ["privileges of MySQL", (privileges) => MysqlAccess.custom([{ database: "d", privileges }])],
    ["arguments on a change", (command) => OnChange.command(command)],
    [
      "arguments of a unit",
      (command, s) =>
        new SystemdUnit(s, "U", {
          description: "a",
          command: ["/x", ...command],
          user: "x",
          runtimeDirectory: "x",
        }),
    ],
  ])("of %s is refused for what it is", (_, build) => {
    expect(() => synthesize((stack) => void build(later(stack), stack))).toThrow(
      /known to Terraform only.*one by one/s,
    );
  });
});

describe("what stands around a token is checked:", () => {
  const role = (stack: TerraformStack, options: DynamicRoleOptions) =>
    connect(stack).addDynamicRole("r", { baseRole: BaseRole.fromName(stack, "B", "base"), ...options });
  const CREATION = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;
  const refused: readonly (readonly [string, (stack: TerraformStack, token: string) => unknown, RegExp])[] = [
    [
      "SUPERUSER in another statement",
      (s, t) => role(s, { creationStatements: [`${CREATION} SUPERUSER`, t] }),
      /make a superuser/,
    ],
    [
      "SUPERUSER in its own",
      (s, t) => role(s, { creationStatements: [`${CREATION} IN ROLE "${t}" SUPERUSER`] }),
      /make a superuser/,
    ],
    [
      "SUPERUSER that it ends",
      (s, t) => role(s, { creationStatements: [`${CREATION} SUPER${t}`] }),
      /make a superuser/,
    ],
    [
      "a placeholder that no engine fills",
      (s, t) => role(s, { creationStatements: [CREATION, `SET x = '${t}{{group}}'`] }),
      /use "\{\{group\}\}"/,
    ],
    ["an empty statement", (s, t) => role(s, { creationStatements: [t, " "] }), /are empty/],
    [
      "a semicolon in a text",
      (s, t) => role(s, { creationStatements: [CREATION, `SELECT '${t};'`] }),
      /ends no statement/,
    ],
    ["a wildcard in the path of a policy", (s, t) => policy(s, `${t}/creds/*`), /not an exact path/],
    ["a way up in the path of a policy", (s, t) => policy(s, `${t}/../x`), /not an exact path/],
    ["a quote in the path of a policy", (s, t) => policy(s, `a"${t}`), /not an exact path/],
    [
      "a capital letter in the name of a policy",
      (s, t) => new Policy(s, "P", { name: `Orders-${t}`, rules: [{ path: "a", capabilities: ["read"] }] }),
      /policy name/,
    ],
    [
      "a wildcard in an engine's path",
      (s, t) => new DatabaseSecretsEngine(s, "E", { path: `${t}/+` }),
      /not usable/,
    ],
    [
      "an engine's path of the server's own",
      (s, t) => new DatabaseSecretsEngine(s, "E", { path: `sys/${t}` }),
      /server's own/,
    ],
    [
      "a wildcard in a path of a key-value engine",
      (s, t) => new KeyValueEngine(s, "E", { path: `${t}*` }),
      /not usable/,
    ],
    [
      "a wildcard in an allowed role",
      (s, t) => connect(s, { additionalAllowedRoles: [`*${t}`] }),
      /allowed role/,
    ],
    ["a quote in a database", (s, t) => new PostgresDatabase(s, "D", { name: `${t}"` }), /holds "\\""/],
    ["a reserved role", (s, t) => BaseRole.fromName(s, "B", `a=${t}`), /holds "="/],
    [
      "a reserved schema",
      (s, t) => new PostgresDatabase(s, "D", { name: "d" }).addSchema(`pg_${t}`),
      /reserved/,
    ],
    [
      "a name that is too long without it",
      (s, t) => BaseRole.fromName(s, "B", `${"x".repeat(63)}${t}`),
      /64 bytes/,
    ],
    ["a port in a host", (s, t) => connect(s, { endpoint: { host: `${t}:5432` } }), /PostgreSQL host/],
    [
      "an sslmode that none begins as",
      (s, t) => connect(s, { endpoint: { host: "db", sslMode: `pre${t}` as "require" } }),
      /sslmode/,
    ],
    [
      "a password in a URL",
      (s, t) => connect(s, { connectionUrl: `postgresql://app:hunter2@${t}/existing` }),
      /pass the login apart/,
    ],
    [
      "a password in a URL's options",
      (s, t) =>
        connect(s, { connectionUrl: `postgresql://{{username}}:{{password}}@${t}/existing?password=x` }),
      /login in its options/,
    ],
    [
      "a display name",
      (s, t) => connect(s, { usernameTemplate: `${t}-{{.DisplayName}}-{{random 20}}` }),
      /display name/,
    ],
    [
      "a network of letters",
      (s, t) => new AppRoleAuth(s, "A").addRole("a", { tokenBoundCidrs: [`x${t}/16`] }),
      /is bound to/,
    ],
    [
      "privileges that none begins as",
      (_, t) => Access.custom([{ on: "schema", schema: "a", privileges: [`SEL${t}`] }]),
      /has the privileges/,
    ],
    [
      "a template of Terraform's",
      (s, t) => new DatabaseSecretsEngine(s, "E", { description: `${t}\${x}` }),
      /template/,
    ],
    [
      "a dollar sign, which would end the token",
      (s, t) => new DatabaseSecretsEngine(s, "E", { description: `5 $${t}` }),
      /"\$" before/,
    ],
    [
      "a dollar sign in a name",
      (s, t) => BaseRole.fromName(s, "B", `a$${t}`),
      /"\$" before a value that Terraform knows/,
    ],
    [
      "a dollar sign in an argument",
      (_, t) => OnChange.command(["/x", `$${t}`]),
      /"\$" before a value that Terraform knows/,
    ],
    [
      "a dollar sign in a URL",
      (s, t) => connect(s, { connectionUrl: `postgresql://{{username}}:{{password}}@db/existing?x=$${t}` }),
      /"\$" before a token/,
    ],
    [
      "a control character",
      (s, t) => new DatabaseSecretsEngine(s, "E", { namespace: `a\n${t}` }),
      /control character/,
    ],
    [
      "a decomposed letter",
      (s, t) => new DatabaseSecretsEngine(s, "E", { description: `e\u0301${t}` }),
      /NFC/,
    ],
    ["a wildcard of MySQL", (_, t) => MysqlAccess.readOnly({ databases: [`${t}%`] }), /is a pattern/],
    [
      "a URL with a password",
      (_, t) => KeyValueContent.visible({ a: `postgres://u:${t}@h/d` }),
      /URL with a password/,
    ],
  ];
  const policy = (stack: TerraformStack, path: string) =>
    new Policy(stack, "P", { name: "p", rules: [{ path, capabilities: ["read"] }] });

  test.each(refused)("%s", (_, build, message) => {
    const attempt = () =>
      synthesize((stack) => void build(stack, new TerraformVariable(stack, "t", {}).stringValue));
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow(/TfToken/);
  });

  const taken: readonly (readonly [string, (stack: TerraformStack, token: string) => unknown, string])[] = [
    ["a path of a policy", (s, t) => policy(s, `${t}/creds/reader`), 'path \\"${var.t}/creds/reader\\"'],
    [
      "a network",
      (s, t) => new AppRoleAuth(s, "A").addRole("a", { tokenBoundCidrs: [`10.${t}.0.0/16`] }),
      "10.${var.t}.0.0/16",
    ],
    ["a part of IPv6", (s, t) => connect(s, { endpoint: { host: `fd00::${t}` } }), "@[fd00::${var.t}]:5432"],
    [
      "a name in SQL",
      (s, t) => role(s, { creationStatements: [`${CREATION} IN ROLE "app_${t}_user"`] }),
      "app_${var.t}_user",
    ],
    [
      "a word of SQL that NOSUPERUSER is not",
      (s, t) => role(s, { creationStatements: [`${CREATION} NOSUPERUSER ${t}`] }),
      "NOSUPERUSER ${var.t}",
    ],
    [
      "an enumerated value",
      (s, t) => connect(s, { endpoint: { host: "db", sslMode: `verify-${t}` as "verify-ca" } }),
      "sslmode=verify-${var.t}",
    ],
    [
      "a username template",
      (s, t) => connect(s, { usernameTemplate: `v-${t}-{{random 20}}` }),
      "v-${var.t}-{{random 20}}",
    ],
    [
      "a database, encoded by Terraform",
      (s, t) => connect(s, { database: PostgresDatabase.fromName(s, "D", `a ${t}`) }),
      '/a%20${replace(urlencode(var.t), "+", "%20")}?',
    ],
    [
      "a CA's path, encoded by Terraform",
      (s, t) => connect(s, { endpoint: { host: "db", sslRootCert: t } }),
      "sslrootcert=${replace(urlencode(var.t)",
    ],
    [
      "a database of MySQL, with its wildcards escaped by Terraform",
      (s, t) => mysqlRole(s, `my_${t}`),
      "GRANT SELECT ON `my\\\\_${replace(jsonencode(replace(",
    ],
  ];
  const mysqlRole = (stack: TerraformStack, database: string) =>
    new DatabaseSecretsEngine(stack, "M")
      .addMysqlConnection("m", {
        server: "mariadb",
        endpoint: { host: "db" },
        username: "m",
        password: WriteOnlySecret.fromVariable(stack, "mysql_password"),
      })
      .addDynamicRole("r", { access: MysqlAccess.readOnly({ databases: [database] }) });

  test.each(taken)("%s passes", (_, build, there) => {
    const { json } = synthesize(
      (stack) => void build(stack, new TerraformVariable(stack, "t", {}).stringValue),
    );
    expect(json).toContain(there.includes('\\"') ? there : JSON.stringify(there).slice(1, -1));
    expect(json).not.toMatch(/TfToken/);
  });
});

test("the policy of an engine whose path only Terraform knows is named by Terraform in lower case", () => {
  const made = synthesize((stack) => {
    const path = new TerraformVariable(stack, "path", {}).stringValue;
    const engine = DatabaseSecretsEngine.fromPath(stack, "E", path);
    const reader = new AppRoleAuth(stack, "A").addRole("a");
    DynamicRole.fromName(stack, "R", { engine, name: "Reader" }).grantRead(reader);
    expect(accessTable(accessOf(stack))).toContain("(known at deployment)/creds/Reader");
  });
  const name = expect.stringMatching(/^\$\{lower\(var\.path\)\}\/creds\/reader\.for\.approle\/a-/) as string;
  expect(one(made, "vault_policy")).toMatchObject({
    name,
    policy: expect.stringContaining('"${var.path}/creds/Reader"') as string,
  });
  expect(one(made, "vault_approle_auth_backend_role").token_policies).toEqual([name]);
});

test("what Terraform does with a name of MySQL is escaped as its language wants it", () => {
  const { json } = synthesize((stack) => {
    const description = quoteMysqlDatabasePattern(new TerraformVariable(stack, "t", {}).stringValue);
    new DatabaseSecretsEngine(stack, "E", { description });
  });
  const expression = String.raw`replace(replace(replace(replace(var.t, "\\", "\\\\"), "_", "\\_"), "%", "\\%"), "Q", "QQ")`;
  expect(json).toContain(JSON.stringify(`Q\${${expression}}Q`.replaceAll("Q", "`")).slice(1, -1));
});

test("a role whose TTLs only Terraform knows has them so in a report of access", () => {
  synthesize((stack) => {
    const life = Duration.seconds(new TerraformVariable(stack, "ttl", {}).numberValue);
    const connection = connect(stack);
    const baseRole = BaseRole.fromName(stack, "Base", "base");
    connection.addDynamicRole("r", { baseRole, defaultTtl: life, maxTtl: life });
    connection.addStaticRole("s", { username: "u", rotationPeriod: life });
    const later = "(known at deployment)";
    expect(accessOf(stack).roles).toMatchObject([
      { defaultTtl: later, maxTtl: later },
      { rotationPeriod: later },
    ]);
    expect(accessTable(accessOf(stack))).toContain(`${later}, at most ${later}`);
  });
});

test("a program's arguments that only Terraform knows are words of their own to systemd", () => {
  const made = synthesize((stack) => {
    const later = new TerraformVariable(stack, "v", {}).stringValue;
    const command = ["/usr/bin/vault", `-config=a b${later}`];
    new SystemdUnit(stack, "U", {
      description: "50%",
      command,
      user: "x",
      runtimeDirectory: "x",
      outputName: "unit",
    });
  });
  const word = String.raw`"-config=a b${"$"}{replace(replace(replace(replace(var.v, "%", "%%"), "\\", "\\\\"), "\"", "\\\""), "$", "$$")}"`;
  expect(made.output.unit?.value).toContain(`ExecStart=/usr/bin/vault ${word}\n`);
});

test("two things of one engine with the same token for a name are one name", () => {
  expect(() =>
    synthesize((stack) => {
      const name = new TerraformVariable(stack, "name", {}).stringValue;
      const connection = connect(stack);
      for (const id of ["A", "B"]) {
        new DynamicRole(stack, id, {
          connection,
          name,
          baseRole: BaseRole.fromName(stack, `Base${id}`, "base"),
        });
      }
    }),
  ).toThrow(/two roles named/);
});

test("a constructor takes a name that only Terraform knows, by an id of one's own", () => {
  const made = synthesize((stack) => {
    const name = new TerraformVariable(stack, "name", {}).stringValue;
    new DynamicRole(stack, "R", {
      connection: connect(stack),
      name,
      baseRole: BaseRole.fromName(stack, "Base", "base"),
    });
  });
  expect(one(made, "vault_database_secret_backend_role").name).toBe("${var.name}");
  expect(all(made, "vault_database_secret_backend_connection")[0]?.allowed_roles).toEqual(["${var.name}"]);
});

test("values by a function of Terraform's are such, too", () => {
  const made = synthesize((stack) => {
    const description = Token.asString(
      Fn.join("-", ["a", new TerraformVariable(stack, "v", {}).stringValue]),
    );
    new DatabaseSecretsEngine(stack, "E", { description });
  });
  expect(one(made, "vault_mount").description).toBe('${join("-", ["a", var.v])}');
});
