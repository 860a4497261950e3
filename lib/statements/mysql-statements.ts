import { mariadbCreation, mariadbRevocation } from "./mariadb-statements";
import { quoteMysqlDatabasePattern, quoteMysqlIdentifier, quoteMysqlLiteral } from "./mysql-quote";
import { NAME, pinSession, requireSafeName, RESTORE } from "./mysql-session";

/** Which of the two servers it is, where their SQL differs. */
export type MysqlServerKind = "mariadb" | "mysql";

/** Privileges on the tables of a database, or on one table. */
export interface MysqlGrant {
  /** In a name that only Terraform knows, `_` and `%` stand for any characters, unless `table` is given. */
  readonly database: string;
  /** Table that it is on. @default - all tables of the database, also those made later */
  readonly table?: string;
  /** Privileges by their SQL names, such as `SELECT`; `ALL` is refused. */
  readonly privileges: readonly string[];
}

/** Procedure of docs/rights/mysql-end-sessions.sql. */
const REVOKE_USER = "`credentials`.`revoke_user`";

/**
 * Creates a user with these privileges.
 *
 * MariaDB does it in one block that drops the user again if the server refuses any of it, for want of a privilege to hand
 * out. The SQL for MySQL runs on both servers, each statement by itself: what is left of such a creation is an account
 * that is locked, and whose password nobody has been told.
 *
 * @param host from where it may log in: `%` for anywhere
 * @param requireTls whether it may log in over TLS only
 */
export function mysqlCreation(
  host: string,
  grants: readonly MysqlGrant[],
  requireTls: boolean,
  server: MysqlServerKind = "mysql",
): string[] {
  const user = userAt(host);
  const create = `CREATE USER ${user} IDENTIFIED BY '{{password}}'${requireTls ? " REQUIRE SSL" : ""}`;
  const handOut = grants.map(
    (grant) => `GRANT ${grant.privileges.join(", ")} ON ${targetOf(grant)} TO ${user}`,
  );
  if (server === "mariadb") return mariadbCreation(user, create, handOut);
  return [
    pinSession(),
    ...requireSafeName(),
    `${create} ACCOUNT LOCK;`,
    ...handOut.map((grant) => `${grant};`),
    `ALTER USER ${user} ACCOUNT UNLOCK;`,
    RESTORE,
  ];
}

/**
 * Revoked means gone: ends every account that has the user's name and all of its sessions, or fails, so that the engine
 * tries again. That there is no such account is a success only if the name shows that it was made on this server.
 *
 * MySQL has no blocks outside procedures: there it is one that has to be made first, by docs/rights/mysql-end-sessions.sql.
 *
 * @param host of the accounts that the role makes at present
 * @param mark beginning of the names that are made on this server; without it, a user that is not there is a failure
 */
export function mysqlRevocation(server: MysqlServerKind, host: string, mark?: string): string[] {
  if (server === "mariadb") return mariadbRevocation(userAt(host), mark);
  return [pinSession(), ...requireSafeName(), `CALL ${REVOKE_USER}(${NAME}, '${mark ?? ""}');`, RESTORE];
}

function userAt(host: string): string {
  return `${NAME}@${quoteMysqlLiteral(host)}`;
}

function targetOf({ database, table }: MysqlGrant): string {
  return table === undefined
    ? `${quoteMysqlDatabasePattern(database)}.*`
    : `${quoteMysqlIdentifier(database)}.${quoteMysqlIdentifier(table)}`;
}
