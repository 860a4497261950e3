import fc from "fast-check";
import type { Connection } from "mysql2/promise";
import { mysqlCreation, mysqlRevocation, MysqlAccess, quoteMysqlIdentifier } from "../../lib";
import type { MariadbServer } from "../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { issue, revoke } from "../e2e/credential";
import { describeWithMariadb, loginOf, startMariadb, usersLike, verdictOf } from "../e2e/mariadb";
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
});
