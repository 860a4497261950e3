/**
 * What an engine sends of one element of a statement list, in each way in which engines may read it: they take an element
 * for a list if it is JSON, or JSON in base64, and split it at every semicolon otherwise.
 *
 * @param keepsBlocks whether they send an element with the word END as it is: for PostgreSQL's creation and revocation
 */
export function sentStatements(element: string, keepsBlocks: boolean): SentStatements[] {
  if (!keepsBlocks) return [splitUp(element)];
  const readings = [withoutQuoted(element, "all"), withoutQuoted(element, "last")].map((text) =>
    /\bEND\b/.test(text) ? "whole" : "split",
  );
  return [...new Set(readings)].map((reading) =>
    reading === "split" ? splitUp(element) : { way: "whole", statements: [element] },
  );
}

/** The statements of one element. */
export interface SentStatements {
  /** `list`: as a list that the element is; `whole`: as the element is; `split`: parted at every semicolon. */
  readonly way: "list" | "whole" | "split";
  readonly statements: readonly string[];
}

/** The list that an element is to an engine, by JSON or base64; undefined for all others. */
export function listWithin(element: string): readonly string[] | undefined {
  const given = element.trim();
  const text = decoded(given);
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  } catch {
    // Split at semicolons, then.
  }
  return text === given ? undefined : text.split(";");
}

function splitUp(element: string): SentStatements {
  const list = listWithin(element);
  return list === undefined
    ? { way: "split", statements: element.split(";") }
    : { way: "list", statements: list };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decoded(text: string): string {
  const given = text.replaceAll(/[\r\n]/g, "");
  return BASE64.test(given) ? Buffer.from(given, "base64").toString("utf8") : text;
}

/**
 * Where the engines look for END: outside of what stands in quotes, of which those of today (Vault 1.21, OpenBao 2.7) leave
 * out the last only.
 */
function withoutQuoted(text: string, which: "all" | "last"): string {
  const quoted = [...(text.match(/".*?"/g) ?? []), ...(text.match(/'.*?'/g) ?? [])];
  return (which === "all" ? quoted : quoted.slice(-1)).reduce(
    (rest, each) => rest.replaceAll(each, ""),
    text,
  );
}

/** As the engines keep a list: without white space around its elements, of which the plan would else be for ever. */
export function trimmed(statements: readonly string[]): string[] {
  return statements.map((statement) => statement.trim());
}
