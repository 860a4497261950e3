import { ConfigurationError, show } from "../errors";
import { terraformText } from "../terraform-text";
import { isUnresolved, withStandIns } from "../tokens";
import { withoutComments } from "./bare-sql";
import { literalPassword } from "./literal-password";
import { listWithin } from "./sent";
import { UNKNOWN } from "./unknown";

/** What an engine fills in SQL of a kind. */
export interface Placeholders {
  /** Those that must be there, each with the names that an engine takes for it. */
  readonly required: readonly (readonly string[])[];
  /** Those that may be there. */
  readonly known: readonly string[];
  /** Whose SQL it is: what a comment is depends on that. */
  readonly server: "postgres" | "mysql";
}

/** A statement list as far as it is known. */
export interface KnownSql {
  /** The elements, with {@link UNKNOWN} for each token. */
  readonly statements: readonly string[];
  /** All of it to search in: the elements, and the lists that an engine takes them for. */
  readonly text: string;
}

/**
 * Checks a list of SQL as far as that does not depend on the kind of server, and returns what is known of it to look further.
 * A token of CDKTF hides itself and nothing else; a list that is a token passes, and so does what Terraform alone knows.
 *
 * @throws ConfigurationError if the list is empty, lacks a placeholder, holds one that no engine fills, or a password in
 *   clear text, which it does not show
 */
export function checkPlaceholders(
  role: string,
  kind: string,
  given: readonly string[],
  { required, known, server }: Placeholders,
): KnownSql {
  if (given.length === 0 || given.some((statement) => statement.trim() === "")) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} are empty.`,
      "Give at least one SQL statement and no empty ones, or leave the property out for the preset.",
    );
  }
  given.forEach((statement) => terraformText(`SQL of role ${show(role)}`, statement));
  const statements = given.map((statement) => withStandIns(statement, UNKNOWN));
  const read = statements.flatMap((element) => [element, ...(listWithin(element) ?? [])]);
  const keyword = read.map((element) => literalPassword(element, server)).find((each) => each !== undefined);
  const inTheClear = `a password in clear text (${keyword}), which would stand in the synthesized file, in the plan, in the state and in Vault`;
  const text = read.join("\n");
  // What is missing may be in a token.
  const complete = !given.some(isUnresolved);
  const code = withoutComments(text, server);
  for (const names of required) {
    if (complete && !names.some((name) => code.includes(name))) {
      throw new ConfigurationError(
        `The ${kind} statements of role ${show(role)} do not use ${names[0]}.`,
        "The engine puts its value there; without it, outside comments, the SQL cannot work. " +
          (keyword === undefined ? `Got: ${show(text)}` : `It holds ${inTheClear}.`),
      );
    }
  }
  // Before all that shows the SQL.
  if (keyword !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} hold ${inTheClear}.`,
      "Write '{{password}}', for which the engine puts one that it makes, or have the SQL read it where only the server can.",
    );
  }
  const unknown = (text.match(/\{\{.*?\}\}/gs) ?? []).find(
    (placeholder) => !placeholder.includes(UNKNOWN) && !known.includes(placeholder),
  );
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} use ${show(unknown)}.`,
      `The engine fills only ${known.join(", ")}, written without spaces.`,
    );
  }
  return { statements, text };
}

/**
 * Whether SQL holds a keyword, or a part of it that a token may make whole: `SUPER` before a token, as part of SUPERUSER.
 *
 * @param text as in {@link KnownSql}
 */
export function mayHold(text: string, keyword: string): boolean {
  if (new RegExp(`\\b${keyword}\\b`, "i").test(text)) return true;
  const words = text.match(new RegExp(`[\\w${UNKNOWN}]+`, "g")) ?? [];
  return words.some((word) => {
    const letters = word.replaceAll(UNKNOWN, "");
    // Of two or three letters every name begins with some keyword.
    if (letters.length === word.length || letters.length < Math.min(5, keyword.length)) return false;
    return new RegExp(`^${word.replaceAll(UNKNOWN, "\\w*")}$`, "i").test(keyword);
  });
}
