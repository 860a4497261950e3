import { quoteMysqlDatabasePattern, quoteMysqlIdentifier, quoteMysqlLiteral } from "./mysql-quote";

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

/** Schema and procedure of docs/rights/mysql-end-sessions.sql. */
const END_SESSIONS = "`credentials`.`end_sessions`";
const ATTEMPTS = 100;

/**
 * Creates a user with these privileges. Each statement commits by itself, so that a creation that fails halfway, for want
 * of a privilege to hand out, leaves a user whose password nobody has been told.
 *
 * @param host from where it may log in: `%` for anywhere
 * @param requireTls whether it may log in over TLS only
 */
export function mysqlCreation(host: string, grants: readonly MysqlGrant[], requireTls: boolean): string[] {
  const user = userAt(host);
  const tls = requireTls ? " REQUIRE SSL" : "";
  return [
    `CREATE USER ${user} IDENTIFIED BY '{{password}}'${tls};`,
    ...grants.map((grant) => `GRANT ${grant.privileges.join(", ")} ON ${targetOf(grant)} TO ${user};`),
  ];
}

/**
 * Revoked means gone: drops the user, after which no login works, then ends its sessions, which dropping does not, and
 * fails if one is left, so that the engine tries again.
 *
 * MariaDB ends them by KILL USER. MySQL has no such statement, nor any that loops outside a procedure: there it is one
 * that has to be made first, by docs/rights/mysql-end-sessions.sql.
 */
export function mysqlRevocation(server: MysqlServerKind, host: string): string[] {
  return [
    `DROP USER IF EXISTS ${userAt(host)};`,
    server === "mariadb" ? unsplit(killUser()) : `CALL ${END_SESSIONS}('{{name}}');`,
  ];
}

function userAt(host: string): string {
  return `'{{name}}'@${quoteMysqlLiteral(host)}`;
}

function targetOf({ database, table }: MysqlGrant): string {
  return table === undefined
    ? `${quoteMysqlDatabasePattern(database)}.*`
    : `${quoteMysqlIdentifier(database)}.${quoteMysqlIdentifier(table)}`;
}

/** About 5 s at most, unless sessions take long to end. KILL USER counts those that it has told to end but that have not. */
function killUser(): string {
  return [
    "BEGIN NOT ATOMIC",
    "DECLARE found INT DEFAULT 1;",
    "DECLARE attempt INT DEFAULT 0;",
    `WHILE found > 0 AND attempt < ${ATTEMPTS} DO`,
    "KILL HARD CONNECTION USER '{{name}}';",
    "SET found = ROW_COUNT();",
    "SET attempt = attempt + 1;",
    "IF found > 0 THEN DO SLEEP(0.05); END IF;",
    "END WHILE;",
    "IF found > 0 THEN",
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sessions of {{name}} could not be ended';",
    "END IF;",
    "END",
  ].join(" ");
}

/** The engine splits SQL at every semicolon, but takes a JSON list for a list that is split already. */
function unsplit(statement: string): string {
  return JSON.stringify([statement]);
}
