import { createHash } from "node:crypto";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import type { MysqlServerKind } from "../statements";
import type { MysqlEndpoint } from "./mysql-endpoint";
import { checkShortUsernameTemplate } from "./username-template";

/** Names of the users that a connection makes. */
export interface MysqlUserNames {
  readonly template: string;
  /** Beginning of the names that are made on this server, and on no other; undefined where they do not show it. */
  readonly mark?: string;
}

/** What the names of a connection are made from. */
export interface MysqlUserNamesOptions {
  /** Of the connection. */
  readonly name: string;
  readonly server: MysqlServerKind;
  readonly endpoint?: MysqlEndpoint;
  readonly connectionUrl?: string;
  readonly usernameTemplate?: string;
}

const LENGTHS: Readonly<Record<MysqlServerKind, number>> = { mariadb: 80, mysql: 32 };

/**
 * The names of a connection's users: by the template of the user's own, or of 32 characters, as MySQL allows them, that
 * begin with a mark of the server.
 *
 * @throws ConfigurationError for a template whose names may repeat, are too long, or hold what an identity provider says
 */
export function mysqlUserNames(options: MysqlUserNamesOptions): MysqlUserNames {
  const { usernameTemplate, server } = options;
  if (usernameTemplate !== undefined) {
    checkDisplayName(usernameTemplate);
    return { template: checkShortUsernameTemplate(usernameTemplate, LENGTHS[server]) };
  }
  const mark = `v-${createHash("sha256").update(addressOf(options)).digest("hex").slice(0, 6)}-`;
  return { template: `${mark}{{.RoleName | truncate 4}}-{{random 7}}-{{unix_time}}`, mark };
}

/** Host and port; the connection's name where only Terraform knows them. */
function addressOf({ name, endpoint, connectionUrl }: MysqlUserNamesOptions): string {
  const unknown = `connection ${name}`;
  if (endpoint !== undefined) {
    const { host, port = 3306 } = endpoint;
    return isUnresolved(host) || isUnresolved(port) ? unknown : `${host.toLowerCase()}:${port}`;
  }
  if (connectionUrl === undefined || isUnresolved(connectionUrl)) return unknown;
  const [, address = connectionUrl] = /@(.*)\/[^/]*$/.exec(connectionUrl) ?? [];
  const [, tcp = address] = /^tcp\((.*)\)$/.exec(address) ?? [];
  return tcp.toLowerCase();
}

function checkDisplayName(template: string): void {
  if (isUnresolved(template)) return;
  if (/\.DisplayName\b(?!\s*\|\s*sha256\b)/.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} takes over what an identity provider calls somebody.`,
      "That may hold quotes, which would change the SQL that the name is written into: use .DisplayName | sha256, or .RoleName.",
    );
  }
}
