import { partsOfMysql } from "./bare-sql";

/** SQL in which only words are left that stand for themselves. */
export interface PlainMysql {
  /** Without comments; a quoted name or text is there as its number in quotes of its kind: `` `3` ``. */
  readonly text: string;
  /** A name as it stands in the text, without quotes and what they double. */
  readonly nameOf: (written: string) => string;
}

/**
 * What a MySQL or MariaDB server runs of SQL: what stands in a comment with an exclamation mark as well, and what each quoted
 * text holds by itself, as it may be run by EXECUTE IMMEDIATE.
 */
export function plainMysql(sql: string): PlainMysql[] {
  const quoted: string[] = [];
  let text = "";
  for (const part of partsOfMysql(sql)) {
    const quote = /^[`"']/.exec(part)?.[0];
    text += quote === undefined ? part : `${quote}${quoted.push(unquoted(part)) - 1}${quote}`;
  }
  const nameOf = (written: string) => {
    const number = /^(['"`])(\d+)\1$/.exec(written)?.[2];
    return number === undefined ? written : (quoted[Number(number)] ?? "");
  };
  const within = quoted.filter((each) => /\bGRANT\b/i.test(each)).flatMap(plainMysql);
  return [{ text, nameOf }, ...within];
}

function unquoted(part: string): string {
  const quote = part.charAt(0);
  return part
    .slice(1)
    .replace(new RegExp(`${quote}$`), "")
    .replaceAll(quote + quote, quote);
}
