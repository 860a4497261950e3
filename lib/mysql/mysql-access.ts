import { ConfigurationError, show } from "../errors";
import { listedOneByOne } from "../known-at-synthesis";
import { mysqlIdentifier } from "../names";
import type { MysqlGrant } from "../statements";
import { DEFINING_PRIVILEGES, WHY_NO_DEFINERS } from "../statements/mysql-definers";
import { mayBeOneOf, withStandIns } from "../tokens";

/** Which databases an access level covers. */
export interface MysqlAccessOptions {
  /** Names of databases: one or more. */
  readonly databases: readonly string[];
}

/** Options of `MysqlAccess.custom`. */
export interface MysqlCustomAccessOptions {
  /**
   * Allows privileges by which users make views, triggers, routines and events. These name the user that made them as their
   * definer, and would fail for everybody without it: for a table with such a trigger, that is each write. So revocation does
   * not drop such a user, and fails until each is given another definer, or dropped.
   *
   * @default false
   */
  readonly allowDefiners?: boolean;
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
   * @throws ConfigurationError for a privilege that databases or tables do not have, two grants on the same, or privileges
   *   by which users make objects that fail without them, unless `allowDefiners` is set
   */
  static custom(grants: readonly MysqlGrant[], options: MysqlCustomAccessOptions = {}): MysqlAccess {
    if (grants.length === 0) {
      throw new ConfigurationError("An access has no grants.", "List at least one.");
    }
    grants.forEach(checkGrant);
    if (options.allowDefiners !== true) grants.forEach(checkDefiners);
    return new MysqlAccess("custom", grants);
  }

  private static ofDatabases(
    level: MysqlAccessLevel,
    { databases }: MysqlAccessOptions,
    privileges: readonly string[],
  ): MysqlAccess {
    listedOneByOne("databases of an access level", databases);
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
  checkNoPattern("database", name);
  if (OF_THE_SERVER.includes(name.toLowerCase())) {
    throw new ConfigurationError(
      `An access covers the database ${show(name)}, which is the server's own.`,
      "Name databases of applications; for more, write creationStatements with allowSuperuser: true.",
    );
  }
  const escaped = withStandIns(name).replaceAll(/[\\_%]/g, "\\$&").length;
  if (whole && escaped > PATTERN_CHARACTERS) {
    throw new ConfigurationError(
      `The database name ${show(name)} has ${escaped} characters in a grant, where "_" and "%" count twice.`,
      `The server keeps ${PATTERN_CHARACTERS} of them; use a shorter name, or grant on its tables.`,
    );
  }
}

/** A name is taken as it is, wildcards and all: who wrote one for many databases would be given none of them. */
function checkNoPattern(what: "database" | "table", name: string): void {
  const known = withStandIns(name);
  if (known.includes("*") || known.startsWith("%") || known.endsWith("%")) {
    throw new ConfigurationError(
      `An access covers the ${what} ${show(name)}, which is a pattern.`,
      what === "database"
        ? "Name each database: an access covers the database of just this name."
        : "Name each table in a grant of its own, or leave the table out for all of the database.",
    );
  }
}

function checkDefiners({ privileges }: MysqlGrant): void {
  const defining = privileges.find((privilege) => DEFINING_PRIVILEGES.includes(privilege));
  if (defining === undefined) return;
  throw new ConfigurationError(
    `A grant has the privilege ${show(defining)}. ${WHY_NO_DEFINERS}`,
    "Let a login that lasts make them, in migrations; or pass { allowDefiners: true } if each is given another definer in time.",
  );
}

function checkGrant(grant: MysqlGrant, index: number, all: readonly MysqlGrant[]): void {
  const { database, table, privileges } = grant;
  checkDatabase(database, table === undefined);
  listedOneByOne("privileges of a grant", privileges);
  if (table !== undefined) {
    mysqlIdentifier("table", table);
    checkNoPattern("table", table);
  }
  const allowed = table === undefined ? ON_DATABASES : ON_TABLES;
  const refused = privileges.find((privilege) => !mayBeOneOf(privilege, allowed));
  if (refused !== undefined || privileges.length === 0) {
    throw new ConfigurationError(
      `A grant on a ${table === undefined ? "database" : "table"} has the privileges ${show(privileges)}.`,
      `Use one or more of ${allowed.join(", ")}.`,
    );
  }
  const same = (other: MysqlGrant) => other.database === database && other.table === table;
  if (all.findIndex(same) !== index) {
    throw new ConfigurationError(
      `There are two grants on ${show(table === undefined ? database : `${database}.${table}`)}.`,
      "List all privileges in one grant.",
    );
  }
}
