import { ConfigurationError, show } from "../errors";
import { isUnresolved, noTerraformTemplate } from "../names";

export type StatementKind = "creation" | "renewal" | "revocation" | "rotation";

/** Placeholders that must be there, each with the names that an engine takes for it. */
const REQUIRED: Readonly<Record<StatementKind, readonly (readonly string[])[]>> = {
  creation: [["{{name}}", "{{username}}"], ["{{password}}"]],
  renewal: [["{{name}}", "{{username}}"], ["{{expiration}}"]],
  revocation: [["{{name}}", "{{username}}"]],
  rotation: [["{{name}}", "{{username}}"], ["{{password}}"]],
};

const KNOWN = ["{{name}}", "{{username}}", "{{password}}", "{{expiration}}"];
/** A static password does not expire in PostgreSQL; the engine sets another instead. */
const KNOWN_IN_ROTATION = KNOWN.filter((placeholder) => placeholder !== "{{expiration}}");

/**
 * Checks SQL that the user wrote for a role and returns it.
 *
 * @param role name of the role, for the message
 * @param allowSuperuser whether SQL may make superusers
 * @throws ConfigurationError if the list is empty, lacks a placeholder, holds one that no engine fills, or makes
 *   superusers without permission
 */
export function checkStatements(
  role: string,
  kind: StatementKind,
  statements: readonly string[],
  allowSuperuser = false,
): string[] {
  if (statements.length === 0 || statements.some((statement) => statement.trim() === "")) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} are empty.`,
      "Give at least one SQL statement and no empty ones, or leave the property out for the preset.",
    );
  }
  // What only Terraform knows cannot be searched here.
  if (statements.some(isUnresolved)) return [...statements];

  const sql = statements.join("\n");
  statements.forEach((statement) => noTerraformTemplate(`SQL of role ${show(role)}`, statement));
  for (const names of REQUIRED[kind]) {
    if (!names.some((name) => sql.includes(name))) {
      throw new ConfigurationError(
        `The ${kind} statements of role ${show(role)} do not use ${names[0]}.`,
        `The engine puts its value there; without it the SQL cannot work. Got: ${show(sql)}`,
      );
    }
  }
  const known = kind === "rotation" ? KNOWN_IN_ROTATION : KNOWN;
  const unknown = (sql.match(/\{\{.*?\}\}/gs) ?? []).find((placeholder) => !known.includes(placeholder));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} use ${show(unknown)}.`,
      `The engine fills only ${known.join(", ")}, written without spaces.`,
    );
  }
  if (!allowSuperuser && /\bSUPERUSER\b/i.test(sql)) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} make a superuser.`,
      kind === "rotation"
        ? "Set the password only; what else the login is, is not for its rotation to change."
        : "Grant the rights that are needed through a base role, or set allowSuperuser: true if there is no other way.",
    );
  }
  return [...statements];
}
