import { ConfigurationError, show } from "../errors";
import { isUnresolved, mysqlIdentifier } from "../names";
import type { MysqlGrant } from "../statements";

/** Which databases an access level covers. */
export interface MysqlAccessOptions {
  /** Names of databases: one or more. */
  readonly databases: readonly string[];
}

/** Name of an access level; `custom` for a list of grants. */
export type MysqlAccessLevel = "read-write" | "read-only" | "custom";

const ON_TABLES = [
  ...["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER"],
  ...["CREATE VIEW", "SHOW VIEW", "TRIGGER"],
];
const ON_DATABASES = [
  ...ON_TABLES,
  ...["CREATE TEMPORARY TABLES", "LOCK TABLES", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "EVENT"],
];

/**
 * What a credential of MySQL or MariaDB may do. Users get these grants each; they are few, one for a database, whatever the
 * number of its tables.
 *
 * The engine's login has to have them itself, WITH GRANT OPTION: see docs/rights/mysql-manager.sql.
 */
export class MysqlAccess {
  /**
   * Reads all tables and views of the databases, also those made later.
   *
   * @throws ConfigurationError for a list of no databases, and names that MySQL does not take
   */
  static readOnly(options: MysqlAccessOptions): MysqlAccess {
    return MysqlAccess.ofDatabases("read-only", options, ["SELECT"]);
  }

  /**
   * Reads and changes rows of all tables of the databases, also of those made later.
   *
   * @throws ConfigurationError for a list of no databases, and names that MySQL does not take
   */
  static readWrite(options: MysqlAccessOptions): MysqlAccess {
    return MysqlAccess.ofDatabases("read-write", options, ["SELECT", "INSERT", "UPDATE", "DELETE"]);
  }

  /**
   * Just these grants.
   *
   * @throws ConfigurationError for a privilege that databases or tables do not have, or two grants on the same
   */
  static custom(grants: readonly MysqlGrant[]): MysqlAccess {
    if (grants.length === 0) {
      throw new ConfigurationError("An access has no grants.", "List at least one.");
    }
    grants.forEach(checkGrant);
    return new MysqlAccess("custom", grants);
  }

  private static ofDatabases(
    level: MysqlAccessLevel,
    { databases }: MysqlAccessOptions,
    privileges: readonly string[],
  ): MysqlAccess {
    if (databases.length === 0) {
      throw new ConfigurationError("An access level covers no database.", "Name at least one.");
    }
    const grants = databases.map((database): MysqlGrant => ({ database, privileges }));
    grants.forEach(checkGrant);
    return new MysqlAccess(level, grants);
  }

  private constructor(
    /** Which of the levels it is. */
    readonly level: MysqlAccessLevel,
    /** The grants that make it up. */
    readonly grants: readonly MysqlGrant[],
  ) {}
}

/** Who writes to them changes the rights of others, or nobody may be given rights on them. */
const OF_THE_SERVER = ["mysql", "sys", "information_schema", "performance_schema"];
/** A grant on a whole database is on a pattern, for which the servers keep as many characters as for a name. */
const PATTERN_CHARACTERS = 64;

function checkDatabase(name: string, whole: boolean): void {
  mysqlIdentifier("database", name);
  if (isUnresolved(name)) return;
  if (OF_THE_SERVER.includes(name.toLowerCase())) {
    throw new ConfigurationError(
      `An access covers the database ${show(name)}, which is the server's own.`,
      "Name databases of applications; for more, write creationStatements with allowSuperuser: true.",
    );
  }
  const escaped = name.replaceAll(/[\\_%]/g, "\\$&").length;
  if (whole && escaped > PATTERN_CHARACTERS) {
    throw new ConfigurationError(
      `The database name ${show(name)} has ${escaped} characters in a grant, where "_" and "%" count twice.`,
      `The server keeps ${PATTERN_CHARACTERS} of them; use a shorter name, or grant on its tables.`,
    );
  }
}

function checkGrant(grant: MysqlGrant, index: number, all: readonly MysqlGrant[]): void {
  const { database, table, privileges } = grant;
  checkDatabase(database, table === undefined);
  if (table !== undefined) mysqlIdentifier("table", table);
  const allowed = table === undefined ? ON_DATABASES : ON_TABLES;
  const refused = privileges.find((privilege) => !allowed.includes(privilege) && !isUnresolved(privilege));
  if (refused !== undefined || privileges.length === 0) {
    throw new ConfigurationError(
      `A grant on a ${table === undefined ? "database" : "table"} has the privileges ${show(privileges)}.`,
      `Use one or more of ${allowed.join(", ")}.`,
    );
  }
  const same = (other: MysqlGrant) => other.database === database && other.table === table;
  if (!isUnresolved(database) && !isUnresolved(table) && all.findIndex(same) !== index) {
    throw new ConfigurationError(
      `There are two grants on ${show(table === undefined ? database : `${database}.${table}`)}.`,
      "List all privileges in one grant.",
    );
  }
}
