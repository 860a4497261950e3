import { isIPv6 } from "node:net";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { terraformLine } from "../terraform-text";
import { isToken, isUnresolved, mayBeOneOf, numberText, percentEncoded, withStandIns } from "../tokens";
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
  /**
   * How long the engine waits for a new connection, from the dialing to the first query. Without a bound it waits for ever
   * where a login does: a session that locks the database keeps out all that are new.
   *
   * @default Duration.seconds(5)
   */
  readonly connectTimeout?: Duration;
}

/** In seconds. */
const LONGEST_WAIT = 3600;

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$/;

/** Checks an endpoint and fills in its defaults. */
function checkEndpoint(endpoint: PostgresEndpoint): Required<Omit<PostgresEndpoint, "sslRootCert">> {
  const { host, port = 5432, sslMode = "verify-full", connectTimeout = Duration.seconds(5) } = endpoint;
  const known = withStandIns(host, "0");
  if ((!isIPv6(known) || known.includes("%")) && !(HOST.test(known) && known.length <= 253)) {
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
  if (!mayBeOneOf(sslMode, SSL_MODES)) {
    throw new ConfigurationError(
      `The sslmode ${show(sslMode)} is not usable.`,
      `Use one of ${SSL_MODES.join(", ")}; only verify-full checks both certificate and host name.`,
    );
  }
  const seconds = connectTimeout.toSeconds();
  if (!isUnresolved(seconds) && (seconds < 1 || seconds > LONGEST_WAIT)) {
    throw new ConfigurationError(
      `The connectTimeout of ${connectTimeout.toString()} for the PostgreSQL host ${show(host)} is not usable.`,
      "Use 1 second to 1 hour: 0 would be no bound at all.",
    );
  }
  return { host, port, sslMode, connectTimeout };
}

/**
 * The engine's connection URL, with its placeholders for the login. In URL form, since the engine forces UTC only there.
 *
 * @param database name of the database, not encoded
 */
export function connectionUrl(endpoint: PostgresEndpoint, database: string): string {
  const { host, port, sslMode, connectTimeout } = checkEndpoint(endpoint);
  const authority = isIPv6(withStandIns(host, "0")) ? `[${host}]` : host;
  const path = percentEncoded(database);
  const query = [`sslmode=${sslMode}`];
  if (endpoint.sslRootCert !== undefined) {
    query.push(
      `sslrootcert=${percentEncoded(terraformLine("path of the CA certificate", endpoint.sslRootCert))}`,
    );
  }
  query.push(`connect_timeout=${numberText(connectTimeout.toSeconds())}`);
  return `postgresql://{{username}}:{{password}}@${authority}:${numberText(port)}/${path}?${query.join("&")}`;
}

/** What a connection says of itself beside its URL. */
export interface ConnectedTo {
  /** Name of the database. */
  readonly database: string;
  /** Name of the login. */
  readonly username: string;
}

/**
 * Checks a connection URL that the user wrote and returns it.
 *
 * @throws ConfigurationError for a URL that names a user or password itself, is not in URL form, or leads to another database
 */
export function checkConnectionUrl(url: string, connected: ConnectedTo): string {
  if (isToken(url)) return url;
  // The URL is not shown: it may hold a password.
  if (!/^postgres(ql)?:\/\/\{\{username\}\}:\{\{password\}\}@[^@]+$/.test(withStandIns(url))) {
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
  plainUrl(url);
  checkDatabase(databasesOf(url, connected.username), connected.database);
  return url;
}

/**
 * The databases that a URL names, which the engine's driver takes one of: in its options, else in its path, else by the
 * login's name. Only the first part of the options is read by it, and a name in both spellings by chance.
 */
function databasesOf(url: string, username: string): string[] {
  const [address = "", query = ""] = (url.split("#")[0] ?? "").split(/\?(.*)/s);
  const options = new URLSearchParams(query);
  const named = ["dbname", "database"].flatMap((key) => options.getAll(key)).filter((name) => name !== "");
  if (named.length > 0) return named;
  const path = /@[^/]*\/+(.+)$/s.exec(address)?.[1];
  return [path === undefined ? username : decoded(path).replaceAll(/\{\{(user)?name\}\}/g, () => username)];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** In another database the objects of users would not be found when they are dropped, and users stay. */
function checkDatabase(named: readonly string[], database: string): void {
  const other = named.find(
    (name) => name !== database && !mayBeOneOf(name, [database]) && !mayBeOneOf(database, [name]),
  );
  if (other === undefined) return;
  throw new ConfigurationError(
    `The connection URL leads to the database ${show(other)}, and the connection's database is ${show(database)}.`,
    `Name the same database in both: end the URL's path with /${show(encodeURIComponent(database)).slice(1, -1)}, or pass endpoint instead of a URL.`,
  );
}
