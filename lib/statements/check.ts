import { ConfigurationError, show } from "../errors";
import { checkPlaceholders, mayHold } from "./placeholders";
import { powerIn } from "./postgres-powers";
import { trimmed } from "./sent";
import { checkSplitting } from "./splitting";

/** When the engine runs the SQL of a PostgreSQL role or connection. */
export type StatementKind = "creation" | "renewal" | "revocation" | "rotation" | "root rotation";

const REQUIRED: Readonly<Record<StatementKind, readonly (readonly string[])[]>> = {
  creation: [["{{name}}", "{{username}}"], ["{{password}}"]],
  renewal: [["{{name}}", "{{username}}"], ["{{expiration}}"]],
  revocation: [["{{name}}", "{{username}}"]],
  rotation: [["{{name}}", "{{username}}"], ["{{password}}"]],
  "root rotation": [["{{name}}", "{{username}}"], ["{{password}}"]],
};

const KNOWN = ["{{name}}", "{{username}}", "{{password}}", "{{expiration}}"];
/** A static password does not expire in PostgreSQL; the engine sets another instead. */
const KNOWN_IN_ROTATION = KNOWN.filter((placeholder) => placeholder !== "{{expiration}}");

/**
 * Checks SQL that the user wrote for a role and returns it. What only Terraform knows is not seen: a list that is a token
 * passes, and a token in a statement hides itself.
 *
 * @param role name of the role, for the message
 * @param allowSuperuser whether SQL may make superusers, and give other powers that no revocation is sure to end
 * @param engineLogin name of the login that the engine uses, where it is known, of which nobody is to become a member
 * @throws ConfigurationError if the list is empty, lacks a placeholder, holds one that no engine fills, would be
 *   split at a semicolon that ends no statement, or makes superusers and their kind without permission
 */
export function checkStatements(
  role: string,
  kind: StatementKind,
  statements: readonly string[],
  allowSuperuser = false,
  engineLogin?: string,
): string[] {
  const rotates = kind === "rotation" || kind === "root rotation";
  const known = rotates ? KNOWN_IN_ROTATION : KNOWN;
  const sql = checkPlaceholders(role, kind, statements, {
    required: REQUIRED[kind],
    known,
    server: "postgres",
  });
  const keepsBlocks = kind === "creation" || kind === "revocation";
  checkSplitting(sql.statements, { role, kind, server: "postgres", keepsBlocks });
  if (!allowSuperuser && mayHold(sql.text, "SUPERUSER")) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} make a superuser.`,
      rotates
        ? "Set the password only; what else the login is, is not for its rotation to change."
        : "Grant the rights that are needed through a base role, or set allowSuperuser: true if there is no other way.",
    );
  }
  // A revocation takes such powers away, and so names them.
  const power = allowSuperuser || kind === "revocation" ? undefined : powerIn(sql.text, engineLogin);
  if (power !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} give ${power.name}: ${power.why}.`,
      rotates
        ? "Set the password only; what else the login is, is not for its rotation to change."
        : "Grant the rights that are needed through a base role, or set allowSuperuser: true if there is no other way.",
    );
  }
  return trimmed(statements);
}
