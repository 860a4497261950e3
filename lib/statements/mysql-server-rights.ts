import { plainMysql, type PlainMysql } from "./mysql-plain";

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
/**
 * On all databases these reach those of the server as well: to change the accounts, to read the hashes of their passwords, or
 * to run and change routines that have the rights of another.
 */
const ON_ACCOUNTS = [
  "INSERT",
  "UPDATE",
  "DELETE",
  "CREATE",
  "ALTER",
  "DROP",
  "REFERENCES",
  "INDEX",
  "DELETE HISTORY",
  "ALTER ROUTINE",
  "EXECUTE",
  "SELECT",
];
const DATABASE_OF_ACCOUNTS = "mysql";

/** Tables of the server's database that hold nothing of accounts. */
const HARMLESS_TABLE = /^(?:time_zone|help_)\w*$/i;

/** Privileges, and the database and table that they are on, with the words before them left out. */
const GRANT =
  /\bGRANT\b((?:(?!\bTO\b)[^;])*?)\bON\b\s*(?:(?:TABLE|FUNCTION|PROCEDURE|PACKAGE(?:\s+BODY)?)\s+)?(?:([^\s.;]+)\s*\.\s*([^\s;]+))?/gi;
/** Where a name without a database is looked for afterwards. */
const USE = /\bUSE\s+([^\s;]+)/gi;

/**
 * The privilege that SQL gives by a GRANT and that reaches beyond the databases of applications, such as FILE, or UPDATE on
 * all databases; undefined if there is none. That it gives ALL is not looked for.
 *
 * @param statements of one list, which all have one session
 */
export function serverPrivilege(statements: readonly string[]): string | undefined {
  const texts = statements.flatMap(plainMysql);
  const usesAccounts = texts.some(({ text, nameOf }) =>
    [...text.matchAll(USE)].some(([, name = ""]) => coversAccounts(nameOf(name))),
  );
  return texts.map((plain) => privilegeIn(plain, usesAccounts)).find(Boolean);
}

function privilegeIn({ text, nameOf }: PlainMysql, usesAccounts: boolean): string | undefined {
  for (const [, privileges = "", database, table = "*"] of text.matchAll(GRANT)) {
    const words = privileges
      // Names of columns and roles are no privileges.
      .replaceAll(/\([^)]*\)|[`"']\d+[`"']/g, " ")
      .replaceAll(/[\s_]+/g, " ")
      .toUpperCase();
    const onAccounts = database === undefined ? usesAccounts : coversAccounts(nameOf(database));
    const harmless = HARMLESS_TABLE.test(nameOf(table)) ? ["SELECT"] : [];
    const dangerous = onAccounts ? [...OF_THE_SERVER, ...ON_ACCOUNTS] : OF_THE_SERVER;
    const given = words.split(",").map((word) => word.trim());
    const found = dangerous
      .filter((privilege) => !harmless.includes(privilege))
      .map((privilege) => given.find((each) => new RegExp(`^${privilege}$`).test(each)))
      .find((each) => each !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In a grant on a database `%` and `_` stand for any characters, unless escaped. */
function coversAccounts(name: string): boolean {
  if (name === "*") return true;
  const pattern = name.replaceAll(/\\?[^]/g, (each) => {
    if (each === "%") return ".*";
    if (each === "_") return ".";
    return (each.length > 1 ? each.slice(1) : each).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${pattern}$`, "i").test(DATABASE_OF_ACCOUNTS);
}
