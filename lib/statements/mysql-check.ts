import { ConfigurationError, show } from "../errors";
import { definingPrivilege, WHY_NO_DEFINERS } from "./mysql-definers";
import { databasePattern } from "./mysql-patterns";
import { serverPrivilege } from "./mysql-server-rights";
import { checkPlaceholders, mayHold, type Placeholders } from "./placeholders";
import { listWithin, trimmed } from "./sent";
import { checkSplitting } from "./splitting";

/** What the engine runs: for MySQL it has nothing to renew. */
export type MysqlStatementKind = "creation" | "revocation" | "root rotation";

const NAME = ["{{name}}", "{{username}}"];
const PLACEHOLDERS: Readonly<Record<MysqlStatementKind, Omit<Placeholders, "server">>> = {
  creation: { required: [NAME, ["{{password}}"]], known: [...NAME, "{{password}}", "{{expiration}}"] },
  revocation: { required: [NAME], known: NAME },
  "root rotation": { required: [NAME, ["{{password}}"]], known: [...NAME, "{{password}}"] },
};

/** Rights over the whole server, or to hand on what one has. */
const ALL_OF_THE_SERVER =
  /\bSUPER\b|\bALL(\s+PRIVILEGES)?\s+ON\s+\*\s*\.\s*\*|\bWITH\s+(GRANT|ADMIN)\s+OPTION\b/i;

/** Rights that the user's own SQL may give, each refused unless it is set. */
export interface MysqlAllowances {
  /**
   * All rights on the server, privileges of the whole server such as FILE, CREATE USER and RELOAD, or rights that can be
   * handed on; and so those below. @default false
   */
  readonly superuser?: boolean;
  /** To make views, triggers, routines and events, which fail for everybody once the user is dropped. @default false */
  readonly definers?: boolean;
  /** On all databases whose names are like a pattern, as `_` and `%` make one of a name. @default false */
  readonly patterns?: boolean;
}

/**
 * Checks SQL that the user wrote for a role on MySQL or MariaDB and returns it. What only Terraform knows is not seen: a list
 * that is a token passes, and a token in a statement hides itself.
 *
 * @param role name of the role, for the message
 * @param allowed what the SQL may give; `true` for all
 * @throws ConfigurationError if the list is empty, lacks a placeholder, holds one that the engine does not fill, would be
 *   split at a semicolon that ends no statement, or gives rights that are not allowed
 */
export function checkMysqlStatements(
  role: string,
  kind: MysqlStatementKind,
  statements: readonly string[],
  allowed: boolean | MysqlAllowances = false,
): string[] {
  const {
    superuser = false,
    definers = false,
    patterns = false,
  } = typeof allowed === "boolean" ? { superuser: allowed } : allowed;
  const sql = checkPlaceholders(role, kind, statements, { ...PLACEHOLDERS[kind], server: "mysql" });
  if (/^\s*DELIMITER\b/im.test(sql.text)) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} set a DELIMITER.`,
      "That is a command of the mysql client and no SQL: write a block as a JSON list of one, JSON.stringify([block]).",
    );
  }
  checkSplitting(sql.statements, { role, kind, server: "mysql", keepsBlocks: false });
  if (!superuser && (ALL_OF_THE_SERVER.test(sql.text) || mayHold(sql.text, "SUPER"))) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} give all rights on the server, or rights that can be handed on.`,
      "Grant the rights that are needed on a database, or set allowSuperuser: true if there is no other way.",
    );
  }
  // Of a list that stands in an element the engine takes the decoded one, in which a backslash is one.
  const sent = sql.statements.flatMap((element) => listWithin(element) ?? [element]);
  const privilege = superuser ? undefined : serverPrivilege(sent);
  if (privilege !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} grant ${privilege}, by which a user reaches beyond its databases.`,
      "Grant the rights that are needed on a database, or set allowSuperuser: true if there is no other way.",
    );
  }
  const defining = superuser || definers ? undefined : sent.map(definingPrivilege).find(Boolean);
  if (defining !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} grant ${defining}. ${WHY_NO_DEFINERS}`,
      "Let a login that lasts make them, in migrations, and grant without it; or set allowDefiners: true if each is given another definer in time.",
    );
  }
  const pattern = superuser || patterns ? undefined : sent.map(databasePattern).find(Boolean);
  if (pattern !== undefined) {
    throw new ConfigurationError(
      `The ${kind} statements of role ${show(role)} grant on the database ${show(pattern.database)}, in which "_" and "%" stand for any characters, and so on others as well.`,
      `Write ${pattern.escaped}, with the backslash doubled in TypeScript and in the grant of the engine's login too; or set allowDatabasePatterns: true if the others are meant.`,
    );
  }
  return trimmed(statements);
}
