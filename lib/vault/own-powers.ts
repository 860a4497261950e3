import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import { show } from "../errors";
import { mayHold } from "../statements/placeholders";
import { UNKNOWN } from "../statements/unknown";
import { withStandIns } from "../tokens";

/** What goes beyond the rights of a base role; what is refused unless it is allowed is not among them. */
const POWERS: readonly (readonly [keyword: string, what: string])[] = [
  ["CREATEDB", "makes databases that nobody drops"],
  ["pg_read_all_data", "reads every table"],
  ["pg_write_all_data", "writes every table"],
  ["pg_signal_backend", "ends sessions of others"],
];

/** Membership in the login that a server is set up with. */
const OF_SUPERUSER = /\b(?:IN\s+(?:ROLE|GROUP)|GRANT)\s+(?:[^;]*,\s*)?"?postgres"?\s*(?:,|;|$|TO\b|\n)/i;

/**
 * Warns of SQL of the user's own that makes users with powers beyond rights on a database. It is not refused, since such SQL is
 * there for what the preset does not do; but a review should see it.
 */
export function warnOfPowers(scope: Construct, role: string, statements: readonly string[] = []): void {
  const sql = statements.map((each) => withStandIns(each, UNKNOWN)).join("\n");
  const found = POWERS.filter(([keyword]) => mayHold(sql, keyword)).map(
    ([keyword, what]) => `${keyword}, which ${what}`,
  );
  if (OF_SUPERUSER.test(sql)) found.push("membership in postgres, which is the superuser of most servers");
  if (found.length === 0) return;
  Annotations.of(scope).addWarning(
    `The SQL of the role ${show(role)} gives ${found.join("; ")}. That is more than a database's rights: ` +
      "give those that are needed to a base role instead, or say allowSuperuser: true.",
  );
}
