import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import { show } from "../errors";
import { mayHold, UNKNOWN } from "../statements/placeholders";
import { withStandIns } from "../tokens";

/** What no revocation undoes; SUPERUSER is refused where it is not allowed. */
const POWERS: readonly (readonly [keyword: string, what: string])[] = [
  ["CREATEROLE", "makes logins of its own, which no revocation ends"],
  ["REPLICATION", "copies the whole server, past every right"],
  ["BYPASSRLS", "reads and changes rows past their policies"],
  ["CREATEDB", "makes databases that nobody drops"],
  ["pg_execute_server_program", "runs programs on the server"],
  ["pg_write_server_files", "writes files on the server"],
  ["pg_read_server_files", "reads files on the server"],
  ["pg_read_all_data", "reads every table"],
  ["pg_write_all_data", "writes every table"],
  ["pg_signal_backend", "ends sessions of others"],
];

/** Membership in the login that a server is set up with. */
const OF_SUPERUSER = /\b(?:IN\s+(?:ROLE|GROUP)|GRANT)\s+(?:[^;]*,\s*)?"?postgres"?\s*(?:,|;|$|TO\b|\n)/i;

/**
 * Warns of SQL of the user's own that makes users with powers beyond rights on a database, which a revocation cannot be sure to
 * have ended. It is not refused, since such SQL is there for what the preset does not do; but a review should see it.
 */
export function warnOfPowers(scope: Construct, role: string, statements: readonly string[] = []): void {
  const sql = statements.map((each) => withStandIns(each, UNKNOWN)).join("\n");
  const found = POWERS.filter(([keyword]) => mayHold(sql, keyword)).map(
    ([keyword, what]) => `${keyword}, which ${what}`,
  );
  if (OF_SUPERUSER.test(sql)) found.push("membership in postgres, which is the superuser of most servers");
  if (found.length === 0) return;
  Annotations.of(scope).addWarning(
    `The SQL of the role ${show(role)} gives ${found.join("; ")}. Whoever has a credential of it can do what its end does not ` +
      "undo: give the rights that are needed to a base role instead, or look after it by hand.",
  );
}
