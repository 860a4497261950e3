import { createHash } from "node:crypto";

/** Characters of the digest that are kept: it tells an accident, and outputs stay small. */
const LENGTH = 16;

/** Stands for a list of SQL in the outputs, to compare it with the list that the engine has, which trims each element. */
export function statementsDigest(statements: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify(statements.map((sql) => sql.trim())))
    .digest("hex")
    .slice(0, LENGTH);
}
