import type { Connection } from "mysql2/promise";
import type { Credential } from "../../e2e/credential";
import { testInFull, type FaultTable } from "../fault-table";
import { FULL } from "../servers";
import { access, PREPARED_TRANSACTIONS, type RevocationFixture } from "./fixture";

const ROUNDS = 30;

/** For so long INNODB_TRX may show what was before, since it is a copy. */
const COPY_MS = 300;

/** Transactions that are prepared in two phases. */
export function testPreparedTransactions(fixture: RevocationFixture, table: FaultTable): void {
  const { root, revoke, read, readWith, login, deploy, expectGone, expectLocked } = fixture;

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
        await expect(revoke(credential)).rejects.toThrow(/prepared transactions \(XA RECOVER\)/);
        await expectLocked(credential);
      }
      await rollBackAsDocumented();
      await revoke(credential);
      await expectGone(credential);
    },
  );

  table.fault(
    "`INNODB_TRX` of MariaDB is read all the time when a credential is revoked, so it shows nothing new",
    "the revocation fails and says so; the account is locked and its sessions end",
    "let it be read less often than each 0.2 s, and revoke again",
    async () => {
      await deploy({ access });
      const credential = await read();
      // One alone may be too slow on a machine that is busy.
      const others = await Promise.all([1, 2, 3, 4].map(() => fixture.server.connect()));
      let reads = true;
      const reading = others.map(async (other) => {
        while (reads) {
          await other.query("SELECT COUNT(*) FROM information_schema.INNODB_TRX");
          await pause(5);
        }
        await other.end();
      });
      try {
        await pause(200);
        // It is not in what they see.
        await prepare(await login(credential));
        await expect(revoke(credential)).rejects.toThrow(/others read INNODB_TRX all the time/);
        await expectLocked(credential);
      } finally {
        reads = false;
        await Promise.all(reading);
      }
      await expect(revoke(credential)).rejects.toThrow(/prepared transactions/);
      await rollBackAsDocumented();
      await revoke(credential);
      await expectGone(credential);
    },
    testInFull,
  );

  testInFull(
    `sessions that prepare and end transactions all the time leave none behind, ${ROUNDS} times`,
    async () => {
      await deploy({ access });
      for (let round = 0; round < ROUNDS; round++) {
        const credential = await read();
        const loops = await Promise.all([1, 2].map((id) => prepareAllTheTime(credential, id)));
        await pause(100);
        const succeeded = await revoke(credential).then(
          () => true,
          () => false,
        );
        await Promise.all(loops.map(({ ended }) => ended));
        const left = await prepared();
        if (succeeded) expect(left).toEqual([]);
        for (const id of left) await root(`XA ROLLBACK '${id}'`);
        if (!succeeded) await revoke(credential);
        await expectGone(credential);
      }
    },
  );

  testInFull("one that a session has prepared when a revocation stops is found by the next one", async () => {
    await deploy({ access });
    const credential = await read();
    await prepare(await login(credential));
    const other = await fixture.server.connect();
    await other.query("LOCK TABLES mysql.global_priv READ");
    await expect(revoke(credential)).rejects.toThrow(/max_statement_time/);
    await other.end();
    await expect(revoke(credential)).rejects.toThrow(/prepared transactions/);
    await expectLocked(credential);
    await rollBackAsDocumented();
    await revoke(credential);
    await expectGone(credential);
  });

  testInFull("a session that takes the mark of a first attempt back hides none from the second", async () => {
    const credential = await readWith("SELECT, INSERT, UPDATE, CREATE VIEW");
    const first = await login(credential);
    await first.query("CREATE VIEW shop.mine AS SELECT 1 AS one");
    await prepare(first);
    const clients = await Promise.all(Array.from({ length: 60 }, () => login(credential)));
    for (const client of clients) {
      await client.query("START TRANSACTION");
      await client.query("SELECT * FROM shop.orders");
      await client.query("INSERT INTO shop.orders VALUES (CONNECTION_ID() + 1000, 'open')");
    }
    const canary = await login(credential);
    canary.on("error", () => {
      for (const client of clients) {
        void client.query(`SET PASSWORD = PASSWORD('${credential.password}')`).catch(() => undefined);
      }
    });
    await pause(COPY_MS);
    await expect(revoke(credential)).rejects.toThrow(/needs another definer first: view shop.mine/);
    expect(
      await root(`SELECT password_expired FROM mysql.user WHERE User = '${credential.username}'`),
    ).toEqual(["Y"]);
    await root("DROP VIEW shop.mine");
    await expect(revoke(credential)).rejects.toThrow(/prepared transactions/);
    await rollBackAsDocumented();
    await revoke(credential);
    await expectGone(credential);
  });

  test("transactions of others make it fail neither while they are left nor while they come and go", async () => {
    await deploy({ access });
    const other = await fixture.server.connect();
    await prepare(other);
    await other.end();
    await pause(COPY_MS);
    let goes = true;
    const coordinating = (async () => {
      for (let round = 0; goes; round++) {
        const [first, second] = [await fixture.server.connect(), await fixture.server.connect()];
        await prepare(first, `other${round}`, 2);
        await first.end();
        await pause(50);
        await second.query(`XA COMMIT 'other${round}'`);
        await second.end();
      }
    })();
    try {
      for (let round = 0; round < (FULL ? 10 : 2); round++) {
        const credential = await read();
        await login(credential);
        await revoke(credential);
        await expectGone(credential);
      }
    } finally {
      goes = false;
      await coordinating;
      await rollBackAsDocumented();
    }
  });

  testInFull(
    "many revocations at the same time do not keep each other from seeing transactions",
    async () => {
      await deploy({ access });
      const credentials = await Promise.all(Array.from({ length: 12 }, () => read()));
      await Promise.all(credentials.map(login));
      await Promise.all(credentials.map(revoke));
      for (const credential of credentials) await expectGone(credential);
    },
  );
  test("a transaction whose session ended before the revocation is found as documented, and by nothing else", async () => {
    await deploy({ access });
    const credential = await read();
    const client = await login(credential);
    await prepare(client);
    await client.end();
    // Sooner it would be taken for one that may be of a session of now, and the revocation would fail.
    await pause(COPY_MS);
    await revoke(credential).finally(rollBackAsDocumented);
    await expectGone(credential);
  });

  async function rollBackAsDocumented(): Promise<void> {
    const [look = "", recover = "", rollBack = ""] = PREPARED_TRANSACTIONS.split("\n");
    // The view is a copy of up to 0.1 s ago.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await root(look)).toHaveLength(1);
    const connection = await fixture.server.connect();
    const [rows] = await connection.query(recover);
    await connection.end();
    const [{ data } = { data: "" }] = rows as { data: string }[];
    await root(rollBack.replace("'…'", data));
    await root("UPDATE shop.orders SET word = 'free' WHERE id = 1");
  }

  const prepared = async (): Promise<string[]> => {
    const connection = await fixture.server.connect();
    const [rows] = await connection.query("XA RECOVER");
    await connection.end();
    return (rows as { data: string }[]).map(({ data }) => data);
  };

  async function prepareAllTheTime(credential: Credential, id: number): Promise<{ ended: Promise<void> }> {
    const client = await login(credential);
    const run = async () => {
      for (;;) {
        await prepare(client, `loop${id}`, id);
        await client.query(`XA ROLLBACK 'loop${id}'`);
      }
    };
    return { ended: run().catch(() => undefined) };
  }
}

async function prepare(client: Connection, id = "left", row = 1): Promise<void> {
  for (const sql of [
    `XA START '${id}'`,
    `UPDATE shop.orders SET word = 'x' WHERE id = ${row}`,
    `XA END '${id}'`,
    `XA PREPARE '${id}'`,
  ]) {
    await client.query(sql);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
