import { ConfigurationError, show } from "./errors";
import { composed, UNPRINTABLE } from "./terraform-text";
import { isUnresolved, withStandIns } from "./tokens";

export { isUnresolved };

/** PostgreSQL cuts longer identifiers silently (NAMEDATALEN - 1). */
export const POSTGRES_IDENTIFIER_BYTES = 63;

/**
 * Sequences that have a meaning somewhere on the way from TypeScript to the server: Terraform's templates, the engine's
 * placeholders, and the semicolon at which the engine splits SQL even inside a quoted identifier.
 */
const UNSAFE_IN_IDENTIFIER = ["${", "%{", "{{", "}}", ";", '"', "\\"];

/**
 * Checks the name of a database, schema, table or role of PostgreSQL and returns it.
 *
 * @param what what is named, for the message, such as `database`
 * @throws ConfigurationError if empty, over 63 bytes in UTF-8, or unsafe in SQL that an engine substitutes and splits
 */
export function postgresIdentifier(what: string, name: string): string {
  const known = withStandIns(name);
  if (typeof known !== "string" || known === "") {
    throw new ConfigurationError(`The ${what} has no name.`, "Give it a name of 1 to 63 bytes.");
  }
  const bytes = Buffer.byteLength(known, "utf8");
  if (bytes > POSTGRES_IDENTIFIER_BYTES) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is ${bytes} bytes long.`,
      `PostgreSQL keeps ${POSTGRES_IDENTIFIER_BYTES} bytes (UTF-8) and drops the rest; use a shorter name.`,
    );
  }
  if (UNPRINTABLE.test(known)) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds a control character or is not valid Unicode.`,
      "Use printable characters only.",
    );
  }
  const unsafe = UNSAFE_IN_IDENTIFIER.find((sequence) => known.includes(sequence));
  if (unsafe !== undefined) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds ${show(unsafe)}.`,
      "The engine substitutes and splits SQL as plain text, so this would change the statements; use another name.",
    );
  }
  return composed(`${what} name`, name);
}

/** What Terraform's provider puts into a URL or a literal as it stands, in 1.26. */
const UNSAFE_IN_DATABASE = ["?", "#", "%", "'"];

/**
 * Checks the name of a database of PostgreSQL and returns it.
 *
 * @throws ConfigurationError as {@link postgresIdentifier}, and for characters with which the engine or Terraform's provider
 *   would work in another database, or end the sessions of others when the database is dropped
 */
export function postgresDatabaseName(name: string): string {
  postgresIdentifier("database", name);
  const known = withStandIns(name);
  const unsafe = UNSAFE_IN_DATABASE.find((character) => known.includes(character));
  if (unsafe !== undefined) {
    throw new ConfigurationError(
      `The database name ${show(name)} holds ${show(unsafe)}.`,
      "Terraform's provider does not quote it everywhere, and would reach other databases; use another name.",
    );
  }
  if (known.startsWith("/")) {
    throw new ConfigurationError(
      `The database name ${show(name)} starts with "/".`,
      "The engine's driver takes it for a part of the URL, and would reach another database; use another name.",
    );
  }
  return name;
}

/**
 * Checks the name of a schema that is to be created and returns it.
 *
 * @throws ConfigurationError as {@link postgresIdentifier}, and for names that PostgreSQL reserves
 */
export function postgresSchemaName(name: string): string {
  postgresIdentifier("schema", name);
  if (withStandIns(name).startsWith("pg_") || name === "information_schema") {
    throw new ConfigurationError(
      `The schema name ${show(name)} is reserved by PostgreSQL.`,
      'Use a name that is not "information_schema" and does not start with "pg_".',
    );
  }
  return name;
}

/**
 * Checks the name of a PostgreSQL role, which may exist, and returns it.
 *
 * @throws ConfigurationError as {@link postgresIdentifier}, for `public` and `none`, which are no roles, and for `=`, at which
 *   Terraform's provider (1.26) cuts the access list of a schema
 */
export function postgresRole(what: string, name: string): string {
  postgresIdentifier(what, name);
  if (["public", "none"].includes(name.toLowerCase())) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is reserved by PostgreSQL.`,
      "It stands for everybody, or for nobody, where a role is named; use another name.",
    );
  }
  if (withStandIns(name).includes("=")) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds "=".`,
      "Terraform's provider could not read the rights on a schema that the role has; use another name.",
    );
  }
  return name;
}

/**
 * Checks the name of a PostgreSQL role that is to be created and returns it.
 *
 * @throws ConfigurationError as {@link postgresRole}, and for names that PostgreSQL keeps for its own
 */
export function postgresRoleName(what: string, name: string): string {
  postgresRole(what, name);
  if (withStandIns(name).toLowerCase().startsWith("pg_")) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is reserved by PostgreSQL.`,
      'Use a name that does not start with "pg_".',
    );
  }
  return name;
}

/** MySQL and MariaDB refuse longer names of databases and tables. */
const MYSQL_IDENTIFIER_CHARACTERS = 64;

/** As for PostgreSQL; a double quote is harmless between backticks. */
const UNSAFE_IN_MYSQL_IDENTIFIER = UNSAFE_IN_IDENTIFIER.filter((sequence) => sequence !== '"');

/**
 * Checks the name of a database or table of MySQL or MariaDB and returns it.
 *
 * @param what what is named, for the message, such as `database`
 * @throws ConfigurationError if empty, over 64 characters, ending in a space, or unsafe in SQL that an engine substitutes
 *   and splits
 */
export function mysqlIdentifier(what: string, name: string): string {
  const known = withStandIns(name);
  if (typeof known !== "string" || known === "" || known.length > MYSQL_IDENTIFIER_CHARACTERS) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is empty or longer than ${MYSQL_IDENTIFIER_CHARACTERS} characters.`,
      `Give it a name of 1 to ${MYSQL_IDENTIFIER_CHARACTERS} characters.`,
    );
  }
  if (UNPRINTABLE.test(known) || known.endsWith(" ")) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds a control character, is not valid Unicode, or ends in a space.`,
      "Use printable characters only, the last of them no space.",
    );
  }
  if (/[\u{10000}-\u{10ffff}]/u.test(known)) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds a character beyond U+FFFF.`,
      "MySQL and MariaDB take none in a name; use another.",
    );
  }
  const unsafe = UNSAFE_IN_MYSQL_IDENTIFIER.find((sequence) => known.includes(sequence));
  if (unsafe !== undefined) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds ${show(unsafe)}.`,
      "The engine substitutes and splits SQL as plain text, so this would change the statements; use another name.",
    );
  }
  return composed(`${what} name`, name);
}

/** Vault's storage refuses `..` in any name, for it could be a way up; OpenBao's takes it. */
const VAULT_NAME = /^(?!.*\.\.)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
const VAULT_NAME_LENGTH = 128;

/**
 * Checks a name that becomes one segment of a Vault path (connection, role, AppRole) and returns it.
 *
 * @throws ConfigurationError unless it is 1 to 128 letters, digits, `_`, `-` or `.`, neither first nor last `-` or `.`, nor two
 *   `.` in a row
 */
export function vaultName(what: string, name: string): string {
  const known = withStandIns(name);
  if (typeof known !== "string" || known.length > VAULT_NAME_LENGTH || !VAULT_NAME.test(known)) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} cannot be used in a Vault path.`,
      `Use 1 to ${VAULT_NAME_LENGTH} letters, digits, "_", "-" or single ".", with a letter, digit or "_" first and last.`,
    );
  }
  return name;
}

/**
 * As {@link vaultName}, for names that Vault lowercases on its own (AppRoles), where a capital letter would give a
 * permanent difference.
 */
export function lowercaseVaultName(what: string, name: string): string {
  vaultName(what, name);
  const known = withStandIns(name);
  if (known !== known.toLowerCase()) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} has capital letters.`,
      `Vault stores it in lower case; use ${isUnresolved(name) ? "small letters" : show(name.toLowerCase())}.`,
    );
  }
  return name;
}

/**
 * Checks the path of a secrets engine or auth method and returns it.
 *
 * @throws ConfigurationError unless it is names joined by `/`; wildcards of policies (`*`, `+`) are refused
 */
export function vaultPath(what: string, path: string): string {
  const known = withStandIns(path);
  const segments = typeof known === "string" ? known.split("/") : [""];
  if (!segments.every((segment) => segment.length <= VAULT_NAME_LENGTH && VAULT_NAME.test(segment))) {
    throw new ConfigurationError(
      `The ${what} path ${show(path)} is not usable.`,
      'Use names of letters, digits, "_", "-" or single "." joined by "/", with no "/" at either end, such as "orders-dev/database".',
    );
  }
  return path;
}

const OF_THE_SERVER: Readonly<Record<"secrets engine" | "auth method", readonly string[]>> = {
  "secrets engine": ["sys", "auth", "audit", "identity", "cubbyhole"],
  "auth method": ["token"],
};

/**
 * Checks the path at which a secrets engine or auth method is mounted, and returns it.
 *
 * @throws ConfigurationError as {@link vaultPath}, and for what is the server's own
 */
export function mountPath(kind: "secrets engine" | "auth method", path: string, what: string = kind): string {
  vaultPath(what, path);
  const [first = ""] = withStandIns(path).split("/");
  if (OF_THE_SERVER[kind].includes(first)) {
    throw new ConfigurationError(
      `The ${what} path ${show(path)} is the server's own.`,
      `Use a path that does not begin with ${OF_THE_SERVER[kind].map((name) => `"${name}"`).join(", ")}.`,
    );
  }
  return path;
}

/**
 * Part of a construct id that stands for a name. An id cannot hold what only Terraform knows, so that one such name is
 * possible in a place, not two.
 */
export function idOf(name: string): string {
  return isUnresolved(name) ? "unresolved" : name;
}
