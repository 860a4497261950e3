import { createHash } from "node:crypto";
import { isUnresolved } from "../names";
import type { PostgresEndpoint } from "./postgres-endpoint";

/** What tells one connection's server and database from another's. */
export interface IssuedFrom {
  /** Name of the connection. */
  readonly name: string;
  /** Name of the database. */
  readonly database: string;
  readonly endpoint?: PostgresEndpoint;
  readonly connectionUrl?: string;
}

/**
 * How the names of the users begin that a connection issues: `v-`, six characters that stand for its server and database,
 * and `-`. A revocation that does not find such a user knows from it that the user was here.
 *
 * @returns undefined where only Terraform knows all that would tell
 */
export function issuedNamePrefix(from: IssuedFrom): string | undefined {
  const { endpoint, connectionUrl } = from;
  const server = endpoint
    ? [endpoint.host, endpoint.port ?? 5432, from.database]
    : [connectionUrl?.replace(/\?.*$/s, "")];
  const known = [server, [from.name]].find((parts) => !parts.some(isUnresolved));
  if (known === undefined) return undefined;
  return `v-${createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 6)}-`;
}

/**
 * Template for the names of users. Unlike the engine's own, it holds nothing of what an identity provider says of whoever
 * asks, for names get into SQL as they are.
 *
 * @param prefix as {@link issuedNamePrefix} makes it
 */
export function issuedNameTemplate(prefix: string | undefined): string {
  return `${prefix ?? "v-"}{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}`;
}
