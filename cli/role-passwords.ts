import { escapeIdentifier, type Client } from "pg";
import type { Finding } from "./finding";
import { sqlState, SqlState } from "./postgres-login";

/** Whether roles have a password is seen by superusers, and through the views of docs/rights/operator-login.sql. */
const SCHEMA = "credentials_operator";

/** Those of the logins that have none; undefined where that may not be seen. */
export function loginsWithoutPassword(
  client: Client,
  names: readonly string[],
): Promise<string[] | undefined> {
  return listed(client, "logins_without_password", "rolpassword IS NULL", names);
}

/** Those of the roles that nobody logs in as and that have one all the same; undefined where that may not be seen. */
export function groupsWithPassword(client: Client, names: readonly string[]): Promise<string[] | undefined> {
  return listed(client, "groups_with_password", "rolpassword IS NOT NULL AND NOT rolcanlogin", names);
}

/** Undefined where the view is not there, or its owner may not look either. */
async function listed(
  client: Client,
  view: string,
  condition: string,
  names: readonly string[],
): Promise<string[] | undefined> {
  for (const from of [`${SCHEMA}.${view} WHERE`, `pg_catalog.pg_authid WHERE ${condition} AND`]) {
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT rolname::pg_catalog.text AS name FROM ${from} rolname OPERATOR(pg_catalog.=) ANY ($1)`,
        [names],
      );
      return rows.map(({ name }) => name);
    } catch (error) {
      const state = sqlState(error) ?? "";
      const expected: readonly string[] = [
        SqlState.insufficientPrivilege,
        SqlState.undefinedTable,
        SqlState.invalidSchema,
      ];
      if (!expected.includes(state)) throw error;
    }
  }
  return undefined;
}

/** Whoever acts as a base role can give it a password, up to PostgreSQL 17 one that is slow to load for each of its users. */
export function groupPasswordFindings(names: readonly string[]): Finding[] {
  return names.map((name) => ({
    kind: "hindering-setting",
    subject: name,
    detail:
      "it has a password, which nobody logs in with; up to PostgreSQL 17 it may be so large that each session that becomes the role takes " +
      "seconds and memory to load it",
    remedy: `Find out who set it. As the login that deploys, or a superuser: ALTER ROLE ${escapeIdentifier(name)} PASSWORD NULL;`,
  }));
}
