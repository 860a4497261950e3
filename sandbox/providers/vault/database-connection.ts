// vault_database_secret_backend_connection, with the postgresql block only
import type { ObjectValue, Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { durationSeconds } from "./duration";
import { OTHER_ENGINES } from "./other-engines";
import { segments, trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

const PLUGIN = "postgresql-database-plugin";

export const databaseConnection: ResourceType<VaultServer> = {
  facts: {
    serves: [
      "id",
      "namespace",
      "backend",
      "name",
      "allowed_roles",
      "verify_connection",
      "root_rotation_statements",
      "postgresql",
    ],
    computed: ["plugin_name"],
    forceNew: ["backend", "namespace"],
    defaults: { verify_connection: true },
    blocks: {
      ...OTHER_ENGINES,
      postgresql: {
        serves: [
          "connection_url",
          "max_open_connections",
          "max_idle_connections",
          "max_connection_lifetime",
          "username",
          "password",
          "password_wo",
          "password_wo_version",
          "username_template",
          "disable_escaping",
          "password_authentication",
        ],
        sensitive: ["password", "private_key", "service_account_json"],
        writeOnly: ["password_wo"],
        defaults: { max_open_connections: 2, password_authentication: "password" },
      },
    },
  },
  importable: true,

  validate(config): AttributeError[] {
    return config.hasBlock("postgresql")
      ? []
      : [{ attribute: "postgresql", summary: `a database connection needs the block "postgresql"` }];
  },

  normalize: (name, value) => (name === "backend" && typeof value === "string" ? trimSlashes(value) : value),

  async create(server, wanted) {
    return write(server, wanted);
  },

  async read(server, id, known) {
    const found = await server.read(id, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const [, backend, name] = segments(/^(.+)\/config\/(.+)$/, id);
    return {
      attributes: {
        backend,
        name,
        allowed_roles: (found.allowed_roles ?? []) as Value,
        data: known.map("data"),
        plugin_name: found.plugin_name as Value,
        root_rotation_statements: (found.root_credentials_rotate_statements ?? []) as Value,
        postgresql: [details((found.connection_details ?? {}) as Data, known.block("postgresql"))],
      },
    };
  },

  // Its name may change as well: that writes a second connection and leaves the first, as the real plugin does.
  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  async delete(server, id, known) {
    await server.delete(id, known.text("namespace"));
  },
};

async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const path = `${trimSlashes(wanted.text("backend"))}/config/${trimSlashes(wanted.text("name"))}`;
  const postgresql = wanted.block("postgresql");
  const password = changedPassword(postgresql, wanted.isNew);
  const data: Data = {
    plugin_name: PLUGIN,
    verify_connection: wanted.flag("verify_connection"),
    ...(wanted.isSet("allowed_roles") ? { allowed_roles: wanted.texts("allowed_roles").join(",") } : {}),
    ...(wanted.has("root_rotation_statements")
      ? { root_rotation_statements: wanted.texts("root_rotation_statements") }
      : {}),
    username: postgresql.text("username"),
    disable_escaping: postgresql.flag("disable_escaping"),
    ...(password === undefined ? {} : { password }),
    ...where(postgresql, "has", ["connection_url", "max_open_connections", "password_authentication"]),
    ...where(postgresql, "isSet", ["max_idle_connections", "username_template"]),
    ...(postgresql.isSet("max_connection_lifetime")
      ? { max_connection_lifetime: `${postgresql.number("max_connection_lifetime")}s` }
      : {}),
  };
  await server.write(path, data, wanted.text("namespace"));
  return path;
}

function where(postgresql: Attributes, condition: "has" | "isSet", names: readonly string[]): Data {
  return Object.fromEntries(
    names.filter((name) => postgresql[condition](name)).map((name) => [name, postgresql.value(name)]),
  );
}

/**
 * Sent only when new: the server may have rotated it since, and an old one would break the connection. A
 * write-only password without a version counts as never changed.
 */
function changedPassword(postgresql: Attributes, isNew: boolean): string | undefined {
  if (!isNew && !postgresql.changed("password", "password_wo_version")) {
    return undefined;
  }
  if (postgresql.has("password")) {
    return postgresql.text("password");
  }
  return postgresql.changed("password_wo_version") ? postgresql.writeOnly("password_wo") : undefined;
}

function details(found: Data, known: Attributes): ObjectValue {
  const result: Record<string, Value> = {};
  const copied = ["max_open_connections", "max_idle_connections", "username_template", "username"];
  for (const name of [...copied, "disable_escaping", "password_authentication", "auth_type"]) {
    if (found[name] !== undefined) {
      result[name] = found[name] as Value;
    }
  }
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
