import type { FaultTable } from "../fault-table";
import { FULL } from "../servers";
import { access, type RevocationFixture } from "./fixture";

/** What outlives a session, but for transactions. */
export function testRemains(fixture: RevocationFixture, table: FaultTable): void {
  const { root, revoke, read, readWith, login, deploy, expectGone, expectLocked } = fixture;

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
    const credential = await readWith("SELECT, UPDATE, DELETE, TRIGGER, CREATE VIEW, CREATE ROUTINE, EVENT");
    const client = await login(credential);
    await client.query(sql);
    await expect(revoke(credential)).rejects.toThrow(`needs another definer first: ${kind} shop.left_here`);
    await expectLocked(credential);
    await root("UPDATE shop.orders SET word = 'y'");
    await root("SELECT * FROM shop.orders");
    await root(`DROP ${kind === "routine" ? "PROCEDURE" : kind} shop.left_here`);
    await revoke(credential);
    await expectGone(credential);
  }

  table.fault(
    "a table is being made on MariaDB, say by `CREATE TABLE … AS SELECT`, when credentials are revoked",
    "those of users that can make no views and triggers are revoked; for others it fails within 10 s, with the account locked",
    "wait until the table is made, or end that session, and revoke again",
    async () => {
      await deploy({ access });
      const [reader, definer] = [await read(), await readWith("SELECT, TRIGGER")];
      const client = await login(definer);
      const other = await fixture.server.connect();
      const making = other.query("CREATE TABLE shop.slow AS SELECT SLEEP(60)").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      try {
        await revoke(reader);
        await expectGone(reader);
        if (FULL) await expect(revoke(definer)).rejects.toThrow(/max_statement_time .* views and triggers/);
      } finally {
        await root(`KILL ${String(other.threadId)}`);
        await making;
      }
      await revoke(definer);
      await expectGone(definer);
      client.destroy();
    },
  );

  table.fault(
    "a user of MariaDB has let another account in as itself by `GRANT PROXY`, and that one has a session",
    "the revocation drops the user, so that nobody comes in that way any more, and fails and names the session, which may act as the user",
    "end that session, or see that it acts as no other (`CURRENT_USER()`) and `REVOKE PROXY`, and revoke again",
    async () => {
      await root("CREATE USER helper@'%' IDENTIFIED BY 'helping-hand-1'");
      await deploy({ access });
      const credential = await read();
      const helper = await fixture.server.connectAs("helper", "helping-hand-1");
      const client = await login(credential);
      await client.query(`GRANT PROXY ON '${credential.username}'@'%' TO helper@'%'`);
      for (let attempt = 1; attempt <= 2; attempt++) {
        await expect(revoke(credential)).rejects.toThrow(/session \d+ of helper may act by GRANT PROXY as/);
        await expectGone(credential);
      }
      await helper.end();
      await revoke(credential);
    },
  );

  table.fault(
    "rows of `INSERT DELAYED` are not written yet on MariaDB when a credential is revoked",
    "the revocation waits for 1 s, and fails, for they may be of its user; the account is locked",
    "wait, or end the `Delayed insert` in the list of processes, and revoke again",
    async () => {
      await root("CREATE TABLE shop.notes (word text) ENGINE = MyISAM");
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      const other = await fixture.server.connect();
      // The first row starts the thread that writes them.
      await client.query("INSERT DELAYED INTO shop.notes VALUES ('written')");
      await other.query("LOCK TABLES shop.notes READ");
      await client.query("INSERT DELAYED INTO shop.notes VALUES ('late')");
      await expect(revoke(credential)).rejects.toThrow(/INSERT DELAYED .* not written yet/);
      await expectLocked(credential);
      await other.end();
      await revoke(credential);
      await expectGone(credential);
      expect(await root("SELECT word FROM shop.notes")).toEqual(["written", "late"]);
    },
  );
}
