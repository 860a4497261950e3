import {
  Duration,
  MysqlAccess,
  type MysqlConnectionOptions,
  type MysqlDynamicRoleOptions,
} from "../../../lib";
import { verdictOf } from "../../e2e/mariadb";
import type { FaultTable } from "../fault-table";
import { access, ACCOUNT_LOCKED, MANAGER, OWN, UPGRADE_RIGHTS, type RevocationFixture } from "./fixture";

/** What commit 9fd88ff deployed, whose users have names by the engine's template. */
const EARLIER = {
  creation_statements: [
    "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}' REQUIRE SSL;",
    "GRANT SELECT ON `shop`.* TO '{{name}}'@'%';",
  ],
  revocation_statements: ["DROP USER IF EXISTS '{{name}}'@'%';"],
};

/** What a revocation finds that was made by others than the role and the login at present. */
export function testChangedRoles(fixture: RevocationFixture, table: FaultTable): void {
  const { vault, revoke, root, read, login, configure, deploy, expectGone } = fixture;

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
      await revoke(credential);
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
        await revoke(credential);
        expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
        await expectGone(credential);
        const later = await read();
        expect(later.username).toMatch(/^v-[0-9a-f]{6}-r-/);
        await revoke(later);
      } finally {
        await root(`ALTER USER ${MANAGER}@'%' IDENTIFIED BY '${fixture.sandbox.managerPassword}'`);
        await configure("c");
      }
    });

    test("every account of its name goes, also one that its holder has made", async () => {
      await deploy(base);
      const credential = await read();
      await root(`CREATE USER '${credential.username}'@'10.%' IDENTIFIED BY 'x'`);
      await root(`CREATE USER '${credential.username}'@'a''b' IDENTIFIED BY 'x'`);
      await revoke(credential);
      await expectGone(credential);
    });
  });

  describe("where there is no such account", () => {
    test("succeeds if the name was made on this server", async () => {
      await deploy({ access });
      const credential = await read();
      await root(`DROP USER '${credential.username}'@'%'`);
      await revoke(credential);
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
        await expect(revoke(credential)).rejects.toThrow(/no account.* is it on another/);
        await root(`RENAME USER 'moved'@'%' TO '${credential.username}'@'%'`);
        await revoke(credential);
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
        await revoke(known);
        await expectGone(known);
        await deploy({ access, host: "10.1.%" });
        await expect(revoke(unknown)).rejects.toThrow(
          "GRANT SELECT (User, Host, password_expired) ON mysql.user TO 'credentials_manager'@'%'",
        );
        await fixture.server.run(UPGRADE_RIGHTS);
        await revoke(unknown);
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
        await revoke(credential);
        expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
        await expectGone(credential);
      } finally {
        await root("DROP ROLE enders");
        await root(`GRANT CONNECTION ADMIN ON *.* TO ${MANAGER}`);
        await configure("c");
      }
    });

    test("to see sessions: names it, and leaves the account locked", async () => {
      await deploy({ access });
      const credential = await read();
      await root(`REVOKE PROCESS ON *.* FROM ${MANAGER}`);
      // A session keeps the rights of its beginning.
      await configure("c");
      try {
        await expect(revoke(credential)).rejects.toThrow("GRANT PROCESS ON *.* TO");
        await expect(login(credential)).rejects.toMatchObject({ errno: ACCOUNT_LOCKED });
      } finally {
        await root(`GRANT PROCESS ON *.* TO ${MANAGER}`);
        await configure("c");
      }
      await revoke(credential);
      await expectGone(credential);
    });

    test("to end sessions: names it, and leaves the account locked", async () => {
      await deploy({ access });
      const credential = await read();
      const client = await login(credential);
      await root(`REVOKE CONNECTION ADMIN ON *.* FROM ${MANAGER}`);
      await expect(revoke(credential)).rejects.toThrow("GRANT CONNECTION ADMIN ON *.* TO");
      await expect(login(credential)).rejects.toMatchObject({ errno: ACCOUNT_LOCKED });
      await root(`GRANT CONNECTION ADMIN ON *.* TO ${MANAGER}`);
      await revoke(credential);
      expect(await verdictOf(client, "SELECT 1")).not.toBe("ok");
      await expectGone(credential);
    });
  });
}
