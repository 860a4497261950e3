import type { Connection } from "mysql2/promise";
import { loginOf, sessionsOf, verdictOf } from "../../e2e/mariadb";
import { testInFull, type FaultTable } from "../fault-table";
import { FULL } from "../servers";
import { access, MANAGER, OWN, RevocationFixture } from "./fixture";
import { ProtocolClient } from "./protocol-client";

/** Sessions that are there when their credential is revoked. */
export function testSessions(fixture: RevocationFixture, table: FaultTable): void {
  const { vault, revoke, root, read, readWith, login, deploy, expectGone } = fixture;

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
      const other = await fixture.server.connect();
      await other.query("SELECT GET_LOCK('taken', 1)");
      const credential = await readWith("SELECT, UPDATE, LOCK TABLES");
      const client = await login(credential);
      await act(client);
      const begun = Date.now();
      await revoke(credential);
      expect(Date.now() - begun).toBeLessThan(10_000);
      await expectGone(credential);
      client.destroy();
      await other.end();
      await root("UPDATE shop.orders SET word = 'free'");
    });

    test("logs in slowly: is not let in afterwards", async () => {
      await deploy({ access, requireTls: false });
      const credential = await read();
      const { client, finish } = await ProtocolClient.begin(fixture.server, credential);
      await revoke(credential);
      expect(await finish()).not.toBe("in");
      client.end();
      await expectGone(credential);
    });

    // MariaDB lists it under the name that it asks for, and gives it its own back where the password is wrong.
    test.each(["nobody", "root"])("becomes %s slowly: ends", async (other) => {
      await deploy({ access, requireTls: false });
      const credential = await read();
      const { client, finish } = await ProtocolClient.begin(fixture.server, credential, "shop");
      expect(await finish()).toBe("in");
      const fail = await client.beginChangeOfUser(other);
      expect(await sessionsOf(fixture.server, credential.username)).toBe(0);
      await revoke(credential);
      expect(await fail()).toBe("closed");
      expect(await client.does("UPDATE orders SET word = 'late'")).toBe(false);
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
      await revoke(credential);
      await expectGone(credential);
    });

    test(`is one of ${FULL ? 140 : 30}: all end`, async () => {
      await deploy({ access });
      const credential = await read();
      const clients = await Promise.all(Array.from({ length: FULL ? 140 : 30 }, () => login(credential)));
      await revoke(credential);
      for (const client of clients) expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
      await expectGone(credential);
    });
  });

  describe("that runs a trigger of another definer", () => {
    beforeAll(async () => {
      await root("CREATE TABLE shop.log (word text)");
      await root("CREATE USER owner@'%'");
      await root("CREATE USER owner@localhost");
      await root("CREATE ROLE owners");
      for (const user of ["owner@'%'", "owner@localhost", "owners"]) {
        await root(`GRANT ALL ON shop.* TO ${user}`);
      }
    });

    table.fault(
      "a session on MariaDB runs a trigger or routine of another definer when a credential is revoked",
      "the revocation waits for 2.5 s, and fails, for the session may be of its user; the account is locked",
      "wait, or end the session that the message names, and revoke again",
      async () => {
        for (const definer of FULL
          ? ["owner@'%'", "owner@'10.%'", "owner@localhost", "owners"]
          : ["owner@'10.%'"]) {
          await failsFor(definer);
        }
      },
    );

    async function failsFor(definer: string): Promise<void> {
      const { credential, client, running, release } = await inTrigger(definer);
      await expect(revoke(credential)).rejects.toThrow(/runs a trigger or routine of another definer/);
      await release();
      await running;
      await revoke(credential);
      expect(await verdictOf(client, "UPDATE orders SET word = 'late'")).not.toBe("ok");
      await expectGone(credential);
    }

    /** A session that waits in a trigger for a lock of another. */
    async function inTrigger(definer: string) {
      await trigger(definer, "GET_LOCK('taken', 60)");
      const other = await fixture.server.connect();
      await other.query("SELECT GET_LOCK('taken', 1)");
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      await client.query("USE shop");
      const running = verdictOf(client, "INSERT INTO log VALUES ('x')");
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { credential, client, running, release: () => other.end() };
    }

    const trigger = (definer: string, word: string) =>
      root(`CREATE OR REPLACE DEFINER = ${definer} TRIGGER shop.waits BEFORE INSERT ON shop.log
        FOR EACH ROW SET NEW.word = ${word}`);

    test("ends if it was seen before", async () => {
      await trigger("owner@'%'", "GET_LOCK('taken', 60)");
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      await client.query("START TRANSACTION");
      await client.query("UPDATE shop.orders SET word = 'z' WHERE id = 2");
      const other = await fixture.server.connect();
      await other.query("SELECT GET_LOCK('taken', 1)");
      await other.query("LOCK TABLES mysql.global_priv READ");
      const revoked = revoke(credential);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const running = verdictOf(client, "INSERT INTO shop.log VALUES ('x')");
      await new Promise((resolve) => setTimeout(resolve, 100));
      await other.query("UNLOCK TABLES");
      await revoked;
      expect(await running).not.toBe("ok");
      await other.end();
      await expectGone(credential);
    });

    testInFull(
      "is not taken for one of a client of the same machine, where the server resolves names",
      async () => {
        const resolving = new RevocationFixture();
        await resolving.start({ resolvesNames: true });
        try {
          const client = await resolving.server.connect();
          const running = client.query("SELECT SLEEP(10)").catch(() => undefined);
          await resolving.deploy({ access });
          const credential = await resolving.read();
          const hosts = await resolving.root(
            "SELECT HOST FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'",
          );
          expect(hosts).toEqual([expect.stringMatching(/^localhost:\d+$/)]);
          await resolving.revoke(credential);
          await resolving.expectGone(credential);
          client.destroy();
          await running;
        } finally {
          await resolving.stop();
        }
      },
    );

    table.fault(
      "an event of the user's on MariaDB, dropped while it runs, is in a routine of another definer when the user is revoked",
      "the revocation waits for 2.5 s, and fails, for that thread may be of its user; the account is locked",
      "end the thread that the message names (`KILL`), and revoke again",
      async () => {
        await root("SET GLOBAL event_scheduler = ON");
        await root(`CREATE OR REPLACE DEFINER = owner@'%' PROCEDURE shop.rests() DO SLEEP(30)`);
        const credential = await readWith("SELECT, UPDATE, EVENT, EXECUTE");
        const client = await login(credential);
        await client.query("USE shop");
        await client.query(`CREATE EVENT late ON SCHEDULE AT CURRENT_TIMESTAMP DO BEGIN
          CALL rests(); UPDATE orders SET word = 'late'; END`);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await client.query("DROP EVENT IF EXISTS late");
        const [thread] = await root(
          "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'owner' AND COMMAND = 'Connect'",
        );
        expect(thread).toBeDefined();
        await expect(revoke(credential)).rejects.toThrow(
          new RegExp(`session ${String(thread)} runs a trigger`),
        );
        await root(`KILL ${String(thread)}`);
        await root("SET GLOBAL event_scheduler = OFF");
        await revoke(credential);
        await expectGone(credential);
      },
    );

    testInFull("is no reason to fail if it is another's and comes and goes, or an event", async () => {
      await trigger("owner@'%'", "SLEEP(0.005)");
      await root("SET GLOBAL event_scheduler = ON");
      await root(
        `CREATE DEFINER = owner@'%' EVENT shop.runs ON SCHEDULE AT CURRENT_TIMESTAMP DO DO SLEEP(30)`,
      );
      const others = await Promise.all([1, 2, 3].map(() => fixture.server.connect()));
      let goes = true;
      const inserting = others.map(async (other) => {
        while (goes) await other.query("INSERT INTO shop.log VALUES ('x')");
        await other.end();
      });
      expect(await sessionsOf(fixture.server, "owner")).toBeGreaterThan(0);
      await deploy({ access });
      for (let round = 0; round < 3; round++) {
        const credential = await read();
        await login(credential);
        await revoke(credential);
        await expectGone(credential);
      }
      expect(
        await root("SELECT COMMAND FROM information_schema.PROCESSLIST WHERE INFO = 'DO SLEEP(30)'"),
      ).toEqual(["Connect"]);
      goes = false;
      await Promise.all(inserting);
      await root("SET GLOBAL event_scheduler = OFF");
      await root("KILL USER owner");
    });
  });

  table.fault(
    "MariaDB is `read_only` when a credential is revoked, as after a failover",
    "the revocation fails at once; sessions that changed nothing have ended, and the login goes on, and reads",
    "lead the connection to the primary, or let the engine's login write (`READ_ONLY ADMIN`), and revoke again",
    async () => {
      await deploy({ access });
      const credential = await read();
      await root("SET GLOBAL read_only = ON");
      try {
        await expect(revoke(credential)).rejects.toThrow(/read-only/);
        expect(await loginOf(fixture.server, credential.username, credential.password)).toBe("ok");
        await root(`GRANT READ_ONLY ADMIN ON *.* TO ${MANAGER}`);
        // A session keeps the rights of its beginning.
        await fixture.configure("c");
        await revoke(credential);
        await expectGone(credential);
      } finally {
        await root("SET GLOBAL read_only = OFF");
        await root(`REVOKE READ_ONLY ADMIN ON *.* FROM ${MANAGER}`);
        await fixture.configure("c");
      }
    },
    testInFull,
  );

  table.fault(
    "somebody holds the global read lock of MariaDB when a credential is revoked",
    "the revocation fails within 10 s; the credential goes on until it succeeds",
    "release the lock; then revoke again, or wait where the engine tries again",
    async () => {
      await deploy({ access });
      const credential = await read();
      const other = await fixture.server.connect();
      await other.query("FLUSH TABLES WITH READ LOCK");
      const begun = Date.now();
      await expect(revoke(credential)).rejects.toThrow(/max_statement_time/);
      expect(Date.now() - begun).toBeLessThan(10_000);
      await other.end();
      await revoke(credential);
      await expectGone(credential);
    },
    testInFull,
  );
}

function socketOf(client: Connection) {
  return (client as unknown as { connection: { stream: { pause(): void } } }).connection.stream;
}
