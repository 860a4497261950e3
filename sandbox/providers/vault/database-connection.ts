// vault_database_secret_backend_connection, with the blocks of PostgreSQL and MySQL only
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { CONNECTION_ENGINES, type ConnectionEngine } from "./connection-engines";
import { OTHER_ENGINES } from "./other-engines";
import { segments, trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

const BLOCKS = Object.keys(CONNECTION_ENGINES);

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
      ...BLOCKS,
    ],
    computed: ["plugin_name"],
    forceNew: ["backend", "namespace"],
    defaults: { verify_connection: true },
    blocks: {
      ...OTHER_ENGINES,
      ...Object.fromEntries(Object.entries(CONNECTION_ENGINES).map(([name, { facts }]) => [name, facts])),
    },
  },
  importable: true,

  validate(config): AttributeError[] {
    const there = BLOCKS.filter((block) => config.hasBlock(block));
    if (there.length === 1) {
      return [];
    }
    const summary = `a database connection needs one block of ${BLOCKS.map((block) => `"${block}"`).join(", ")}`;
    return [{ attribute: there[0] ?? "postgresql", summary }];
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
    // Imported, nothing is known but what the server says.
    const [block, engine] =
      engineWhere((_, { plugin }) => plugin === found.plugin_name) ??
      engineWhere((each) => known.hasBlock(each)) ??
      fail(`${id} is served by the plugin ${String(found.plugin_name)}, which the stand-in does not know`);
    return {
      attributes: {
        backend,
        name,
        allowed_roles: (found.allowed_roles ?? []) as Value,
        data: known.map("data"),
        // The server does not keep it: what is known of it, which is nothing after an import.
        verify_connection: known.flag("verify_connection"),
        plugin_name: found.plugin_name as Value,
        root_rotation_statements: (found.root_credentials_rotate_statements ?? []) as Value,
        [block]: [engine.read((found.connection_details ?? {}) as Data, known.block(block))],
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
  const [block, engine] = engineWhere((each) => wanted.hasBlock(each)) ?? fail(`${path} has no block`);
  const data: Data = {
    plugin_name: engine.plugin,
    verify_connection: wanted.flag("verify_connection"),
    ...(wanted.isSet("allowed_roles") ? { allowed_roles: wanted.texts("allowed_roles").join(",") } : {}),
    ...(wanted.has("root_rotation_statements")
      ? { root_rotation_statements: wanted.texts("root_rotation_statements") }
      : {}),
    ...engine.write(wanted.block(block), wanted.isNew),
  };
  await server.write(path, data, wanted.text("namespace"));
  return path;
}

function engineWhere(
  holds: (block: string, engine: ConnectionEngine) => boolean,
): [string, ConnectionEngine] | undefined {
  return Object.entries(CONNECTION_ENGINES).find(([block, engine]) => holds(block, engine));
}

function fail(message: string): never {
  throw new Error(message);
}
