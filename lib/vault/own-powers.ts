import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import { show } from "../errors";
import { powersToSee } from "../statements/postgres-powers";
import { UNKNOWN } from "../statements/unknown";
import { withStandIns } from "../tokens";

/**
 * Warns of SQL of the user's own that makes users with powers beyond rights on a database. It is not refused, since such SQL is
 * there for what the preset does not do; but a review should see it.
 */
export function warnOfPowers(scope: Construct, role: string, statements: readonly string[] = []): void {
  const found = powersToSee(statements.map((each) => withStandIns(each, UNKNOWN)).join("\n"));
  if (found.length === 0) return;
  Annotations.of(scope).addWarning(
    `The SQL of the role ${show(role)} gives ${found.join("; ")}. That is more than a database's rights: ` +
      "give those that are needed to a base role instead, or say allowSuperuser: true.",
  );
}
