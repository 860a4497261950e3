import { runByMysql } from "./bare-sql";

/** Privileges by which a user gets at everything on the server, at rights of others, or at other sessions. */
const OF_THE_SERVER = [
  "SUPER",
  "CREATE USER",
  "CREATE ROLE",
  "DROP ROLE",
  "CREATE TABLESPACE",
  "FILE",
  "PROCESS",
  "RELOAD",
  "SHUTDOWN",
  "PROXY",
  "GRANT OPTION",
  "SET USER",
  // All that begin so: REPLICATION SLAVE, CLIENT, MASTER ADMIN; BINLOG ADMIN, MONITOR, REPLAY; and so on.
  "REPLICATION [A-Z]+",
  "REPLICA MONITOR",
  "SLAVE MONITOR",
  "BINLOG [A-Z]+",
  // CONNECTION ADMIN, and each of MySQL's, which it spells with an underscore: ROLE_ADMIN.
  ".+ ADMIN",
  "SYSTEM USER",
  "SET USER ID",
  "SET ANY DEFINER",
  "ALLOW NONEXISTENT DEFINER",
];
/** On all databases these reach those of the server as well, and so the accounts. */
const CHANGING = [
  "INSERT",
  "UPDATE",
  "DELETE",
  "CREATE",
  "ALTER",
  "DROP",
  "REFERENCES",
  "INDEX",
  "DELETE HISTORY",
];
const DATABASE_OF_ACCOUNTS = "mysql";

/** Privileges, and the database that they are on, with the words before it left out. */
const GRANT =
  /\bGRANT\b((?:(?!\bTO\b)[^;])*?)\bON\b\s*(?:(?:TABLE|FUNCTION|PROCEDURE|PACKAGE(?:\s+BODY)?)\s+)?(?:(`(?:[^`]|``)*`|\*|[^\s.;]+)\s*\.)?/gi;

/**
 * The privilege that SQL gives by a GRANT and that reaches beyond the databases of applications, such as FILE, or UPDATE on
 * all databases; undefined if there is none. That it gives ALL is not looked for.
 */
export function serverPrivilege(sql: string): string | undefined {
  for (const [, privileges = "", database = ""] of runByMysql(sql).matchAll(GRANT)) {
    const words = privileges
      // Names of columns and roles are no privileges.
      .replaceAll(/\([^)]*\)|`[^`]*`/g, " ")
      .replaceAll(/[\s_]+/g, " ")
      .toUpperCase();
    const dangerous = coversAccounts(database) ? [...OF_THE_SERVER, ...CHANGING] : OF_THE_SERVER;
    for (const each of words.split(",").map((word) => word.trim())) {
      if (dangerous.some((privilege) => new RegExp(`^${privilege}$`).test(each))) return each;
    }
  }
  return undefined;
}

/** In a grant on a database `%` and `_` stand for any characters, unless escaped. */
function coversAccounts(database: string): boolean {
  if (database === "*") return true;
  const name = database.startsWith("`") ? database.slice(1, -1).replaceAll("``", "`") : database;
  const pattern = name.replaceAll(/\\?[^]/g, (each) => {
    if (each === "%") return ".*";
    if (each === "_") return ".";
    return (each.length > 1 ? each.slice(1) : each).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${pattern}$`, "i").test(DATABASE_OF_ACCOUNTS);
}
