import { replaced } from "../tokens";

/** Quotes an identifier for MySQL and MariaDB: `orders` gets backticks around it, one inside is doubled. */
export function quoteMysqlIdentifier(name: string): string {
  return `\`${replaced(name, "`", "``")}\``;
}

/**
 * Quotes a string literal for MySQL and MariaDB, whatever their sql_mode says of double quotes. A backslash is doubled, as
 * it has to be unless NO_BACKSLASH_ESCAPES is set, which is not by default.
 */
export function quoteMysqlLiteral(text: string): string {
  return `'${replaced(replaced(text, "\\", "\\\\"), "'", "''")}'`;
}

/**
 * Quotes the name of a database for `GRANT … ON <database>.*`, the one place where `_` and `%` in it stand for any
 * characters: unescaped, a grant on `my_db` is one on `myxdb` as well. MySQL reads the escape as a part of the name where
 * `partial_revokes` is on, which it is not by default.
 */
export function quoteMysqlDatabasePattern(name: string): string {
  const escaped = ["\\", "_", "%"].reduce((text, each) => replaced(text, each, `\\${each}`), name);
  return quoteMysqlIdentifier(escaped);
}
