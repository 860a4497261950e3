import * as path from "node:path";
import { LocalBackend, TerraformStack } from "cdktf";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Connection } from "mysql2/promise";
import {
  DatabaseSecretsEngine,
  MysqlAccess,
  WriteOnlySecret,
  type MysqlConnection,
  type MysqlConnectionOptions,
} from "../../lib";
import type { MariadbServer } from "../../sandbox/mariadb-server";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { announce } from "./announce";
import { issue, revoke, type Credential } from "./credential";
import {
  asRoot,
  describeWithMariadb,
  loginOf,
  procedureForMysql,
  sessionsOf,
  startMariadb,
  usersLike,
  verdictOf,
} from "./mariadb";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

const ENGINE = "mysql/database";
const CLIENTS = 24;

describeWithMariadb("credentials of MariaDB", () => {
  let sandbox: Sandbox;
  let mariadb: MariadbServer;
  let workspace: Workspace;

  beforeAll(async () => {
    sandbox = await startSandbox({ onProgress: announce });
    mariadb = await startMariadb(sandbox);
    await mariadb.run(procedureForMysql());
    await mariadb.run(`
      CREATE DATABASE my_db; CREATE DATABASE myxdb;
      CREATE TABLE my_db.words (word text); CREATE TABLE myxdb.words (word text); CREATE TABLE echo.words (word text);
      GRANT SELECT, INSERT, UPDATE, DELETE ON \`my\\_db\`.* TO credentials_manager@\`%\` WITH GRANT OPTION;
      GRANT SELECT ON echo.words TO credentials_manager@\`%\` WITH GRANT OPTION;`);
    workspace = new Workspace(sandbox, "mysql", (scope) => {
      const stack = new TerraformStack(scope, "mysql");
      new VaultProvider(stack, "VaultProvider", { address: sandbox.vault.address });
      const engine = new DatabaseSecretsEngine(stack, "Secrets", { path: ENGINE });
      const password = WriteOnlySecret.fromVariable(stack, "manager_password");
      const connection = (name: string, options: Partial<MysqlConnectionOptions>): MysqlConnection =>
        engine.addMysqlConnection(name, {
          server: "mariadb",
          endpoint: { host: mariadb.host, port: mariadb.port, caCertificate: mariadb.caCertificate },
          username: "credentials_manager",
          password,
          ...options,
        });
      const maria = connection("maria", {});
      const mysql = connection("mysql", { server: "mysql" });
      const named = connection("named", {
        usernameTemplate: `{{ printf "app-%s" (random 60) | truncate 64 }}`,
      });
      const access = MysqlAccess.readOnly({ databases: ["echo"] });
      maria.addDynamicRole("reader", { access });
      maria.addDynamicRole("writer", { access: MysqlAccess.readWrite({ databases: ["my_db"] }) });
      maria.addDynamicRole("table", {
        access: MysqlAccess.custom([{ database: "echo", table: "words", privileges: ["SELECT"] }]),
      });
      maria.addDynamicRole("elsewhere", { access, host: "192.0.2.%" });
      maria.addDynamicRole("plain", { access, requireTls: false });
      maria.addDynamicRole("beyond", { access: MysqlAccess.readWrite({ databases: ["echo"] }) });
      mysql.addDynamicRole("procedure", { access });
      named.addDynamicRole("long", { access });
      new LocalBackend(stack, { path: path.join(workspace.directory, "terraform.tfstate") });
      return stack;
    });
    await workspace.apply();
  });
  afterAll(() => sandbox?.stop());

  const read = (role: string) => issue(sandbox, `${ENGINE}/creds/${role}`);
  const session = ({ username, password }: Credential): Promise<Connection> =>
    mariadb.connectAs(username, password);

  /** Clients that connect again and again, and stay at work or idle, as pools do. */
  function storm({ username, password }: Credential) {
    let running = true;
    const open = new Set<Connection>();
    const clients = Array.from({ length: CLIENTS }, async (_, number) => {
      while (running) {
        try {
          const connection = await mariadb.connectAs(username, password);
          open.add(connection);
          for (let query = 0; running && query < (number % 2 === 0 ? 5 : 5_000); query++) {
            await connection.query("SELECT COUNT(*) FROM echo.words");
          }
          open.delete(connection);
          connection.destroy();
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
      open.forEach((connection) => connection.destroy());
    });
    return async () => {
      running = false;
      // A client that is cut off while it logs in may wait for its timeout.
      await Promise.race([Promise.all(clients), new Promise((resolve) => setTimeout(resolve, 1000))]);
    };
  }

  test.each(["reader", "procedure"])(
    "a revocation of %s leaves no session of clients that reconnect in a loop",
    async (role) => {
      const credential = await read(role);
      const stop = storm(credential);
      while ((await sessionsOf(mariadb, credential.username)) < CLIENTS / 2) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await revoke(sandbox, credential);
      expect(await sessionsOf(mariadb, credential.username)).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await sessionsOf(mariadb, credential.username)).toBe(0);
      expect(await usersLike(mariadb, credential.username)).toEqual([]);
      await stop();
    },
  );

  test.each(["reader", "procedure"])(
    "an open transaction of %s is not committed after its end",
    async (role) => {
      const credential = await read(role);
      const connection = await session(credential);
      await connection.query("START TRANSACTION");
      await revoke(sandbox, credential);
      expect(await verdictOf(connection, "COMMIT")).not.toBe("ok");
    },
  );

  test.each(["reader", "procedure"])(
    "a user of %s that is gone already does not fail a revocation",
    async (role) => {
      const credential = await read(role);
      await asRoot(mariadb, `DROP USER '${credential.username}'@'%'`);
      await revoke(sandbox, credential);
      expect(await sandbox.vault.client().list(`sys/leases/lookup/${ENGINE}/creds/${role}`)).toEqual([]);
    },
  );

  test("the procedure ends the sessions of dropped users only", async () => {
    const credential = await read("reader");
    const connection = await session(credential);
    const manager = await mariadb.connectAs("credentials_manager", sandbox.managerPassword);
    expect(await verdictOf(manager, `CALL credentials.end_sessions('${credential.username}')`)).toBe(
      "ER_SIGNAL_EXCEPTION",
    );
    expect(await verdictOf(connection, "SELECT 1")).toBe("ok");
    await manager.end();
    await connection.end();
    await revoke(sandbox, credential);
  });

  test("a read-write credential changes rows of its database, and of none whose name is like it", async () => {
    const connection = await session(await read("writer"));
    expect(await verdictOf(connection, "INSERT INTO my_db.words VALUES ('x')")).toBe("ok");
    expect(await verdictOf(connection, "UPDATE my_db.words SET word = 'y'")).toBe("ok");
    expect(await verdictOf(connection, "DELETE FROM my_db.words")).toBe("ok");
    expect(await verdictOf(connection, "DROP TABLE my_db.words")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    expect(await verdictOf(connection, "SELECT * FROM myxdb.words")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    await asRoot(mariadb, "CREATE TABLE IF NOT EXISTS my_db.later (word text)");
    expect(await verdictOf(connection, "INSERT INTO my_db.later VALUES ('x')")).toBe("ok");
    await connection.end();
  });

  test("a credential of one table reads that table", async () => {
    await asRoot(mariadb, "CREATE TABLE IF NOT EXISTS echo.others (word text)");
    const connection = await session(await read("table"));
    expect(await verdictOf(connection, "SELECT * FROM echo.words")).toBe("ok");
    expect(await verdictOf(connection, "SELECT * FROM echo.others")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    await connection.end();
  });

  test("a credential logs in over TLS only, unless its role says otherwise, and from its host only", async () => {
    const tls = async (role: string) => {
      const { username } = await read(role);
      return asRoot(mariadb, `SELECT ssl_type FROM mysql.user WHERE user = '${username}'`);
    };
    expect(await tls("reader")).toEqual(["ANY"]);
    expect(await tls("plain")).toEqual([""]);
    const { username, password } = await read("elsewhere");
    expect(await loginOf(mariadb, username, password)).toBe("ER_ACCESS_DENIED_ERROR");
    expect(await asRoot(mariadb, `SELECT host FROM mysql.user WHERE user = '${username}'`)).toEqual([
      "192.0.2.%",
    ]);
  });

  test("names are of 32 characters at most, or as long as their template says", async () => {
    expect((await read("reader")).username).toMatch(/^v-.{1,30}$/);
    const long = await read("long");
    expect(long.username).toMatch(/^app-.{60}$/);
    await (await session(long)).end();
    await revoke(sandbox, long);
    expect(await usersLike(mariadb, "app-%")).toEqual([]);
  });

  test("a credential that the engine's login may not hand out is refused, and no user is left", async () => {
    const before = await usersLike(mariadb, "v-%");
    await expect(read("beyond")).rejects.toThrow(/Access denied for user 'credentials_manager'/);
    expect(await usersLike(mariadb, "v-%")).toEqual(before);
  });

  test("a deployment stays without a difference, and all users go with their leases", async () => {
    expect(await workspace.plan()).toEqual([]);
    await sandbox.vault.client().write(`sys/leases/revoke-prefix/${ENGINE}/creds`, { sync: true });
    expect(await usersLike(mariadb, "v-%")).toEqual([]);
    await workspace.destroy();
  });
});
