import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import { terraformText } from "../terraform-text";

/** What an engine fills in SQL of a kind. */
export interface Placeholders {
  /** Those that must be there, each with the names that an engine takes for it. */
  readonly required: readonly (readonly string[])[];
  /** Those that may be there. */
  readonly known: readonly string[];
}

/**
 * Checks a list of SQL as far as that does not depend on the kind of server, and returns the whole text to look further;
 * undefined where only Terraform knows it.
 *
 * @throws ConfigurationError if the list is empty, lacks a placeholder, or holds one that no engine fills
 */
export function checkPlaceholders(
  role: string,
  kind: string,
  statements: readonly string[],
  { required, known }: Placeholders,
): string | undefined {
  if (statements.length === 0 || statements.some((statement) => statement.trim() === "")) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} are empty.`,
      "Give at least one SQL statement and no empty ones, or leave the property out for the preset.",
    );
  }
  // What only Terraform knows cannot be searched here.
  if (statements.some(isUnresolved)) return undefined;

  const sql = statements.join("\n");
  statements.forEach((statement) => terraformText(`SQL of role ${show(role)}`, statement));
  for (const names of required) {
    if (!names.some((name) => sql.includes(name))) {
      throw new ConfigurationError(
        `The ${kind} statements of role ${show(role)} do not use ${names[0]}.`,
        `The engine puts its value there; without it the SQL cannot work. Got: ${show(sql)}`,
      );
    }
  }
  const unknown = (sql.match(/\{\{.*?\}\}/gs) ?? []).find((placeholder) => !known.includes(placeholder));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} use ${show(unknown)}.`,
      `The engine fills only ${known.join(", ")}, written without spaces.`,
    );
  }
  return sql;
}
