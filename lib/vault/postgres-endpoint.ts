import { isIPv6 } from "node:net";
import { Token } from "cdktf";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import { terraformLine } from "../terraform-text";
import { plainUrl } from "./plain-url";

/** Modes of libpq that the engine, Terraform's provider and applications all take. */
export type SslMode = "disable" | "require" | "verify-ca" | "verify-full";

const SSL_MODES: readonly SslMode[] = ["disable", "require", "verify-ca", "verify-full"];

/** Where a PostgreSQL server is. */
export interface PostgresEndpoint {
  /** Host name or IP address, without a port; IPv6 without brackets. */
  readonly host: string;
  /** TCP port. @default 5432 */
  readonly port?: number;
  /** What libpq checks of the server, by its names. @default "verify-full" */
  readonly sslMode?: SslMode;
  /** Path on the Vault server of the CA certificate that signs PostgreSQL's. @default - the system's CA certificates */
  readonly sslRootCert?: string;
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$/;

/** Checks an endpoint and fills in its defaults. */
function checkEndpoint(endpoint: PostgresEndpoint): Required<Omit<PostgresEndpoint, "sslRootCert">> {
  const { host, port = 5432, sslMode = "verify-full" } = endpoint;
  if (
    !isUnresolved(host) &&
    (!isIPv6(host) || host.includes("%")) &&
    !(HOST.test(host) && host.length <= 253)
  ) {
    throw new ConfigurationError(
      `The PostgreSQL host ${show(host)} is not usable.`,
      "Use a host name or an IP address alone; port, user, database and options have properties of their own.",
    );
  }
  if (!isUnresolved(port) && !(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw new ConfigurationError(
      `The PostgreSQL port ${show(port)} is not usable.`,
      "Use a number from 1 to 65535.",
    );
  }
  if (!isUnresolved(sslMode) && !SSL_MODES.includes(sslMode)) {
    throw new ConfigurationError(
      `The sslmode ${show(sslMode)} is not usable.`,
      `Use one of ${SSL_MODES.join(", ")}; only verify-full checks both certificate and host name.`,
    );
  }
  return { host, port, sslMode };
}

/**
 * The engine's connection URL, with its placeholders for the login. In URL form, since the engine forces UTC only there.
 *
 * @param database name of the database, not encoded
 */
export function connectionUrl(endpoint: PostgresEndpoint, database: string): string {
  const { host, port, sslMode } = checkEndpoint(endpoint);
  const authority = !isUnresolved(host) && isIPv6(host) ? `[${host}]` : host;
  const path = isUnresolved(database) ? database : encodeURIComponent(database);
  const query = [`sslmode=${sslMode}`];
  if (endpoint.sslRootCert !== undefined) {
    query.push(
      `sslrootcert=${encodeURIComponent(terraformLine("path of the CA certificate", endpoint.sslRootCert))}`,
    );
  }
  // A number that only Terraform knows does not survive in a template literal.
  return `postgresql://{{username}}:{{password}}@${authority}:${Token.asString(port)}/${path}?${query.join("&")}`;
}

/**
 * Checks a connection URL that the user wrote and returns it.
 *
 * @throws ConfigurationError for a URL that names a user or password itself, or is not in URL form
 */
export function checkConnectionUrl(url: string): string {
  if (isUnresolved(url)) return url;
  // The URL is not shown: it may hold a password.
  if (!/^postgres(ql)?:\/\/\{\{username\}\}:\{\{password\}\}@[^@]+$/.test(url)) {
    throw new ConfigurationError(
      "The connection URL does not take its login from the engine.",
      "Begin it with postgresql://{{username}}:{{password}}@ and pass the login apart; a password in a URL would stand in " +
        "the plan, in the state and in the engine's configuration for everyone who may read it.",
    );
  }
  const options = new URLSearchParams(url.slice(url.indexOf("?") + 1).replaceAll("#", "&"));
  if ([...options.keys()].some((key) => /^(password|sslpassword|passfile|user)$/i.test(key))) {
    throw new ConfigurationError(
      "The connection URL holds a login in its options.",
      "Remove user, password, passfile and sslpassword from it, and pass the login apart.",
    );
  }
  return plainUrl(url);
}
