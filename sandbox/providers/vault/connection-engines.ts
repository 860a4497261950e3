// The blocks of vault_database_secret_backend_connection that the stand-in serves, one for each kind of server.
import type { ObjectValue, Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { BlockFacts } from "../schema/types";
import { durationSeconds } from "./duration";
import type { Data } from "./server";

export interface ConnectionEngine {
  readonly plugin: string;
  readonly facts: BlockFacts;
  /** What is sent for the block. */
  write(block: Attributes, isNew: boolean): Data;
  /** What is kept of the answer, and of what is known, as the block. */
  read(found: Data, known: Attributes): ObjectValue;
}

const SHARED = [
  "connection_url",
  "max_open_connections",
  "max_idle_connections",
  "max_connection_lifetime",
  "username",
  "password",
  "password_wo",
  "password_wo_version",
  "username_template",
];

const postgresql: ConnectionEngine = {
  plugin: "postgresql-database-plugin",
  facts: {
    serves: [...SHARED, "disable_escaping", "password_authentication"],
    sensitive: ["password", "private_key", "service_account_json"],
    writeOnly: ["password_wo"],
    defaults: { max_open_connections: 2, password_authentication: "password" },
  },
  write: (block, isNew) => ({
    ...writeShared(block, isNew),
    disable_escaping: block.flag("disable_escaping"),
    ...where(block, "has", ["password_authentication"]),
  }),
  read: (found, known) => ({
    ...readShared(found, known),
    ...shown(found, ["disable_escaping", "password_authentication", "auth_type"]),
  }),
};

const mysql: ConnectionEngine = {
  plugin: "mysql-database-plugin",
  facts: {
    serves: [...SHARED, "tls_ca"],
    sensitive: ["password", "service_account_json", "tls_certificate_key"],
    writeOnly: ["password_wo"],
    defaults: { max_open_connections: 2 },
  },
  write: (block, isNew) => ({ ...writeShared(block, isNew), ...where(block, "has", ["tls_ca"]) }),
  read: (found, known) => ({
    ...readShared(found, known),
    ...shown(found, ["tls_ca", "auth_type"]),
    // What is known goes before what the server says, so that a change by hand is not seen.
    ...(known.has("tls_ca") ? { tls_ca: known.value("tls_ca") } : {}),
  }),
};

/** By the name of their block. */
export const CONNECTION_ENGINES: Readonly<Record<string, ConnectionEngine>> = { mysql, postgresql };

function writeShared(block: Attributes, isNew: boolean): Data {
  const password = changedPassword(block, isNew);
  return {
    username: block.text("username"),
    ...(password === undefined ? {} : { password }),
    ...where(block, "has", ["connection_url", "max_open_connections"]),
    ...where(block, "isSet", ["max_idle_connections", "username_template"]),
    ...(block.isSet("max_connection_lifetime")
      ? { max_connection_lifetime: `${block.number("max_connection_lifetime")}s` }
      : {}),
  };
}

function where(block: Attributes, condition: "has" | "isSet", names: readonly string[]): Data {
  return Object.fromEntries(
    names.filter((name) => block[condition](name)).map((name) => [name, block.value(name)]),
  );
}

/**
 * Sent only when new: the server may have rotated it since, and an old one would break the connection. A
 * write-only password without a version counts as never changed.
 */
function changedPassword(block: Attributes, isNew: boolean): string | undefined {
  if (!isNew && !block.changed("password", "password_wo_version")) {
    return undefined;
  }
  if (block.has("password")) {
    return block.text("password");
  }
  return block.changed("password_wo_version") ? block.writeOnly("password_wo") : undefined;
}

function readShared(found: Data, known: Attributes): ObjectValue {
  const result: Record<string, Value> = shown(found, [
    ...["max_open_connections", "max_idle_connections", "username_template", "username"],
  ]);
  // The server shows the URL with the password taken out, so what is known of it is kept.
  result.connection_url = known.text("connection_url") || ((found.connection_url as Value | undefined) ?? "");
  const lifetime = found.max_connection_lifetime;
  if (typeof lifetime === "string" && durationSeconds(lifetime) !== undefined) {
    result.max_connection_lifetime = durationSeconds(lifetime) ?? 0;
  }
  for (const name of ["password", "password_wo_version"]) {
    if (known.has(name)) {
      result[name] = known.value(name);
    }
  }
  return result;
}

function shown(found: Data, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(
    names.filter((name) => found[name] !== undefined).map((name) => [name, found[name] as Value]),
  );
}
