import { partsOf, type SqlPart } from "./bare-sql";
import { UNKNOWN } from "./unknown";

type Server = "postgres" | "mysql";

const COMMENT = /^(?:--|\/\*|#)/;
/** What may stand between a keyword and a text: an assignment, a call, and how the text is written (`U&'…'`, `_utf8'…'`). */
const BEFORE_TEXT = /^(?:[\s=:(&]|U|N|X|B|_\w+)$/i;
/** A password as MySQL and MariaDB keep it; other texts name a user of the system, or a service. */
const HASH = /^\*[0-9A-F]{40}$|^\$A\$|^0x[0-9A-F]{20,}$/i;
/** A place that is filled later: by the engine, by Terraform, or by the statement that the text becomes. */
const FILLED = new RegExp(`\\{\\{.*\\}\\}|${UNKNOWN}|^(?:%[sIL]|%\\d+\\$[sIL]|\\$\\d+|\\?|)$`, "s");
const CONNECTION = /\b(?:host|hostaddr|dbname|user|port|service)\s*=/i;
const PASSWORD_OF_CONNECTION = /\b(?:ssl)?password\s*=\s*'*(?![\s'{]|$)/i;
const PASSWORD_OF_URL = /:\/\/[^\s/?#@:]*:(?!\{\{)[^\s/@]+@/;

/**
 * The keyword before a password that SQL says in clear text, also in a comment, in a block and in a text that becomes SQL;
 * undefined if it says none.
 *
 * @param sql an element of a statement list, with {@link UNKNOWN} for each token
 */
export function literalPassword(sql: string, server: Server): string | undefined {
  const parts = partsOf(sql, server);
  const code = parts.filter(({ kind, text }) => kind !== "quoted" || !COMMENT.test(text));
  let before: string[] = [];
  for (const [index, { kind, text }] of code.entries()) {
    if (text === ";") before = [];
    if (kind !== "word") continue;
    const word = text.toUpperCase();
    const keyword = keywordOf(word, before);
    const password = keyword && textAfter(code, index + 1, { server, isFor: word === "FOR" });
    if (password !== undefined && !FILLED.test(password) && (keyword !== "AS" || HASH.test(password))) {
      return keyword === "AS" ? "IDENTIFIED" : keyword;
    }
    before.push(word);
  }
  const within = parts.filter(({ kind }) => kind === "quoted").map(({ text }) => contentOf(text));
  if (within.some(isConnection)) return "password of a connection";
  return within.map((text) => literalPassword(text, server)).find((found) => found !== undefined);
}

/**
 * What is said by a word, where a text behind it is a password.
 *
 * @param before the words of the same statement before it
 */
function keywordOf(word: string, before: readonly string[]): "PASSWORD" | "IDENTIFIED BY" | "AS" | undefined {
  const isOneOf = (...words: string[]) => words.includes(word);
  // `SET PASSWORD FOR 'user'@'host' = '…'`
  if (word.endsWith("PASSWORD") || (isOneOf("FOR") && before.at(-1) === "PASSWORD")) return "PASSWORD";
  // `IDENTIFIED WITH plugin BY`; an earlier password is said after the new one.
  const identifies = before.slice(-4).includes("IDENTIFIED");
  if ((isOneOf("BY") && identifies) || (isOneOf("REPLACE") && before.includes("IDENTIFIED"))) {
    return "IDENTIFIED BY";
  }
  return isOneOf("AS", "USING") && identifies ? "AS" : undefined;
}

/** The text to which a keyword belongs, without its quotes. */
function textAfter(
  code: readonly SqlPart[],
  start: number,
  { server, isFor }: { readonly server: Server; readonly isFor: boolean },
): string | undefined {
  let at = start;
  // Past the user that it is for.
  if (isFor) while (at < code.length && !["=", ";"].includes(code[at]!.text)) at++;
  while (at < code.length && code[at]!.kind !== "quoted" && BEFORE_TEXT.test(code[at]!.text)) at++;
  const next = code[at];
  const isText = server === "mysql" ? /^['"]/ : /^(?:[eE]?'|\$)/;
  return next?.kind === "quoted" && isText.test(next.text) ? contentOf(next.text) : undefined;
}

/** What stands in quotes or in a comment, as it is read where it is SQL itself. */
function contentOf(quoted: string): string {
  if (COMMENT.test(quoted)) return quoted.replace(/^(?:--|#|\/\*(?:M?!\d*)?)|\*\/$/g, "");
  const [dollar = ""] = /^\$\w*\$/.exec(quoted) ?? [];
  if (dollar !== "") return quoted.slice(dollar.length).replace(dollar, "");
  const inner = quoted.replace(/^[eE]?["'`]/, "").replace(/["'`]$/, "");
  return inner.replaceAll("''", "'").replaceAll(/\\(['"])/g, "$1");
}

/** For `dblink` and the like. */
function isConnection(text: string): boolean {
  return PASSWORD_OF_URL.test(text) || (CONNECTION.test(text) && PASSWORD_OF_CONNECTION.test(text));
}
