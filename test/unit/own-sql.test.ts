// What a user's own SQL becomes on its way through an engine.
import { App, TerraformStack, TerraformVariable, Testing } from "cdktf";
import {
  checkMysqlStatements,
  checkStatements,
  DatabaseSecretsEngine,
  ManagerRole,
  PostgresConnection,
  type DynamicRoleOptions,
  type StatementKind,
} from "../../lib";
import { NEEDED } from "./needed-sql";

const postgres = (kind: StatementKind, statement: string) => () =>
  checkStatements("r", kind, [NEEDED[kind], statement]);
const mysql = (statement: string) => () =>
  checkMysqlStatements("r", "creation", ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", statement]);

const BLOCK = "DO $$ BEGIN PERFORM 1; END $$";
const SPLIT_ALWAYS = [
  `COMMENT ON ROLE "{{name}}" IS 'a;b'`,
  `COMMENT ON ROLE "{{name}}" IS E'a\\';b'`,
  `CREATE TABLE "a;b" (x int)`,
  "SELECT 1 -- a;b",
  "SELECT 1 /* a;b */",
  "SELECT 1 /* /* */ ; */",
  "DO $body$ begin perform 1; end $body$",
  "DO 'begin perform 1; end'",
  "CREATE FUNCTION f() RETURNS int LANGUAGE sql begin atomic SELECT 1; end",
  // Today's engines keep this for the END in quotes, by chance.
  "SELECT 'END', 'a;b'",
  "SELECT 'a;b', 'END'",
];

describe("SQL that engines would split in the middle", () => {
  test.each(["renewal", "rotation", "root rotation"] as const)(
    "is refused in %s statements, which they split at every semicolon, blocks too",
    (kind) => {
      for (const statement of [BLOCK, ...SPLIT_ALWAYS]) {
        expect(postgres(kind, statement)).toThrow(
          /holds? a (semicolon that ends no statement|block).*JSON\.stringify/s,
        );
      }
    },
  );

  test.each(["creation", "revocation"] as const)("is refused in %s statements", (kind) => {
    for (const statement of SPLIT_ALWAYS) {
      expect(postgres(kind, statement)).toThrow(/split it there. Write END in capitals/);
    }
  });

  test.each(["creation", "revocation"] as const)("is taken in %s statements with the word END", (kind) => {
    for (const statement of [
      BLOCK,
      "DO $$ BEGIN PERFORM 1; END; $$;",
      "DO $$ BEGIN PERFORM 1; END$$",
      `DO $$ BEGIN EXECUTE 'ALTER ROLE "{{name}}" NOLOGIN'; END $$`,
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
    ]) {
      expect(postgres(kind, statement)).not.toThrow();
    }
  });

  test("is taken as a JSON list of one, in all kinds", () => {
    for (const kind of ["renewal", "rotation", "root rotation"] as const) {
      expect(postgres(kind, JSON.stringify([BLOCK]))).not.toThrow();
    }
    expect(postgres("creation", JSON.stringify([`COMMENT ON ROLE "{{name}}" IS 'a;b'`]))).not.toThrow();
  });

  test("is refused as a JSON list that engines would not read as one, for the END in it", () => {
    const statement = JSON.stringify([`DO $$ BEGIN EXECUTE 'ALTER ROLE "{{name}}" NOLOGIN'; END $$`]);
    expect(postgres("creation", statement)).toThrow(/are a list in themselves.*Write the block itself/s);
    expect(postgres("renewal", statement)).not.toThrow();
  });

  test("statements in one element, with semicolons between them, are taken in all kinds", () => {
    for (const kind of ["creation", "renewal", "revocation", "rotation", "root rotation"] as const) {
      expect(
        postgres(kind, `SET x = 'it''s'; SELECT 1 /* no more */; SELECT "b"; SELECT $$c$$;`),
      ).not.toThrow();
      expect(postgres(kind, "SELECT 1; SELECT 2 -- the end")).not.toThrow();
      expect(postgres(kind, "SELECT type'x' ; SELECT a$b ; SELECT $1 ; SELECT E'\\\\' ;")).not.toThrow();
      expect(postgres(kind, "BEGIN; SELECT 1; END;")).not.toThrow();
    }
  });
});

test.each([
  JSON.stringify([`ALTER ROLE "{{name}}" SUPERUSER`]).replace("SUPER", "\\u0053UPER"),
  Buffer.from(JSON.stringify([`ALTER ROLE "{{name}}" SUPERUSER`])).toString("base64"),
  Buffer.from(`ALTER ROLE "{{name}}" SUPERUSER`).toString("base64"),
])("a superuser is seen in what an engine decodes: %s", (statement) => {
  expect(postgres("creation", statement)).toThrow(/make a superuser/);
});

describe("SQL of MySQL", () => {
  test.each([
    "SELECT 'a;b'",
    'SELECT "a;b"',
    "SELECT 'it\\'s; so'",
    "SELECT `a;b`",
    "SELECT 1 -- a;b",
    "SELECT 1 # a;b",
    "SELECT 1 /* a;b */",
  ])("is refused where the engine would split it: %s", (statement) => {
    expect(mysql(statement)).toThrow(/semicolon that ends no statement.*JSON\.stringify/s);
  });

  test.each([
    "BEGIN NOT ATOMIC KILL USER '{{name}}'; END",
    "IF 1 THEN SELECT 1; END IF",
    "IF 1 THEN SELECT 1; ELSE SELECT 2; END IF",
    "CREATE PROCEDURE d.p() BEGIN SELECT 1; END",
    "REPEAT SELECT 1; UNTIL 1 END REPEAT",
  ])("is refused where the engine would split a block: %s", (statement) => {
    expect(mysql(statement)).toThrow(/hold a block with semicolons/);
    expect(mysql(JSON.stringify([statement]))).not.toThrow();
  });

  test("is taken where semicolons end statements", () => {
    expect(mysql("SELECT 'it''s'; SELECT `b` ; SELECT 5--3 ; SELECT 1 -- the end")).not.toThrow();
    expect(mysql("SELECT CASE WHEN 1 THEN 2 END; SELECT 1")).not.toThrow();
  });

  test.each([
    ["GRANT SELECT, CREATE VIEW ON d.* TO '{{name}}'", "CREATE VIEW"],
    ["GRANT create\n  routine ON d.* TO '{{name}}'", "CREATE ROUTINE"],
    ["GRANT TRIGGER ON d.t TO '{{name}}'", "TRIGGER"],
    ["GRANT Event ON d.* TO '{{name}}'", "EVENT"],
    ["GRANT SELECT (`on`), TRIGGER ON d.t TO '{{name}}'", "TRIGGER"],
    ["GRANT SELECT, -- on\n TRIGGER ON d.t TO '{{name}}'", "TRIGGER"],
    ["GRANT ALL ON d.* TO '{{name}}'", "ALL"],
    ["GRANT ALL PRIVILEGES ON d.* TO '{{name}}'", "ALL"],
    [JSON.stringify(["GRANT TRIGGER ON d.t TO '{{name}}'"]), "TRIGGER"],
  ])("that lets users define what fails without them is refused: %s", (statement, privilege) => {
    expect(mysql(statement)).toThrow(
      new RegExp(`grant ${privilege}\\. .*fail for everybody.*allowDefiners`, "s"),
    );
    const all = ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", statement];
    expect(() => checkMysqlStatements("r", "creation", all, { definers: true })).not.toThrow();
    expect(() => checkMysqlStatements("r", "creation", all, true)).not.toThrow();
  });

  test.each([
    "GRANT SELECT, SHOW VIEW, ALTER ROUTINE, EXECUTE, CREATE, CREATE TEMPORARY TABLES ON d.* TO '{{name}}'",
    "GRANT SELECT (event, `trigger`) ON d.t TO '{{name}}'",
    "GRANT SELECT ON d.event TO '{{name}}'",
    "GRANT `all` TO '{{name}}'",
  ])("that does not is taken: %s", (statement) => expect(mysql(statement)).not.toThrow());

  test.each([
    ["GRANT CREATE USER ON *.* TO '{{name}}'", "CREATE USER"],
    ["GRANT SELECT, File ON *.* TO '{{name}}'", "FILE"],
    ["GRANT RELOAD ON *.* TO '{{name}}'", "RELOAD"],
    ["GRANT SHUTDOWN ON *.* TO '{{name}}'", "SHUTDOWN"],
    ["GRANT process ON *.* TO '{{name}}'", "PROCESS"],
    ["GRANT REPLICATION\n SLAVE ON *.* TO '{{name}}'", "REPLICATION SLAVE"],
    ["GRANT REPLICATION SLAVE ADMIN ON *.* TO '{{name}}'", "REPLICATION SLAVE ADMIN"],
    ["GRANT REPLICATION CLIENT ON *.* TO '{{name}}'", "REPLICATION CLIENT"],
    ["GRANT BINLOG MONITOR ON *.* TO '{{name}}'", "BINLOG MONITOR"],
    ["GRANT CONNECTION ADMIN ON *.* TO '{{name}}'", "CONNECTION ADMIN"],
    ["GRANT READ_ONLY ADMIN ON *.* TO '{{name}}'", "READ ONLY ADMIN"],
    ["GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO '{{name}}'", "SYSTEM VARIABLES ADMIN"],
    ["GRANT SET USER ON *.* TO '{{name}}'", "SET USER"],
    ["GRANT GRANT OPTION ON d.* TO '{{name}}'", "GRANT OPTION"],
    ["GRANT PROXY ON 'root'@'localhost' TO '{{name}}'", "PROXY"],
    ["GRANT/**/FILE/* ON */ON*.*TO '{{name}}'", "FILE"],
    ["GRANT /*!50000 FILE */ ON *.* TO '{{name}}'", "FILE"],
    [JSON.stringify(["GRANT FILE ON *.* TO '{{name}}'"]), "FILE"],
    ["GRANT UPDATE ON *.* TO '{{name}}'", "UPDATE"],
    ["GRANT SELECT (`to`), FILE ON *.* TO '{{name}}'", "FILE"],
    ["GRANT USAGE (`to`), FILE ON *.* TO '{{name}}'", "FILE"],
    ["GRANT SELECT (`to`), UPDATE (`x`) ON `mysql`.`user` TO '{{name}}'", "UPDATE"],
    ["GRANT UPDATE (`on`) ON `mysql`.`user` TO '{{name}}'", "UPDATE"],
    ["GRANT USAGE, -- to\n FILE ON *.* TO '{{name}}'", "FILE"],
    ["GRANT USAGE, # to\n FILE ON *.* TO '{{name}}'", "FILE"],
    ["GRANT USAGE, /* to */ FILE ON *.* TO '{{name}}'", "FILE"],
    ["GRANT USAGE /* ' */, FILE /* ' */ ON *.* TO '{{name}}'", "FILE"],
    ["-- /*\nGRANT FILE ON *.* TO '{{name}}'; -- */ x", "FILE"],
    ["# /*\nGRANT FILE ON *.* TO '{{name}}'; # */ x", "FILE"],
    ["SELECT '/*'; GRANT FILE ON *.* TO '{{name}}'; SELECT '*/'", "FILE"],
    ["SELECT `/*`; GRANT FILE ON *.* TO '{{name}}'; SELECT '*/'", "FILE"],
    ["EXECUTE IMMEDIATE 'GRANT FILE ON *.* TO ''{{name}}'''", "FILE"],
    ["USE mysql; GRANT UPDATE ON * TO '{{name}}'", "UPDATE"],
    ["USE `mysql`; GRANT UPDATE ON global_priv TO '{{name}}'", "UPDATE"],
    ["GRANT SELECT ON *.* TO '{{name}}'", "SELECT"],
    ["GRANT SELECT ON `%`.* TO '{{name}}'", "SELECT"],
    ["GRANT SELECT ON mysql.* TO '{{name}}'", "SELECT"],
    ["GRANT SELECT (Host) ON mysql.global_priv TO '{{name}}'", "SELECT"],
    ["GRANT EXECUTE ON *.* TO '{{name}}'", "EXECUTE"],
    ["GRANT ALTER ROUTINE ON *.* TO '{{name}}'", "ALTER ROUTINE"],
    [`GRANT UPDATE ON "mysql".* TO '{{name}}'`, "UPDATE"],
    ["GRANT SELECT, INSERT ON mysql.* TO '{{name}}'", "INSERT"],
    ["GRANT DELETE ON TABLE `MySQL`.`global_priv` TO '{{name}}'", "DELETE"],
    ["GRANT UPDATE (Priv) ON mysql . global_priv TO '{{name}}'", "UPDATE"],
    ["GRANT CREATE ON `%`.* TO '{{name}}'", "CREATE"],
    ["GRANT DROP ON `m_sql`.* TO '{{name}}'", "DROP"],
  ])("that lets users reach beyond their databases is refused: %s", (statement, privilege) => {
    expect(mysql(statement)).toThrow(
      new RegExp(`grant ${privilege}, by which a user reaches beyond its databases\\..*allowSuperuser`, "s"),
    );
    const all = ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", statement];
    expect(() => checkMysqlStatements("r", "creation", all, { definers: true })).toThrow(/beyond/);
    expect(() => checkMysqlStatements("r", "creation", all, { superuser: true })).not.toThrow();
  });

  test.each([
    ["GRANT SELECT ON my_db.* TO '{{name}}'", "my_db", "`my\\_db`"],
    ["GRANT SELECT ON `my_db`.* TO '{{name}}'", "my_db", "`my\\_db`"],
    ["GRANT SELECT ON \"my_db\".* TO '{{name}}'", "my_db", "`my\\_db`"],
    ["GRANT SELECT ON TABLE my_db . * TO '{{name}}'", "my_db", "`my\\_db`"],
    ["grant select, insert on/**/my_db.*\nto '{{name}}'", "my_db", "`my\\_db`"],
    ["GRANT SELECT ON `a``b_c`.* TO '{{name}}'", "a`b_c", "`a``b\\_c`"],
    ["GRANT SELECT ON `shop%`.* TO '{{name}}'", "shop%", "`shop\\%`"],
    ["GRANT SELECT ON `my\\_d_b`.* TO '{{name}}'", "my\\_d_b", "`my\\_d\\_b`"],
    ["GRANT SELECT ON `my\\\\_db`.* TO '{{name}}'", "my\\\\_db", "`my\\\\\\_db`"],
    ["GRANT SELECT ON a.* TO '{{name}}'; GRANT SELECT ON b_c.* TO '{{name}}'", "b_c", "`b\\_c`"],
    [JSON.stringify(["GRANT SELECT ON `my_db`.* TO '{{name}}'"]), "my_db", "`my\\_db`"],
  ])("that grants on whatever database is like a name is refused: %s", (statement, database, escaped) => {
    expect(mysql(statement)).toThrow(`grant on the database ${JSON.stringify(database)}, in which`);
    expect(mysql(statement)).toThrow(`Write ${escaped}, with the backslash doubled`);
    const all = ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", statement];
    expect(() => checkMysqlStatements("r", "creation", all, { definers: true })).toThrow(
      /allowDatabasePatterns/,
    );
    expect(() => checkMysqlStatements("r", "creation", all, { patterns: true })).not.toThrow();
    expect(() => checkMysqlStatements("r", "creation", all, { superuser: true })).not.toThrow();
  });

  test.each([
    "GRANT SELECT ON `my\\_db`.* TO '{{name}}'",
    JSON.stringify(["GRANT SELECT ON `my\\_db`.* TO '{{name}}'"]),
    "GRANT SELECT ON `50\\%`.* TO '{{name}}'",
    "GRANT SELECT ON my_db.a_b TO '{{name}}'@'%'",
    "GRANT EXECUTE ON PROCEDURE my_db.p TO '{{name}}'",
    "GRANT SELECT ON orders_items TO '{{name}}'",
    "GRANT SELECT ON shop.* TO '{{name}}'@'10.0.0.%'",
    "GRANT SELECT (a_b) ON shop.t TO '{{name}}'; SELECT a_b.* FROM a_b",
    "GRANT a_role TO '{{name}}'",
  ])("that grants on databases by their names is taken: %s", (statement) =>
    expect(mysql(statement)).not.toThrow(),
  );

  test.each([
    "GRANT SELECT ON d.* TO '{{name}}' WITH GRANT OPTION",
    "GRANT r TO '{{name}}' WITH ADMIN OPTION",
  ])("that gives what can be handed on is refused: %s", (statement) =>
    expect(mysql(statement)).toThrow(/rights that can be handed on/),
  );

  test.each([
    "GRANT USAGE, SHOW DATABASES, LOCK TABLES ON *.* TO '{{name}}'",
    "GRANT SELECT (file, `process`), UPDATE (shutdown) ON d.file TO '{{name}}'",
    "GRANT INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON `d\\_1`.* TO '{{name}}'",
    "GRANT SELECT ON mysql.time_zone TO '{{name}}'",
    "GRANT UPDATE ON `mysql\\_copy`.* TO '{{name}}'",
    "GRANT UPDATE ON `my\\_sql`.* TO '{{name}}'",
    "GRANT UPDATE ON `m\\%`.* TO '{{name}}'",
    "GRANT UPDATE ON orders TO '{{name}}'",
    "GRANT `file` TO '{{name}}'",
    "GRANT file TO '{{name}}'; GRANT USAGE ON *.* TO '{{name}}'",
    "GRANT EXECUTE ON PROCEDURE d.process TO '{{name}}'",
  ])("that gives rights on databases alone is taken: %s", (statement) => {
    const all = ["CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'", statement];
    expect(() => checkMysqlStatements("r", "creation", all, { definers: true })).not.toThrow();
  });
});

describe("SQL that gives powers which no revocation is sure to end", () => {
  const POWERS: readonly (readonly [sql: string, name: string])[] = [
    [`ALTER ROLE "{{name}}" CREATEROLE`, "CREATEROLE"],
    [`ALTER ROLE "{{name}}" createrole`, "CREATEROLE"],
    [`ALTER ROLE "{{name}}" BYPASSRLS`, "BYPASSRLS"],
    [`ALTER ROLE "{{name}}" REPLICATION`, "REPLICATION"],
    [`GRANT pg_execute_server_program TO "{{name}}"`, "pg_execute_server_program"],
    [`GRANT "pg_read_server_files" TO "{{name}}"`, "pg_read_server_files"],
    [`GRANT app TO "{{name}}" WITH ADMIN OPTION`, "ADMIN OPTION"],
    [`GRANT app TO "{{name}}" WITH INHERIT TRUE, ADMIN TRUE`, "ADMIN OPTION"],
    [`GRANT app TO "{{name}}" WITH ADMIN/* x */OPTION`, "ADMIN OPTION"],
    [`CREATE ROLE helper ADMIN "{{name}}"`, "ADMIN OPTION"],
    [`CREATE GROUP helper NOLOGIN ADMIN joe, "{{name}}"`, "ADMIN OPTION"],
    [`GRANT SELECT ON ALL TABLES IN SCHEMA app TO "{{name}}"\n  WITH\n  GRANT OPTION`, "GRANT OPTION"],
    // What begins no comment, as it stands in quotes.
    [`SELECT '--'; ALTER ROLE "{{name}}" CREATEROLE`, "CREATEROLE"],
    [`SELECT '/*'; ALTER ROLE "{{name}}" CREATEROLE; SELECT '*/'`, "CREATEROLE"],
    [`SELECT $$--$$; GRANT app TO "{{name}}" WITH ADMIN OPTION`, "ADMIN OPTION"],
    [`ALTER ROLE "{{name}}--" BYPASSRLS`, "BYPASSRLS"],
    [`DO $$ BEGIN PERFORM '--'; ALTER ROLE "{{name}}" CREATEROLE; END $$`, "CREATEROLE"],
    [
      `DO $$ BEGIN PERFORM /* x */ 1; GRANT app TO "{{name}}" WITH ADMIN /* x */ OPTION; END $$`,
      "ADMIN OPTION",
    ],
  ];

  test.each(POWERS)("%s is refused unless it is allowed", (statement, name) => {
    const given = [NEEDED.creation, statement];
    expect(() => checkStatements("r", "creation", given)).toThrow(
      new RegExp(`creation statements of role "r" give ${name}: .*\\n.*allowSuperuser: true`),
    );
    expect(checkStatements("r", "creation", given, true)).toEqual(given);
  });

  test.each([
    `GRANT shop_manager TO "{{name}}"`,
    `GRANT reader, SHOP_manager TO "{{name}}" WITH INHERIT FALSE`,
    `GRANT "shop_manager" TO "{{name}}"`,
    `ALTER GROUP x ADD USER y; CREATE ROLE "{{name}}-b" IN ROLE reader, shop_manager`,
  ])("the engine's login as a role is refused unless it is allowed: %s", (statement) => {
    const given = [NEEDED.creation, statement];
    expect(() => checkStatements("r", "creation", given, false, "shop_manager")).toThrow(
      /give the engine's login shop_manager: .*\n.*allowSuperuser: true/,
    );
    expect(checkStatements("r", "creation", given, true, "shop_manager")).toEqual(given);
  });

  test.each([
    `GRANT "{{name}}" TO shop_manager`,
    `GRANT SELECT ON shop_manager TO "{{name}}"`,
    `GRANT shop_manager_readers, "SHOP_manager" TO "{{name}}"`,
    `COMMENT ON ROLE "{{name}}" IS 'made by shop_manager'`,
  ])("the engine's login is not handed out by %s", (statement) => {
    const given = [NEEDED.creation, statement];
    expect(checkStatements("r", "creation", given, false, "shop_manager")).toEqual(given);
  });

  test.each([
    [`-- DROP ROLE "{{name}}"`, "postgres"],
    [`SELECT 1; /* DROP ROLE "{{name}}" */`, "postgres"],
    ["SELECT 1 # DROP USER '{{name}}'", "mysql"],
  ])("a placeholder in a comment is none: %s", (statement, server) => {
    const check = server === "mysql" ? checkMysqlStatements : checkStatements;
    expect(() => check("r", "revocation", [statement])).toThrow(/revocation statements .* do not use/);
    expect(() => check("r", "revocation", [`${statement}\n; DROP ROLE '--' "{{name}}"`])).not.toThrow();
  });

  test.each(["renewal", "rotation", "root rotation"] as const)("is refused in %s statements", (kind) => {
    expect(postgres(kind, POWERS[0]![0])).toThrow(/ give CREATEROLE/);
  });

  test("may be taken away by a revocation", () => {
    for (const statement of [
      `ALTER ROLE "{{name}}" NOCREATEROLE`,
      `REVOKE pg_read_server_files FROM "{{name}}"`,
      `REVOKE ADMIN OPTION FOR app FROM "{{name}}"`,
    ]) {
      expect(postgres("revocation", statement)).not.toThrow();
    }
  });

  test.each([
    `ALTER ROLE "{{name}}" NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS`,
    `GRANT app TO "{{name}}" WITH INHERIT TRUE, SET FALSE, ADMIN FALSE`,
    `REVOKE ADMIN OPTION FOR app FROM "{{name}}"`,
    `GRANT app_admin, option TO "{{name}}"`,
    `SELECT 1 -- no CREATEROLE here`,
    `SELECT 1 /* no /* nested */ CREATEROLE here */`,
    `DO $$ BEGIN PERFORM 1; -- no CREATEROLE here\n END $$`,
    `DO $a$ BEGIN EXECUTE $b$ SELECT 1 /* no CREATEROLE here */ $b$; END $a$`,
  ])("%s is none of it", (statement) => expect(postgres("creation", statement)).not.toThrow());
});

describe("SQL with powers beyond the rights of a base role is warned of", () => {
  const CREATE = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;
  function warningsOf(sql: Pick<DynamicRoleOptions, "creationStatements" | "renewStatements">): string {
    const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "database");
    const manager = ManagerRole.fromName(stack, "Manager", "manager");
    const role = PostgresConnection.fromName(stack, "Shop", { engine, name: "shop", manager }).addDynamicRole(
      "r",
      { creationStatements: [CREATE], ...sql },
    );
    return role.node.metadata.map(({ data }) => String(data)).join("\n");
  }

  test("but the engine's own login as a role is refused", () => {
    expect(() => warningsOf({ creationStatements: [CREATE, 'GRANT manager TO "{{name}}"'] })).toThrow(
      /give the engine's login manager/,
    );
  });

  test.each([
    [`${CREATE} CREATEDB`, "CREATEDB"],
    [`${CREATE} createdb IN ROLE pg_read_all_data`, "CREATEDB, which makes databases .*; pg_read_all_data"],
    [`${CREATE}; GRANT pg_write_all_data TO "{{name}}"`, "pg_write_all_data"],
    [`${CREATE}; GRANT pg_signal_backend TO "{{name}}"`, "pg_signal_backend"],
    [`${CREATE} IN ROLE postgres`, "membership in postgres"],
    [`${CREATE}; GRANT app, "postgres" TO "{{name}}"`, "membership in postgres"],
  ])("%s", (statement, words) => {
    expect(warningsOf({ creationStatements: [statement] })).toMatch(
      new RegExp(`^The SQL of the role "r" gives ${words}`),
    );
  });

  test("in a word that only Terraform knows whole", () => {
    const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
    const rest = new TerraformVariable(stack, "rest", {}).stringValue;
    expect(warningsOf({ creationStatements: [`${CREATE} IN ROLE pg_signal_${rest}`] })).toContain(
      "gives pg_signal_backend",
    );
    expect(warningsOf({ creationStatements: [`${CREATE} IN ROLE ${rest}`] })).toBe("");
  });

  test("in renewals, too", () => {
    const renewal = `ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}' CREATEDB`;
    expect(warningsOf({ renewStatements: [renewal] })).toContain("gives CREATEDB");
  });

  test("and for static roles", () => {
    const stack = new TerraformStack(Testing.stubVersion(new App({ stackTraces: false })), "stack");
    const engine = DatabaseSecretsEngine.fromPath(stack, "Secrets", "database");
    const role = PostgresConnection.fromName(stack, "Shop", { engine, name: "shop" }).addStaticRole("r", {
      username: "legacy",
      grantAdmin: false,
      rotationStatements: [`ALTER ROLE "{{name}}" PASSWORD '{{password}}' CREATEDB`],
    });
    expect(role.node.metadata.map(({ data }) => String(data))).toEqual([
      expect.stringContaining("gives CREATEDB"),
    ]);
  });

  test.each([
    `${CREATE} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS INHERIT`,
    `${CREATE} IN ROLE app_reader; GRANT CONNECT ON DATABASE postgres TO "{{name}}"`,
    `${CREATE} IN ROLE postgres_exporter`,
    CREATE,
  ])("%s is none of these", (statement) => {
    expect(warningsOf({ creationStatements: [statement] })).toBe("");
  });
});
