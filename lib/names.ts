import { Token } from "cdktf";
import { ConfigurationError, show } from "./errors";

/** PostgreSQL cuts longer identifiers silently (NAMEDATALEN - 1). */
const POSTGRES_IDENTIFIER_BYTES = 63;

/** Control characters, and halves of characters that are no Unicode alone. */
// eslint-disable-next-line no-control-regex -- control characters are just what must not pass
export const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

/**
 * Sequences that have a meaning somewhere on the way from TypeScript to the server: Terraform's templates, the engine's
 * placeholders, and the semicolon at which the engine splits SQL even inside a quoted identifier.
 */
const UNSAFE_IN_IDENTIFIER = ["${", "%{", "{{", "}}", ";", '"', "\\"];

/** Whether a value is only known to Terraform, later; such values pass all checks. */
export function isUnresolved(value: unknown): boolean {
  return Token.isUnresolved(value);
}

/**
 * Checks the name of a database, schema, table or role of PostgreSQL and returns it.
 *
 * @param what what is named, for the message, such as `database`
 * @throws ConfigurationError if empty, over 63 bytes in UTF-8, or unsafe in SQL that an engine substitutes and splits
 */
export function postgresIdentifier(what: string, name: string): string {
  if (isUnresolved(name)) return name;
  if (typeof name !== "string" || name === "") {
    throw new ConfigurationError(`The ${what} has no name.`, "Give it a name of 1 to 63 bytes.");
  }
  const bytes = Buffer.byteLength(name, "utf8");
  if (bytes > POSTGRES_IDENTIFIER_BYTES) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is ${bytes} bytes long.`,
      `PostgreSQL keeps ${POSTGRES_IDENTIFIER_BYTES} bytes (UTF-8) and drops the rest; use a shorter name.`,
    );
  }
  if (UNPRINTABLE.test(name)) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds a control character or is not valid Unicode.`,
      "Use printable characters only.",
    );
  }
  const unsafe = UNSAFE_IN_IDENTIFIER.find((sequence) => name.includes(sequence));
  if (unsafe !== undefined) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds ${show(unsafe)}.`,
      "The engine substitutes and splits SQL as plain text, so this would change the statements; use another name.",
    );
  }
  return name;
}

/**
 * Checks the name of a PostgreSQL role that is to be created and returns it.
 *
 * @throws ConfigurationError as {@link postgresIdentifier}, and for names that PostgreSQL reserves
 */
export function postgresRoleName(what: string, name: string): string {
  postgresIdentifier(what, name);
  if (isUnresolved(name)) return name;
  const lower = name.toLowerCase();
  if (lower.startsWith("pg_") || lower === "public" || lower === "none") {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is reserved by PostgreSQL.`,
      'Use a name that is not "public" or "none" and does not start with "pg_".',
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
  if (isUnresolved(name)) return name;
  if (typeof name !== "string" || name === "" || name.length > MYSQL_IDENTIFIER_CHARACTERS) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} is empty or longer than ${MYSQL_IDENTIFIER_CHARACTERS} characters.`,
      `Give it a name of 1 to ${MYSQL_IDENTIFIER_CHARACTERS} characters.`,
    );
  }
  if (UNPRINTABLE.test(name) || name.endsWith(" ")) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds a control character, is not valid Unicode, or ends in a space.`,
      "Use printable characters only, the last of them no space.",
    );
  }
  const unsafe = UNSAFE_IN_MYSQL_IDENTIFIER.find((sequence) => name.includes(sequence));
  if (unsafe !== undefined) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} holds ${show(unsafe)}.`,
      "The engine substitutes and splits SQL as plain text, so this would change the statements; use another name.",
    );
  }
  return name;
}

const VAULT_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
const VAULT_NAME_LENGTH = 128;

/**
 * Checks a name that becomes one segment of a Vault path (connection, role, AppRole) and returns it.
 *
 * @throws ConfigurationError unless it is 1 to 128 letters, digits, `_`, `-` or `.`, neither first nor last `-` or `.`
 */
export function vaultName(what: string, name: string): string {
  if (isUnresolved(name)) return name;
  if (typeof name !== "string" || name.length > VAULT_NAME_LENGTH || !VAULT_NAME.test(name)) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} cannot be used in a Vault path.`,
      `Use 1 to ${VAULT_NAME_LENGTH} letters, digits, "_", "-" or ".", with a letter, digit or "_" first and last.`,
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
  if (!isUnresolved(name) && name !== name.toLowerCase()) {
    throw new ConfigurationError(
      `The ${what} name ${show(name)} has capital letters.`,
      `Vault stores it in lower case; use ${show(name.toLowerCase())}.`,
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
  if (isUnresolved(path)) return path;
  const segments = typeof path === "string" ? path.split("/") : [""];
  if (!segments.every((segment) => segment.length <= VAULT_NAME_LENGTH && VAULT_NAME.test(segment))) {
    throw new ConfigurationError(
      `The ${what} path ${show(path)} is not usable.`,
      'Use names of letters, digits, "_", "-" or "." joined by "/", with no "/" at either end, such as "orders-dev/database".',
    );
  }
  return path;
}

/** Refuses text in which Terraform would see a template of its own; tokens of CDKTF pass. */
export function noTerraformTemplate(what: string, text: string): string {
  if (isUnresolved(text)) return text;
  const sequence = ["${", "%{"].find((candidate) => text.includes(candidate));
  if (sequence !== undefined) {
    throw new ConfigurationError(
      `The ${what} holds ${show(sequence)}, which Terraform reads as a template: ${show(text)}`,
      `Write "${sequence.charAt(0)}${sequence}" in HCL terms, or pass a CDKTF token for a value that Terraform knows.`,
    );
  }
  return text;
}

/**
 * Part of a construct id that stands for a name. An id cannot hold what only Terraform knows, so that one such name is
 * possible in a place, not two.
 */
export function idOf(name: string): string {
  return isUnresolved(name) ? "unresolved" : name;
}
