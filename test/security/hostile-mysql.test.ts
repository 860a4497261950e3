import fc from "fast-check";
import type { Connection } from "mysql2/promise";
import {
  checkMysqlStatements,
  mysqlCreation,
  mysqlRevocation,
  MysqlAccess,
  quoteMysqlIdentifier,
} from "../../lib";
import type { MariadbServer } from "../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { issue, revoke } from "../e2e/credential";
import { asRoot, describeWithMariadb, loginOf, startMariadb, usersLike, verdictOf } from "../e2e/mariadb";
import { cases, sqlText, unlessRefused } from "./hostile-values";

jest.setTimeout(900_000);

describeWithMariadb("on MariaDB", () => {
  let sandbox: Sandbox;
  let server: MariadbServer;
  let root: Connection;

  beforeAll(async () => {
    sandbox = await startSandbox({ terraform: false });
    server = await startMariadb(sandbox);
    root = await server.connect();
    const vault = sandbox.vault.client();
    await vault.write("sys/mounts/names", { type: "database" });
    await vault.write("names/config/c", {
      plugin_name: "mysql-database-plugin",
      allowed_roles: "*",
      connection_url: `{{username}}:{{password}}@tcp(${server.host}:${server.port})/`,
      tls_ca: server.caCertificate,
      username: server.superuser,
      password: server.superuserPassword,
    });
    await root.query("CREATE DATABASE canary");
    await root.query("CREATE TABLE canary.t (word text)");
  });
  afterAll(async () => {
    await root?.end();
    await sandbox?.stop();
  });

  test("every database name is either refused, or opened and nothing near it", async () => {
    const vault = sandbox.vault.client();
    const text = fc.oneof(sqlText, fc.stringMatching(/^[a-z_%`]{1,40}$/));
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(text, async (name) => {
        const access = unlessRefused(() => MysqlAccess.readWrite({ databases: [name] }));
        if (access === undefined || name === "canary") return;
        accepted++;
        const quoted = quoteMysqlIdentifier(name);
        const near = quoteMysqlIdentifier(name.replaceAll(/[_%]/g, "x"));
        const names = [...new Set([quoted, near])];
        for (const each of names) {
          await root.query(`CREATE DATABASE ${each}`);
          await root.query(`CREATE TABLE ${each}.t (word text)`);
        }
        try {
          await vault.write("names/roles/r", {
            db_name: "c",
            creation_statements: mysqlCreation(
              "%",
              access.grants,
              true,
              accepted % 2 === 0 ? "mariadb" : "mysql",
            ),
            revocation_statements: mysqlRevocation("mariadb", "%"),
          });
          const credential = await issue(sandbox, "names/creds/r");
          const client = await server.connectAs(credential.username, credential.password);
          expect(await verdictOf(client, `INSERT INTO ${quoted}.t VALUES ('a')`)).toBe("ok");
          expect(await verdictOf(client, `DROP TABLE ${quoted}.t`)).toBe("ER_TABLEACCESS_DENIED_ERROR");
          for (const other of ["canary", ...names.filter((each) => each !== quoted)]) {
            expect(await verdictOf(client, `SELECT * FROM ${other}.t`)).toBe("ER_TABLEACCESS_DENIED_ERROR");
          }
          client.destroy();
          await revoke(sandbox, credential);
          expect(await loginOf(server, credential.username, credential.password)).toBe(
            "ER_ACCESS_DENIED_ERROR",
          );
          expect(await usersLike(server, "v-%")).toEqual([]);
        } finally {
          for (const each of names) await root.query(`DROP DATABASE ${each}`);
        }
      }),
      cases(25, 500),
    );
    expect(accepted).toBeGreaterThan(5);
  });

  test("SQL of the user's own that is refused for a pattern reaches other databases, and what it is to be does not", async () => {
    const names = ["sql_db", "sqlxdb", "sql%", "sqlxy"].map(quoteMysqlIdentifier);
    for (const each of names) await root.query(`CREATE DATABASE ${each}`);
    for (const each of names) await root.query(`CREATE TABLE ${each}.t (word text)`);
    await root.query("CREATE USER granter@`%` IDENTIFIED BY 'granter' REQUIRE SSL");
    const reached = async (on: string) => {
      await root.query("CREATE USER reader@`%` IDENTIFIED BY 'reader' REQUIRE SSL");
      try {
        await root.query(`GRANT SELECT ON ${on}.* TO reader@\`%\``);
        const client = await server.connectAs("reader", "reader");
        const verdicts = await Promise.all(names.map((each) => verdictOf(client, `SELECT * FROM ${each}.t`)));
        client.destroy();
        return names.filter((_, index) => verdicts[index] === "ok");
      } finally {
        await root.query("DROP USER reader@`%`");
      }
    };
    const grants = ["sql_db", "`sql_db`", "`sql%`", "`sql\\_db`", "`sql\\%`", "`sqlxdb`", "`%`"];
    for (const on of grants) {
      const statements = [
        "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
        `GRANT SELECT ON ${on}.* TO '{{name}}'@'%'`,
      ];
      let isRefused = false;
      let written = "";
      try {
        checkMysqlStatements("r", "creation", statements);
      } catch (error) {
        isRefused = true;
        written = /Write (`.*?`), /.exec(String(error))?.[1] ?? "";
      }
      // Refused are those that reach more than one; what the message says to write reaches the one that is named.
      expect([on, (await reached(on)).length > 1]).toEqual([on, isRefused]);
      // That one reaches the accounts as well, which is told first.
      if (isRefused && on !== "`%`") {
        expect(await reached(written)).toEqual([on.startsWith("`") ? on : `\`${on}\``]);
      }
    }
    // As the documents say: who hands it on has it in the same words.
    await root.query("GRANT SELECT ON `sql\\_db`.* TO granter@`%` WITH GRANT OPTION");
    await root.query("CREATE USER reader@`%`");
    const granter = await server.connectAs("granter", "granter");
    expect(await verdictOf(granter, "GRANT SELECT ON `sql\\_db`.* TO reader@`%`")).toBe("ok");
    expect(await verdictOf(granter, "GRANT SELECT ON `sql_db`.* TO reader@`%`")).not.toBe("ok");
    granter.destroy();
    await root.query("DROP USER reader@`%`, granter@`%`");
  });

  test("the privileges that are refused are those by which users make what fails without them", async () => {
    const vault = sandbox.vault.client();
    await root.query("CREATE DATABASE made");
    await root.query("CREATE TABLE made.t (x int)");
    await root.query("CREATE PROCEDURE made.standing() SELECT 1");
    const makers = [
      ...[
        "CREATE VIEW made.v AS SELECT 1",
        "CREATE TABLE made.n (x int)",
        "CREATE TEMPORARY TABLE made.m (x int)",
      ],
      ...[
        "CREATE TRIGGER made.g BEFORE INSERT ON made.t FOR EACH ROW SET NEW.x = 2",
        "ALTER TABLE made.t ADD y int",
      ],
      ...["CREATE PROCEDURE made.p() SELECT 1", "CREATE FUNCTION made.f() RETURNS int RETURN 1"],
      ...[
        "ALTER PROCEDURE made.standing COMMENT 'x'",
        "CREATE OR REPLACE PROCEDURE made.standing() SELECT 2",
      ],
      ...["CREATE EVENT made.e ON SCHEDULE EVERY 1 HOUR DO SELECT 1", "CREATE INDEX i ON made.t (x)"],
    ];
    const outcomes: Record<string, readonly [refused: boolean, left: readonly string[]]> = {};
    for (const privilege of PRIVILEGES) {
      const grants = [{ database: "made", privileges: [privilege] }];
      const refused = unlessRefused(() => MysqlAccess.custom(grants)) === undefined;
      await vault.write("names/roles/r", {
        db_name: "c",
        creation_statements: mysqlCreation(
          "%",
          MysqlAccess.custom(grants, { allowDefiners: true }).grants,
          true,
        ),
        revocation_statements: mysqlRevocation("mariadb", "%"),
      });
      const credential = await issue(sandbox, "names/creds/r");
      const client = await server.connectAs(credential.username, credential.password);
      for (const maker of makers) await verdictOf(client, maker);
      client.destroy();
      const left = await definedBy(credential.username);
      outcomes[privilege] = [refused, left];
      const revoked = await revoke(sandbox, credential).catch((error: Error) => error.message);
      if (left.length === 0) expect(revoked).toBeUndefined();
      // What is left would fail without its maker, so that revocation does not drop it.
      else expect(revoked).toMatch("needs another definer first: ");
    }
    const [trigger] = await asRoot(
      server,
      "SELECT definer FROM information_schema.triggers WHERE trigger_schema = 'made'",
    );
    await root.query(`DROP USER '${String(trigger).replace("@", "'@'")}'`);
    expect(await verdictOf(root, "INSERT INTO made.t (x) VALUES (1)")).toBe("ER_NO_SUCH_USER");
    expect(Object.entries(outcomes).filter(([, [refused, left]]) => refused !== left.length > 0)).toEqual([]);
    expect(Object.values(outcomes).filter(([refused]) => refused)).toHaveLength(4);
    await root.query("DROP DATABASE made");
  });

  /** What names a user as its definer. */
  async function definedBy(user: string): Promise<string[]> {
    const found: string[] = [];
    for (const [kind, schema, name, table] of [
      ["VIEW", "table_schema", "table_name", "views"],
      ["TRIGGER", "trigger_schema", "trigger_name", "triggers"],
      ["EVENT", "event_schema", "event_name", "events"],
    ] as const) {
      const sql = `SELECT ${name} FROM information_schema.${table} WHERE ${schema} = 'made' AND definer LIKE '${user}@%'`;
      for (const object of await asRoot(server, sql)) found.push(`${kind} made.${String(object)}`);
    }
    const routines = await asRoot(
      server,
      `SELECT CONCAT(routine_type, ' made.', routine_name) FROM information_schema.routines
         WHERE routine_schema = 'made' AND definer LIKE '${user}@%'`,
    );
    return [...found, ...routines.map(String)];
  }
});

const PRIVILEGES = [
  ...[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE VIEW",
  ],
  ...["SHOW VIEW", "TRIGGER", "CREATE TEMPORARY TABLES", "LOCK TABLES", "CREATE ROUTINE", "ALTER ROUTINE"],
  ...["EXECUTE", "EVENT"],
];
