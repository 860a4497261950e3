import { MysqlAccess } from "../../../lib";
import { issue } from "../../e2e/credential";
import { usersLike, verdictOf } from "../../e2e/mariadb";
import type { FaultTable } from "../fault-table";
import { FULL } from "../servers";
import { access, MANAGER, OWN, type RevocationFixture } from "./fixture";

/** Creation and revocation, whatever the names and the server's settings. */
export function testNamesAndModes(fixture: RevocationFixture, table: FaultTable): void {
  const { vault, revoke, root, read, login, configure, deploy, expectGone } = fixture;

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

  table.fault(
    "somebody takes the global read lock of MariaDB while a credential is being issued",
    "the request fails within 5 s, and names the locked account that is left",
    "release the lock, and drop the account",
    async () => {
      const tables = Array.from({ length: 60 }, (_, index) => `many${index}`);
      await fixture.server.run(tables.map((table) => `CREATE TABLE shop.${table} (x int);`).join("\n"));
      const grants = tables.map((table) => ({ database: "shop", table, privileges: ["SELECT"] }));
      await deploy({ access: MysqlAccess.custom(grants) });
      const other = await fixture.server.connect();
      const counted = async () => {
        const [rows] = await other.query<never>("SELECT COUNT(*) AS users FROM mysql.user");
        return (rows as { users: number }[])[0]!.users;
      };
      const before = await counted();
      const begun = Date.now();
      const refused = expect(read()).rejects.toThrow(/DROP what is left of it, a locked v-\S+-r-/);
      while ((await counted()) === before);
      await other.query("FLUSH TABLES WITH READ LOCK");
      await refused;
      expect(Date.now() - begun).toBeLessThan(5_000);
      await other.end();
      const left = await usersLike(fixture.server, "v-%-r-%");
      expect(left).toHaveLength(1);
      expect(await root(`SHOW CREATE USER '${String(left[0])}'`)).toEqual([
        expect.stringMatching(/ACCOUNT LOCK/),
      ]);
      await root(`DROP USER '${String(left[0])}'`);
      await fixture.server.run(tables.map((table) => `DROP TABLE shop.${table};`).join("\n"));
    },
  );

  test("the portable creation leaves a user that is locked", async () => {
    await deploy({ access: MysqlAccess.readOnly({ databases: ["closed"] }) }, { server: "mysql" });
    await expect(read()).rejects.toThrow(/Access denied for user 'credentials_manager'/);
    const [left] = await usersLike(fixture.server, "v-%-r-%");
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
          await revoke(credential);
          expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
          await expectGone(credential);
        }
        await vault().write("m/rotate-root/c", {});
        await deploy({ access });
        await revoke(await read());
      } finally {
        await root(`SET GLOBAL sql_mode = '${String(usual)}'`);
        await root(`ALTER USER ${MANAGER}@'%' IDENTIFIED BY '${fixture.sandbox.managerPassword}'`);
        await configure("c");
      }
    },
  );

  test.each([
    ["max_error_count", "0"],
    ["completion_type", "'CHAIN'"],
    ["completion_type", "'RELEASE'"],
    ["autocommit", "0"],
  ])("a server with %s = %s is no reason to refuse", async (setting, value) => {
    const [usual] = await root(`SELECT @@GLOBAL.${setting}`);
    try {
      await root(`SET GLOBAL ${setting} = ${value}`);
      await configure("c");
      await deploy({ access });
      const credential = await read();
      await revoke(credential);
      await expectGone(credential);
    } finally {
      await root(`SET GLOBAL ${setting} = ${typeof usual === "string" ? `'${usual}'` : String(usual)}`);
      await configure("c");
    }
  });

  test("a session gets its own mode back, for SQL of the user's own", async () => {
    await deploy({ access });
    await revoke(await read());
    await vault().write("m/roles/own", {
      db_name: "c",
      creation_statements: [...OWN, "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @@SESSION.sql_mode"],
    });
    await expect(issue(fixture.sandbox, "m/creds/own")).rejects.toThrow(/STRICT_TRANS_TABLES/);
    await root("DROP USER IF EXISTS 'x'");
  });

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
    await revoke(credential);
    await expectGone(credential);
    await configure("c");
  });
}
