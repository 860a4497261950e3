/** Stands in SQL for what a program puts there. No rule looks at it. */
export const PLACEHOLDER = "\uE000";

export type TokenKind =
  "name" | "string" | "number" | "parameter" | "operator" | "punctuation" | "placeholder";

/** A piece of PostgreSQL's SQL. */
export interface Token {
  readonly kind: TokenKind;
  /** As it is written; of a name `pg_catalog.pg_roles` all of it. */
  readonly text: string;
  /** The word in capitals, if it is one without quotes and without a schema. */
  readonly word?: string;
  /** Of a name: its parts, without quotes. */
  readonly parts?: readonly string[];
  /** Of a string: what it holds. */
  readonly value?: string;
  /** Line of the text that it begins in, from 1. */
  readonly line: number;
}

const PATTERNS: readonly (readonly [TokenKind | "nothing", RegExp])[] = [
  ["nothing", /\s+/y],
  ["nothing", /--[^\n]*/y],
  // A command of psql's.
  ["nothing", /(?<=^|\n)\\[^\n]*/y],
  ["string", /[eE]'(?:[^'\\]|''|\\[\s\S])*'/y],
  ["string", /(?:[uU]&|[bBxXnN])?'(?:[^']|'')*'/y],
  ["string", /\$([A-Za-z_\uE000][\w\uE000]*)?\$[\s\S]*?\$\1\$/y],
  // A variable of psql's, as a literal.
  ["string", /:'[A-Za-z_]\w*'/y],
  ["parameter", /\$\d+/y],
  ["number", /\d+(?:\.(?!\.)\d*)?(?:[eE][-+]?\d+)?|\.\d+/y],
  ["placeholder", /\uE000(?![\w\uE000])/y],
  ["name", /(?:[uU]&)?"(?:[^"]|"")*"|:"[A-Za-z_]\w*"|[A-Za-z_\u0080-\uFFFF][\w$\u0080-\uFFFF]*/y],
  ["punctuation", /::|:=|\.\.|[()[\],;.:]/y],
  ["operator", /[-+*/<>=~!@#%^&|`?]+/y],
];

/** Takes SQL apart as PostgreSQL does, comments left out. What is no SQL at all is left out as well. */
export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  for (let at = 0; at < sql.length;) {
    const [kind, text] = next(sql, at);
    if (kind !== "nothing") found.push(token(kind, text, line));
    line += text.split("\n").length - 1;
    at += text.length;
  }
  return joined(found);
}

function next(sql: string, at: number): readonly [TokenKind | "nothing", string] {
  if (sql.startsWith("/*", at)) return ["nothing", blockComment(sql, at)];
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(sql)?.[0];
    if (match !== undefined && match !== "") {
      return [kind, kind === "operator" ? operator(match) : match];
    }
  }
  return ["nothing", sql.slice(at, at + 1)];
}

/** They nest. */
function blockComment(sql: string, start: number): string {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  for (let depth = 0, match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return sql.slice(start, edge.lastIndex);
  }
  return sql.slice(start);
}

/** A comment ends it; a sign at its end belongs to what follows, unless it holds one of PostgreSQL's other characters. */
function operator(text: string): string {
  const upToComment = text.split(/--|\/\*/)[0] ?? "";
  if (upToComment === "") return text;
  return /[~!@#%^&|`?]/.test(upToComment) ? upToComment : upToComment.replace(/(?<=.)[-+]+$/, "");
}

function token(kind: TokenKind, text: string, line: number): Token {
  if (kind === "name") {
    const isQuoted = text.includes('"');
    const part = isQuoted ? text.slice(text.indexOf('"') + 1, -1).replaceAll('""', '"') : text.toLowerCase();
    return { kind, text, line, parts: [part], ...(!isQuoted && { word: text.toUpperCase() }) };
  }
  return kind === "string" ? { kind, text, line, value: valueOf(text) } : { kind, text, line };
}

function valueOf(text: string): string {
  const tag = /^\$[^$]*\$/.exec(text)?.[0];
  if (tag !== undefined) return text.slice(tag.length, -tag.length);
  const inside = text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'");
  return /^e/i.test(text) ? inside.replaceAll(/\\([\s\S])/g, "$1") : inside;
}

/** Joins `pg_catalog`, `.` and `pg_roles` to one name. */
function joined(list: readonly Token[]): Token[] {
  const found: Token[] = [];
  const isName = (one: Token | undefined) => one?.kind === "name" || one?.kind === "placeholder";
  for (const one of list) {
    const before = found.at(-1);
    const beforeThat = found.at(-2);
    if (isName(one) && before?.text === "." && isName(beforeThat)) {
      found.splice(-2, 2, {
        kind: "name",
        text: `${beforeThat!.text}.${one.text}`,
        parts: [...(beforeThat!.parts ?? [PLACEHOLDER]), ...(one.parts ?? [PLACEHOLDER])],
        line: beforeThat!.line,
      });
    } else found.push(one);
  }
  return found;
}
