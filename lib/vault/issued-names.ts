import { createHash } from "node:crypto";
import { Fn } from "cdktf";
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
 * and `-`. A revocation that does not find such a user knows from it that the user was here. Terraform makes them of what only it
 * knows, so that they change with the server as well.
 *
 * @returns undefined for a URL that only Terraform knows
 */
export function issuedNamePrefix({ database, endpoint, connectionUrl = "" }: IssuedFrom): string | undefined {
  if (endpoint === undefined)
    return isUnresolved(connectionUrl) ? undefined : prefixOf(placeOf(connectionUrl));
  const server = [endpoint.host, endpoint.port ?? 5432, database];
  if (!server.some(isUnresolved)) return prefixOf(server);
  // The same as the above, once it is known.
  return `v-${Fn.substr(Fn.sha256(Fn.jsonencode(server)), 0, DIGITS)}-`;
}

const DIGITS = 6;
/** Options of a URL that say where the server is, or which database. */
const PLACING = /^(host|hostaddr|port|dbname|database|service|servicefile)=/i;

function placeOf(connectionUrl: string): string[] {
  const [place = "", ...options] = connectionUrl.split(/[?&]/);
  return [place, ...options.map(decoded).filter((option) => PLACING.test(option))];
}

function decoded(option: string): string {
  return option.replaceAll(/%[0-9a-f]{2}/gi, (byte) => String.fromCharCode(parseInt(byte.slice(1), 16)));
}

function prefixOf(known: readonly unknown[]): string {
  return `v-${createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, DIGITS)}-`;
}

/**
 * Template for the names of users. Unlike the engine's own, it holds nothing of what an identity provider says of whoever
 * asks, for names get into SQL as they are.
 *
 * @param from the connection; one whose server cannot be told has a prefix of its name
 */
export function issuedNameTemplate(from: IssuedFrom): string {
  const prefix = issuedNamePrefix(from) ?? (isUnresolved(from.name) ? "v-" : prefixOf([from.name]));
  return `${prefix}{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}`;
}
