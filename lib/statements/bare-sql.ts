/** What begins a part of SQL in which a semicolon ends nothing, each with the whole of such a part. */
const QUOTED_IN_POSTGRES = [
  /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/y,
  /'(?:[^']|'')*(?:'|$)/y,
  /"(?:[^"]|"")*(?:"|$)/y,
  /(\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$)[\s\S]*?(?:\1|$)/y,
  /--[^\n]*(?:\n|$)/y,
];
const QUOTED_IN_MYSQL = [
  /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/y,
  /"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)/y,
  /`(?:[^`]|``)*(?:`|$)/y,
  /--(?=\s|$)[^\n]*(?:\n|$)/y,
  /#[^\n]*(?:\n|$)/y,
];
/** Begin and end of a comment whose content is run. */
const RUN_COMMENT = /\/\*M?!\d*|\*\//y;
const COMMENT = /^(?:--|\/\*(?!M?!)|#)/;
const WORD = /[A-Za-z0-9_$\u0080-\uffff]+/y;

/** SQL of a kind of server without what stands in quotes or comments, for which there is a blank. */
export function bareSql(sql: string, server: "postgres" | "mysql"): string {
  return replacedQuoted(sql, server, () => " ");
}

/** SQL of a kind of server without its comments; what stands in quotes is left as it is, a block of PL/pgSQL too. */
export function withoutComments(sql: string, server: "postgres" | "mysql"): string {
  return replacedQuoted(sql, server, (quoted) => (COMMENT.test(quoted) ? " " : quoted));
}

/** SQL of PostgreSQL without its comments, also in blocks and whatever else stands between dollar signs. */
export function withoutCommentsWithin(sql: string): string {
  return replacedQuoted(sql, "postgres", (quoted) => {
    if (COMMENT.test(quoted)) return " ";
    const [, tag, within = "", end = ""] = /^(\$[^$]*\$)([\s\S]*?)(\1)?$/.exec(quoted) ?? [];
    return tag === undefined ? quoted : tag + withoutCommentsWithin(within) + end;
  });
}

/**
 * SQL for MySQL or MariaDB in parts, each a quoted one as it is, or any other. Of comments a blank is left, and of those with
 * an exclamation mark what they hold, for the server runs that.
 */
export function partsOfMysql(sql: string): string[] {
  const parts: string[] = [];
  let at = 0;
  while (at < sql.length) {
    const bounds = matchAt(RUN_COMMENT, sql, at);
    const end = bounds === undefined ? endOfQuoted(sql, at, "mysql") : at + bounds.length;
    const text = sql.slice(at, end ?? at + (matchAt(WORD, sql, at)?.length ?? 1));
    parts.push(bounds !== undefined || (end !== undefined && COMMENT.test(text)) ? " " : text);
    at += text.length;
  }
  return parts;
}

function replacedQuoted(sql: string, server: "postgres" | "mysql", by: (quoted: string) => string): string {
  return partsOf(sql, server)
    .map(({ kind, text }) => (kind === "quoted" ? by(text) : text))
    .join("");
}

/** A word, a character, or all that stands in quotes or in a comment, with these. */
export interface SqlPart {
  readonly kind: "word" | "character" | "quoted";
  readonly text: string;
}

/** The parts of which SQL of a kind of server is made. */
export function partsOf(sql: string, server: "postgres" | "mysql"): SqlPart[] {
  const parts: SqlPart[] = [];
  for (let at = 0; at < sql.length;) {
    const end = endOfQuoted(sql, at, server);
    const word = end === undefined ? matchAt(WORD, sql, at) : undefined;
    const part: SqlPart =
      end !== undefined
        ? { kind: "quoted", text: sql.slice(at, end) }
        : { kind: word === undefined ? "character" : "word", text: word ?? sql.charAt(at) };
    parts.push(part);
    at += part.text.length;
  }
  return parts;
}

function endOfQuoted(sql: string, at: number, server: "postgres" | "mysql"): number | undefined {
  if (sql.startsWith("/*", at)) return endOfComment(sql, at, server === "postgres");
  for (const quoted of server === "postgres" ? QUOTED_IN_POSTGRES : QUOTED_IN_MYSQL) {
    const text = matchAt(quoted, sql, at);
    if (text !== undefined) return at + text.length;
  }
  return undefined;
}

/** Comments of PostgreSQL may stand in one another. */
function endOfComment(sql: string, start: number, nested: boolean): number {
  let depth = 0;
  for (let at = start; at < sql.length;) {
    if (sql.startsWith("*/", at)) {
      depth = nested ? depth - 1 : 0;
      at += 2;
      if (depth === 0) return at;
    } else if (sql.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else {
      at++;
    }
  }
  return sql.length;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
