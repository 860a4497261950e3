import { ConfigurationError, show } from "../errors";
import { checkPlaceholders, type Placeholders } from "./placeholders";

/** What the engine runs: for MySQL it has nothing to renew. */
export type MysqlStatementKind = "creation" | "revocation" | "root rotation";

const NAME = ["{{name}}", "{{username}}"];
const PLACEHOLDERS: Readonly<Record<MysqlStatementKind, Placeholders>> = {
  creation: { required: [NAME, ["{{password}}"]], known: [...NAME, "{{password}}", "{{expiration}}"] },
  revocation: { required: [NAME], known: NAME },
  "root rotation": { required: [NAME, ["{{password}}"]], known: [...NAME, "{{password}}"] },
};

/** Rights over the whole server, or to hand on what one has. */
const ALL_OF_THE_SERVER = /\bSUPER\b|\bALL(\s+PRIVILEGES)?\s+ON\s+\*\s*\.\s*\*|\bWITH\s+GRANT\s+OPTION\b/i;

/**
 * Checks SQL that the user wrote for a role on MySQL or MariaDB and returns it.
 *
 * @param role name of the role, for the message
 * @param allowSuperuser whether SQL may give all rights on the server, or rights that can be handed on
 * @throws ConfigurationError if the list is empty, lacks a placeholder, holds one that the engine does not fill, would be
 *   split in the middle of a block, or gives such rights without permission
 */
export function checkMysqlStatements(
  role: string,
  kind: MysqlStatementKind,
  statements: readonly string[],
  allowSuperuser = false,
): string[] {
  const sql = checkPlaceholders(role, kind, statements, PLACEHOLDERS[kind]);
  if (sql === undefined) return [...statements];
  if (/^\s*DELIMITER\b/im.test(sql)) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} set a DELIMITER.`,
      "That is a command of the mysql client and no SQL: write a block as a JSON list of one, JSON.stringify([block]).",
    );
  }
  const block = statements.find((statement) => /^\s*BEGIN\b[\s\S]*;/i.test(statement));
  if (block !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} hold a block with semicolons: ${show(block)}`,
      "The engine would split it there: write it as a JSON list of one, JSON.stringify([block]).",
    );
  }
  if (!allowSuperuser && ALL_OF_THE_SERVER.test(sql)) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} give all rights on the server, or rights that can be handed on.`,
      "Grant the rights that are needed on a database, or set allowSuperuser: true if there is no other way.",
    );
  }
  return [...statements];
}
