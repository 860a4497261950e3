import type { TerraformStack } from "cdktf";
import type { Connection } from "mysql2/promise";
import {
  DatabaseSecretsEngine,
  Duration,
  MysqlAccess,
  WriteOnlySecret,
  type MysqlConnectionOptions,
  type MysqlDynamicRoleOptions,
} from "../../lib";
import type { MariadbServer } from "../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { issue, revoke, type Credential } from "../e2e/credential";
import {
  asRoot,
  describeWithMariadb,
  loginOf,
  procedureForMysql,
  sessionsOf,
  startMariadb,
  usersLike,
  verdictOf,
} from "../e2e/mariadb";
import { blocksOf } from "../docs/blocks";
import { one, synthesize } from "../unit/synthesis";
import { slowLogin } from "./mysql-slow-login";
import { FaultTable, testInFull } from "./fault-table";
import { FULL } from "./servers";

jest.setTimeout(60_000);

/** The client has another name for it. */
const ACCOUNT_LOCKED = 4151;
const MANAGER = "credentials_manager";
const access = MysqlAccess.readWrite({ databases: ["shop"] });
const OWN = ["CREATE USER '{{name}}'@'127.0.0.1' IDENTIFIED BY '{{password}}'"];

/** What commit 9fd88ff deployed, whose users have names by the engine's template. */
const EARLIER = {
  creation_statements: [
    "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL;",
    "GRANT SELECT ON `shop`.* TO '{{name}}'@'%';",
  ],
  revocation_statements: ["DROP USER IF EXISTS '{{name}}'@'%';"],
};

const documented = blocksOf("docs/mysql.md")
  .filter(({ language }) => language === "sql")
  .map(({ text }) => text) as [string, string];

describeWithMariadb("revocation on MariaDB", () => {
  let sandbox: Sandbox;
  let server: MariadbServer;

  beforeAll(async () => {
    sandbox = await startSandbox({ terraform: false });
    server = await startMariadb(sandbox);
    await server.run(procedureForMysql());
    await server.run(`
      CREATE DATABASE shop;
      CREATE TABLE shop.orders (id int PRIMARY KEY, word text);
      INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two');
      GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER, CREATE VIEW, CREATE ROUTINE, EVENT, LOCK TABLES, EXECUTE
        ON shop.* TO ${MANAGER}@\`%\` WITH GRANT OPTION;`);
    await vault().write("sys/mounts/m", { type: "database" });
    await configure("c");
  });
  afterAll(() => sandbox?.stop());

  const table = new FaultTable("mysql-revocation");
  const vault = () => sandbox.vault.client();
  const root = (sql: string) => asRoot(server, sql);
  const read = () => issue(sandbox, "m/creds/r");
  const login = ({ username, password }: Credential): Promise<Connection> =>
    server.connectAs(username, password);

  function connection(stack: TerraformStack, name: string, options: Partial<MysqlConnectionOptions> = {}) {
    return new DatabaseSecretsEngine(stack, "Secrets", { path: "m" }).addMysqlConnection(name, {
      server: "mariadb",
      endpoint: { host: server.host, port: server.port, caCertificate: server.caCertificate },
      username: MANAGER,
      password: WriteOnlySecret.fromVariable(stack, "password"),
      ...options,
    });
  }

  /** Writes a connection as a deployment does; a password that has not been rotated. */
  async function configure(name: string, changes: Record<string, unknown> = {}): Promise<void> {
    const made = one(
      synthesize((stack) => void connection(stack, name)),
      "vault_database_secret_backend_connection",
    ) as { mysql: Record<string, unknown> };
    await vault().write(`m/config/${name}`, {
      plugin_name: "mysql-database-plugin",
      allowed_roles: "*",
      connection_url: made.mysql.connection_url,
      tls_ca: server.caCertificate,
      username: MANAGER,
      password: sandbox.managerPassword,
      username_template: made.mysql.username_template,
      ...changes,
    });
  }

  /** Writes the role `r` as a deployment does. */
  async function deploy(
    options: MysqlDynamicRoleOptions,
    on: Partial<MysqlConnectionOptions> = {},
    name = "c",
  ): Promise<void> {
    const role = one(
      synthesize((stack) => void connection(stack, name, on).addDynamicRole("r", options)),
      "vault_database_secret_backend_role",
    );
    await vault().write("m/roles/r", {
      db_name: role.db_name,
      creation_statements: role.creation_statements,
      revocation_statements: role.revocation_statements,
      default_ttl: role.default_ttl,
      max_ttl: role.max_ttl,
    });
  }

  async function expectGone(credential: Credential): Promise<void> {
    expect(await sessionsOf(server, credential.username)).toBe(0);
    expect(await usersLike(server, credential.username)).toEqual([]);
    expect(await loginOf(server, credential.username, credential.password)).toBe("ER_ACCESS_DENIED_ERROR");
  }

  /** Neither logs in nor acts any more, though its revocation failed. */
  async function expectLocked(credential: Credential): Promise<void> {
    expect(await sessionsOf(server, credential.username)).toBe(0);
    expect(await usersLike(server, credential.username)).toEqual([credential.username]);
    await expect(login(credential)).rejects.toMatchObject({ errno: ACCOUNT_LOCKED });
  }

  describe("of a role that was changed while a credential of its earlier version lives", () => {
    type Version = readonly [MysqlDynamicRoleOptions, Partial<MysqlConnectionOptions>?, string?];
    const base: MysqlDynamicRoleOptions = { access };
    const changes: readonly [string, Version, Version][] = [
      ["requireTls", [base], [{ access, requireTls: false }]],
      ["access", [base], [{ access: MysqlAccess.readOnly({ databases: ["shop"] }) }]],
      ["TTLs", [base], [{ access, defaultTtl: Duration.minutes(2), maxTtl: Duration.minutes(3) }]],
      ["server", [base], [{ access, host: "10.1.%" }, { server: "mysql" }]],
      ["server back", [base, { server: "mysql" }], [{ access, host: "10.1.%" }]],
      ["connection", [base], [{ access, host: "10.1.%" }, {}, "another"]],
      ["creation to its own", [base], [{ creationStatements: OWN }]],
      ["creation back to the preset", [{ creationStatements: OWN }], [base]],
    ];
    beforeAll(() => configure("another"));

    table.fault(
      "a role of MySQL is changed, such as in its host, while a credential of its earlier version lives",
      "its revocation ends that one as well: every account of its name is dropped, and its sessions end",
      "nothing",
      async () => {
        await endsWhatEarlierMade([{ access }], [{ access, host: "10.1.%" }]);
      },
    );

    test.each(changes)("%s: nothing of it is left", (_, earlier, present) =>
      endsWhatEarlierMade(earlier, present),
    );

    async function endsWhatEarlierMade(earlier: Version, present: Version): Promise<void> {
      await deploy(...earlier);
      const credential = await read();
      const client = await login(credential);
      await deploy(...present);
      await revoke(sandbox, credential);
      expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
      await expectGone(credential);
    }

    test("what an earlier release deployed: nothing of it is left", async () => {
      await configure("c", { username_template: "" });
      await vault().write("m/roles/r", { db_name: "c", ...EARLIER });
      const credential = await read();
      expect(credential.username).toMatch(/^v-root-/);
      await vault().write("m/rotate-root/c", {});
      try {
        // By then only the engine knows its password.
        await configure("c", { password: undefined });
        await deploy({ access, host: "10.1.%" });
        const client = await login(credential);
        await revoke(sandbox, credential);
        expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
        await expectGone(credential);
        const later = await read();
        expect(later.username).toMatch(/^v-[0-9a-f]{6}-r-/);
        await revoke(sandbox, later);
      } finally {
        await root(`ALTER USER ${MANAGER}@'%' IDENTIFIED BY '${sandbox.managerPassword}'`);
        await configure("c");
      }
    });

    test("every account of its name goes, also one that its holder has made", async () => {
      await deploy(base);
      const credential = await read();
      await root(`CREATE USER '${credential.username}'@'10.%' IDENTIFIED BY 'x'`);
      await root(`CREATE USER '${credential.username}'@'a''b' IDENTIFIED BY 'x'`);
      await revoke(sandbox, credential);
      await expectGone(credential);
    });
  });

  describe("where there is no such account", () => {
    test("succeeds if the name was made on this server", async () => {
      await deploy({ access });
      const credential = await read();
      await root(`DROP USER '${credential.username}'@'%'`);
      await revoke(sandbox, credential);
    });

    table.fault(
      "a connection to MySQL is led to another server while credentials of the earlier one live",
      "their revocation fails, for there is no such account; they go on at the earlier server",
      "lead the connection back, or drop them there; then revoke again, at last with `-force`",
      () => failsWithout({ endpoint: { host: "elsewhere" } }),
    );

    test("fails if names have no mark of the server", () =>
      failsWithout({ usernameTemplate: "{{random 20}}" }));

    async function failsWithout(on: Partial<MysqlConnectionOptions>): Promise<void> {
      for (const kind of ["mariadb", "mysql"] as const) {
        await deploy({ access });
        const credential = await read();
        await root(`RENAME USER '${credential.username}'@'%' TO 'moved'@'%'`);
        await deploy({ access }, { ...on, server: kind });
        await expect(revoke(sandbox, credential)).rejects.toThrow(/no account.* is it on another/);
        await root(`RENAME USER 'moved'@'%' TO '${credential.username}'@'%'`);
        await revoke(sandbox, credential);
        await expectGone(credential);
      }
    }
  });

  describe("by a login that lacks a right", () => {
    table.fault(
      "the engine's login on MariaDB lacks a right that a revocation needs",
      "the revocation fails and names the `GRANT` that is missing",
      "grant it, as in `docs/rights/mysql-manager.sql`, and revoke again",
      async () => {
        await root(`REVOKE SELECT (User, Host, password_expired) ON mysql.user FROM ${MANAGER}`);
        await deploy({ access });
        const [known, unknown] = [await read(), await read()];
        await revoke(sandbox, known);
        await expectGone(known);
        await deploy({ access, host: "10.1.%" });
        await expect(revoke(sandbox, unknown)).rejects.toThrow(
          "GRANT SELECT (User, Host, password_expired) ON mysql.user TO 'credentials_manager'@'%'",
        );
        await server.run(documented[0]);
        await revoke(sandbox, unknown);
        await expectGone(unknown);
      },
    );

    test("of its own, but has it by a role: ends sessions", async () => {
      await root(`REVOKE CONNECTION ADMIN ON *.* FROM ${MANAGER}`);
      await root("CREATE ROLE enders");
      await root("GRANT CONNECTION ADMIN ON *.* TO enders");
      await root(`GRANT enders TO ${MANAGER}`);
      await root(`SET DEFAULT ROLE enders FOR ${MANAGER}`);
      try {
        await configure("c");
        await deploy({ access });
        const credential = await read();
        const client = await login(credential);
        await revoke(sandbox, credential);
        expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
        await expectGone(credential);
      } finally {
        await root("DROP ROLE enders");
        await root(`GRANT CONNECTION ADMIN ON *.* TO ${MANAGER}`);
        await configure("c");
      }
    });

    test("to end sessions: names it, and leaves the account locked", async () => {
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      await root(`REVOKE CONNECTION ADMIN ON *.* FROM ${MANAGER}`);
      await expect(revoke(sandbox, credential)).rejects.toThrow("GRANT CONNECTION ADMIN ON *.* TO");
      await expect(login(credential)).rejects.toMatchObject({ errno: ACCOUNT_LOCKED });
      await root(`GRANT CONNECTION ADMIN ON *.* TO ${MANAGER}`);
      await revoke(sandbox, credential);
      expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
      await expectGone(credential);
    });
  });

  table.fault(
    "MariaDB refuses a part of what a credential is to have",
    "the request fails, and no user is left",
    "give the engine's login that right WITH GRANT OPTION",
    async () => {
      await deploy({
        access: MysqlAccess.custom([
          { database: "shop", privileges: ["SELECT"] },
          { database: "closed", privileges: ["SELECT"] },
        ]),
      });
      const before = await root("SELECT COUNT(*) FROM mysql.user");
      for (let round = 0; round < (FULL ? 200 : 20); round++) {
        await expect(read()).rejects.toThrow(/Access denied for user 'credentials_manager'/);
      }
      expect(await root("SELECT COUNT(*) FROM mysql.user")).toEqual(before);
    },
  );

  test("the portable creation leaves a user that is locked", async () => {
    await deploy({ access: MysqlAccess.readOnly({ databases: ["closed"] }) }, { server: "mysql" });
    await expect(read()).rejects.toThrow(/Access denied for user 'credentials_manager'/);
    const [left] = await usersLike(server, "v-%-r-%");
    expect(await root(`SHOW CREATE USER '${String(left)}'`)).toEqual([expect.stringMatching(/ACCOUNT LOCK/)]);
    await root(`DROP USER '${String(left)}'`);
  });

  const ALL_MODES =
    "ORACLE,MSSQL,DB2,MAXDB,POSTGRESQL,ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,EMPTY_STRING_IS_NULL," +
    "SIMULTANEOUS_ASSIGNMENT,ONLY_FULL_GROUP_BY,PAD_CHAR_TO_FULL_LENGTH";
  const MODES = ["ORACLE", "NO_BACKSLASH_ESCAPES", ALL_MODES];
  test.each(FULL ? [...MODES, ...ALL_MODES.split(","), "MYSQL40", "MYSQL323", ""] : MODES)(
    "with the sql_mode %j users are made and ended, and passwords are set",
    async (mode) => {
      const [usual] = await root("SELECT @@GLOBAL.sql_mode");
      try {
        await root(`SET GLOBAL sql_mode = '${mode}'`);
        for (const kind of ["mariadb", "mysql"] as const) {
          // The engine connects anew.
          await configure("c");
          await deploy({ access }, { server: kind });
          const credential = await read();
          const client = await login(credential);
          await deploy({ access, host: "10.1.%" }, { server: kind });
          await revoke(sandbox, credential);
          expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
          await expectGone(credential);
        }
        await vault().write("m/rotate-root/c", {});
        await deploy({ access });
        await revoke(sandbox, await read());
      } finally {
        await root(`SET GLOBAL sql_mode = '${String(usual)}'`);
        await root(`ALTER USER ${MANAGER}@'%' IDENTIFIED BY '${sandbox.managerPassword}'`);
        await configure("c");
      }
    },
  );

  test("a server that keeps no messages is no reason to refuse", async () => {
    await root("SET GLOBAL max_error_count = 0");
    try {
      await configure("c");
      await deploy({ access });
      const credential = await read();
      await revoke(sandbox, credential);
      await expectGone(credential);
    } finally {
      await root("SET GLOBAL max_error_count = 64");
      await configure("c");
    }
  });

  test("a session gets its own mode back, for SQL of the user's own", async () => {
    await deploy({ access });
    await revoke(sandbox, await read());
    await vault().write("m/roles/own", {
      db_name: "c",
      creation_statements: [...OWN, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @@SESSION.sql_mode"],
    });
    await expect(issue(sandbox, "m/creds/own")).rejects.toThrow(/STRICT_TRANS_TABLES/);
    await root("DROP USER IF EXISTS 'x'");
  });

  table.fault(
    "a session on MariaDB has prepared a transaction by `XA PREPARE` when its credential is revoked",
    "the revocation fails and says so; the account is locked and its sessions end, rows stay locked",
    "`XA RECOVER FORMAT = 'SQL'`, `XA ROLLBACK …`, and revoke again",
    async () => {
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      await prepare(client);
      for (let attempt = 1; attempt <= 2; attempt++) {
        await expect(revoke(sandbox, credential)).rejects.toThrow(/prepared transactions \(XA RECOVER\)/);
        await expectLocked(credential);
      }
      await rollBackAsDocumented();
      await revoke(sandbox, credential);
      await expectGone(credential);
    },
  );

  test("a transaction whose session ended before the revocation is found as documented, and by nothing else", async () => {
    await deploy({ access });
    const credential = await read();
    const client = await login(credential);
    await prepare(client);
    await client.end();
    await revoke(sandbox, credential);
    await expectGone(credential);
    await rollBackAsDocumented();
  });

  async function prepare(client: Connection): Promise<void> {
    for (const sql of [
      "XA START 'left'",
      "UPDATE shop.orders SET word = 'x' WHERE id = 1",
      "XA END 'left'",
      "XA PREPARE 'left'",
    ]) {
      await client.query(sql);
    }
  }

  async function rollBackAsDocumented(): Promise<void> {
    const [look = "", recover = "", rollBack = ""] = documented[1].split("\n");
    // The view is a copy of up to 0.1 s ago.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await root(look)).toHaveLength(1);
    const connection = await server.connect();
    const [rows] = await connection.query(recover);
    await connection.end();
    const [{ data } = { data: "" }] = rows as { data: string }[];
    await root(rollBack.replace("'…'", data));
    await root("UPDATE shop.orders SET word = 'free' WHERE id = 1");
  }

  const DEFINED = [
    ["trigger", "CREATE TRIGGER shop.left_here BEFORE UPDATE ON shop.orders FOR EACH ROW SET NEW.word = 'x'"],
    ["view", "CREATE VIEW shop.left_here AS SELECT * FROM shop.orders"],
    ["routine", "CREATE PROCEDURE shop.left_here() DELETE FROM shop.orders"],
    ["event", "CREATE EVENT shop.left_here ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.orders"],
  ] as const;
  table.fault(
    "a trigger, view, routine or event on MariaDB has a user as its definer when the user is revoked",
    "the revocation fails and names it; the account is locked and its sessions end, the object goes on",
    "give it another definer or drop it, and revoke again",
    async () => {
      for (const [kind, sql] of DEFINED) await failsForDefiner(kind, sql);
    },
  );

  async function failsForDefiner(kind: string, sql: string): Promise<void> {
    await vault().write("m/roles/r", {
      db_name: "c",
      creation_statements: [
        "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
        "GRANT SELECT, UPDATE, DELETE, TRIGGER, CREATE VIEW, CREATE ROUTINE, EVENT ON shop.* TO '{{name}}'@'%'",
      ],
    });
    const credential = await read();
    const client = await login(credential);
    await client.query(sql);
    await deploy({ access });
    await expect(revoke(sandbox, credential)).rejects.toThrow(
      `needs another definer first: ${kind} shop.left_here`,
    );
    await expectLocked(credential);
    await root("UPDATE shop.orders SET word = 'y'");
    await root("SELECT * FROM shop.orders");
    await root(`DROP ${kind === "routine" ? "PROCEDURE" : kind} shop.left_here`);
    await revoke(sandbox, credential);
    await expectGone(credential);
  }

  test.each([
    ["a quote", "o'Neill-{{random 9}}"],
    ["a quote of the other kind", 'o"Neill-{{random 9}}'],
    ["a backslash", "A\\b-{{random 9}}"],
    ["a comment", "x' -- {{random 9}}"],
    ["two literals", "x' 'y{{random 9}}"],
    ["SQL", "x'; CREATE USER 'evil'; DROP USER 'x-{{random 9}}"],
    ["SQL at its end", `${"x".repeat(130)}{{random 9}}'; CREATE USER 'evil`],
    ["a new line", "x\n{{random 9}}"],
    ["a character that ends a message, and a quote after it", "x\u0000' 'y{{random 9}}"],
    ["a character that ends a message, after the end of a reading", "x.\u0000' 'y{{random 9}}"],
    ["a blank at its end", "x{{random 9}} "],
    ["a character of four bytes", "😀{{random 9}}"],
  ])("a user name with %s is refused before anything is done", async (_, template) => {
    const before = await root("SELECT COUNT(*) FROM mysql.user");
    await configure("c", { username_template: template });
    try {
      for (const kind of ["mariadb", "mysql"] as const) {
        await deploy({ access }, { server: kind });
        await expect(read()).rejects.toThrow(/500/);
      }
      expect(await root("SELECT COUNT(*) FROM mysql.user")).toEqual(before);
    } finally {
      await configure("c");
    }
  });

  test("names of people are no reason to refuse", async () => {
    await configure("c", { username_template: "josé@example.com#auth0|{{random 9}}" });
    await deploy({ access });
    const credential = await read();
    await (await login(credential)).end();
    await revoke(sandbox, credential);
    await expectGone(credential);
    await configure("c");
  });

  describe("of a session that", () => {
    const hold: readonly [string, (client: Connection) => unknown][] = [
      ["holds a table lock", (client) => client.query("LOCK TABLES shop.orders WRITE")],
      ["holds a lock by name", (client) => client.query("SELECT GET_LOCK('name', 10)")],
      ["sleeps", (client) => void client.query("SELECT SLEEP(60)").catch(() => undefined)],
      [
        "waits for a lock of another",
        (client) => void client.query("SELECT GET_LOCK('taken', 60)").catch(() => undefined),
      ],
      [
        "never reads what it asked for",
        (client) => {
          socketOf(client).pause();
          void client.query("SELECT REPEAT('x', 60000000) FROM shop.orders").catch(() => undefined);
        },
      ],
      ["has prepared a statement", (client) => client.prepare("UPDATE shop.orders SET word = ?")],
      [
        "has changed rows",
        async (client) => {
          await client.query("START TRANSACTION");
          await client.query("UPDATE shop.orders SET word = 'z' WHERE id = 2");
        },
      ],
    ];

    test.each(hold)("%s: ends within 10 s", async (_, act) => {
      const other = await server.connect();
      await other.query("SELECT GET_LOCK('taken', 1)");
      await vault().write("m/roles/r", {
        db_name: "c",
        creation_statements: [
          "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
          "GRANT SELECT, UPDATE, LOCK TABLES ON shop.* TO '{{name}}'@'%'",
        ],
      });
      const credential = await read();
      const client = await login(credential);
      await act(client);
      await deploy({ access });
      const begun = Date.now();
      await revoke(sandbox, credential);
      expect(Date.now() - begun).toBeLessThan(10_000);
      await expectGone(credential);
      client.destroy();
      await other.end();
      await root("UPDATE shop.orders SET word = 'free'");
    });

    test("logs in slowly: is not let in afterwards", async () => {
      await deploy({ access, requireTls: false });
      const credential = await read();
      const finish = await slowLogin(server, credential);
      await revoke(sandbox, credential);
      expect(await finish()).not.toBe("in");
      await expectGone(credential);
    });

    test("holds up the server itself: ends", async () => {
      await vault().write("m/roles/r", {
        db_name: "c",
        creation_statements: OWN,
      });
      const credential = await read();
      await root(`GRANT RELOAD ON *.* TO '${credential.username}'@'127.0.0.1'`);
      const client = await login(credential);
      await client.query("FLUSH TABLES WITH READ LOCK");
      await deploy({ access });
      await revoke(sandbox, credential);
      await expectGone(credential);
    });

    test(`is one of ${FULL ? 140 : 30}: all end`, async () => {
      await deploy({ access });
      const credential = await read();
      const clients = await Promise.all(Array.from({ length: FULL ? 140 : 30 }, () => login(credential)));
      await revoke(sandbox, credential);
      for (const client of clients) expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
      await expectGone(credential);
    });
  });

  table.fault(
    "somebody holds the global read lock of MariaDB when a credential is revoked",
    "the revocation fails within 10 s; the credential goes on until it succeeds",
    "release the lock; the engine tries again by itself, up to six times",
    async () => {
      await deploy({ access });
      const credential = await read();
      const other = await server.connect();
      await other.query("FLUSH TABLES WITH READ LOCK");
      const begun = Date.now();
      await expect(revoke(sandbox, credential)).rejects.toThrow(/max_statement_time/);
      expect(Date.now() - begun).toBeLessThan(10_000);
      await other.end();
      await revoke(sandbox, credential);
      await expectGone(credential);
    },
    testInFull,
  );

  table.isDocumented();
});

function socketOf(client: Connection) {
  return (client as unknown as { connection: { stream: { pause(): void } } }).connection.stream;
}
