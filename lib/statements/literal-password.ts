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
  for (const [index, part] of code.entries()) {
    const keyword = part.kind === "word" ? keywordAt(code, index) : undefined;
    const text = keyword && textAfter(code, index, server);
    if (text !== undefined && !FILLED.test(text) && (keyword !== "AS" || HASH.test(text))) {
      return keyword === "AS" ? "IDENTIFIED" : keyword;
    }
  }
  const within = parts.filter(({ kind }) => kind === "quoted").map(({ text }) => contentOf(text));
  if (within.some(isConnection)) return "password of a connection";
  return within.map((text) => literalPassword(text, server)).find((found) => found !== undefined);
}

/** What is said by the word, where a text behind it is a password. */
function keywordAt(code: readonly SqlPart[], index: number): "PASSWORD" | "IDENTIFIED BY" | "AS" | undefined {
  const word = code[index]!.text.toUpperCase();
  if (word.endsWith("PASSWORD")) return "PASSWORD";
  const before = wordsBefore(code, index);
  // `SET PASSWORD FOR 'user'@'host' = '…'`: behind the user there is nothing else.
  if (word === "FOR" && before.at(-1) === "PASSWORD") return "PASSWORD";
  const identifies = before.slice(-4).includes("IDENTIFIED");
  if (word === "BY" && identifies) return "IDENTIFIED BY";
  if (word === "REPLACE" && before.includes("IDENTIFIED")) return "IDENTIFIED BY";
  return (word === "AS" || word === "USING") && identifies ? "AS" : undefined;
}

/** Words of the same statement. */
function wordsBefore(code: readonly SqlPart[], index: number): readonly string[] {
  const begin = code.slice(0, index).findLastIndex(({ text }) => text === ";");
  const words = code.slice(begin + 1, index).filter(({ kind }) => kind === "word");
  return words.map(({ text }) => text.toUpperCase());
}

/** The text to which a keyword belongs, without its quotes. */
function textAfter(code: readonly SqlPart[], index: number, server: Server): string | undefined {
  const isFor = code[index]!.text.toUpperCase() === "FOR";
  const end = code.findIndex(({ text }, at) => at > index && text === ";");
  const rest = code.slice(index + 1, end === -1 ? undefined : end);
  const from = isFor ? rest.findIndex(({ text }) => text === "=") : 0;
  if (from === -1) return undefined;
  const next = rest.slice(from).find(({ kind, text }) => kind === "quoted" || !BEFORE_TEXT.test(text));
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
