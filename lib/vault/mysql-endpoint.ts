import { isIPv6 } from "node:net";
import { ConfigurationError, show } from "../errors";
import { knownAtSynthesis } from "../known-at-synthesis";
import { isToken, isUnresolved, numberText, withStandIns } from "../tokens";
import { plainUrl } from "./plain-url";

/** Whether the engine's connections are encrypted, and whom it takes for the server. */
export type MysqlTlsMode = "disable" | "require" | "verify-full";

/** What the engine's driver calls it. */
const DRIVER_NAMES: Readonly<Record<MysqlTlsMode, string>> = {
  disable: "false",
  require: "skip-verify",
  "verify-full": "true",
};

/** Where a MySQL or MariaDB server is. */
export interface MysqlEndpoint {
  /** Host name or IP address, without a port; IPv6 without brackets. */
  readonly host: string;
  /** TCP port. @default 3306 */
  readonly port?: number;
  /** `require` encrypts, but takes any certificate. @default "verify-full" */
  readonly tls?: MysqlTlsMode;
  /**
   * PEM of the CA certificate that signs the server's, not a path. When it is taken away, the engine keeps it, and every plan
   * shows it, until `vault write <mount>/config/<connection> tls_ca=""`.
   *
   * @default - the CA certificates of Vault's system
   */
  readonly caCertificate?: string;
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$/;

/** The part of a connection's block that says where the server is, with the engine's placeholders for the login. */
export function mysqlServer(endpoint: MysqlEndpoint): { connectionUrl: string; tlsCa?: string } {
  const { host, port = 3306, tls = "verify-full", caCertificate } = endpoint;
  const known = withStandIns(host, "0");
  if (!isIPv6(known) && !(HOST.test(known) && known.length <= 253)) {
    throw new ConfigurationError(
      `The MySQL host ${show(host)} is not usable.`,
      "Use a host name or an IP address alone; port and TLS have properties of their own.",
    );
  }
  if (!isUnresolved(port) && !(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw new ConfigurationError(
      `The MySQL port ${show(port)} is not usable.`,
      "Use a number from 1 to 65535.",
    );
  }
  knownAtSynthesis("TLS mode of a MySQL endpoint", tls);
  if (!Object.hasOwn(DRIVER_NAMES, tls)) {
    throw new ConfigurationError(
      `The TLS mode ${show(tls)} is not usable.`,
      `Use one of ${Object.keys(DRIVER_NAMES).join(", ")}; only verify-full checks certificate and host name.`,
    );
  }
  const authority = isIPv6(known) ? `[${host}]` : host;
  const url = `{{username}}:{{password}}@tcp(${authority}:${numberText(port)})/`;
  if (caCertificate === undefined) return { connectionUrl: `${url}?tls=${DRIVER_NAMES[tls]}` };
  // Without tls=true, for which OpenBao 2.7 takes the system's certificates instead of this one. With just the certificate,
  // both engines verify the server's certificate and its host name.
  return { connectionUrl: url, tlsCa: checkCaCertificate(caCertificate, tls) };
}

function checkCaCertificate(pem: string, tls: MysqlTlsMode): string {
  if (tls !== "verify-full") {
    throw new ConfigurationError(
      `The MySQL endpoint has a CA certificate and the TLS mode ${show(tls)}.`,
      "A CA certificate is to verify the server with: leave tls out, or the certificate.",
    );
  }
  const known = withStandIns(pem, "-----BEGIN CERTIFICATE-----\n");
  if (known.includes("PRIVATE KEY") || !/^\s*-----BEGIN CERTIFICATE-----\s/.test(known)) {
    // Not shown: it may be a key.
    throw new ConfigurationError(
      "The CA certificate of the MySQL endpoint is no certificate in PEM.",
      'Pass its text, "-----BEGIN CERTIFICATE-----…", not the path of a file, and no private key.',
    );
  }
  return pem;
}

/**
 * Checks a connection URL of the engine's MySQL driver that the user wrote and returns it.
 *
 * @throws ConfigurationError for a URL that names a user or password itself
 */
export function checkMysqlConnectionUrl(url: string): string {
  if (isToken(url)) return url;
  // The URL is not shown: it may hold a password.
  if (!/^\{\{username\}\}:\{\{password\}\}@[^@]*\/[^/]*$/.test(withStandIns(url))) {
    throw new ConfigurationError(
      "The connection URL does not take its login from the engine, or is none of the MySQL driver's.",
      "Write {{username}}:{{password}}@tcp(host:port)/?tls=true and pass the login apart; a password in a URL would stand " +
        "in the plan, in the state and in the engine's configuration for everyone who may read it.",
    );
  }
  return plainUrl(url);
}
