import { plainMysql } from "./mysql-plain";

/** A whole database in a GRANT: what stands before `.*`. */
const WHOLE_DATABASE = /\bGRANT\b(?:(?!\bTO\b)[^;])*?\bON\b\s*(?:TABLE\s+)?([^\s.;*]+)\s*\.\s*\*/gi;

/** A database in a grant of the user's own SQL that is a pattern. */
export interface DatabasePattern {
  /** As it stands there, without quotes: `my_db`. */
  readonly database: string;
  /** The database of just that name, as it is to be written: `` `my\_db` ``. */
  readonly escaped: string;
}

/**
 * The first database of which SQL grants the whole by a name with `_` or `%` that is not escaped, and so all databases that
 * are like it: `my_db` is `myxdb` as well. Undefined if there is none. Grants on a table or routine take names as they are.
 */
export function databasePattern(sql: string): DatabasePattern | undefined {
  for (const { text, nameOf } of plainMysql(sql)) {
    for (const [, written = ""] of text.matchAll(WHOLE_DATABASE)) {
      const database = nameOf(written);
      const withoutPlaceholders = database.replaceAll(/\{\{[^}]*\}\}/g, "");
      if (!/[_%]/.test(withoutPlaceholders.replaceAll(/\\[_%\\]/g, ""))) continue;
      const escaped = database.replaceAll(/\\[_%\\]|[_%]/g, (each) => (each.length > 1 ? each : `\\${each}`));
      return { database, escaped: `\`${escaped.replaceAll("`", "``")}\`` };
    }
  }
  return undefined;
}
