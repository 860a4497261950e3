// vault_database_secret_backend_role
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import { segments, trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

const STATEMENTS = [
  "creation_statements",
  "revocation_statements",
  "rollback_statements",
  "renew_statements",
];
/** Sent when they change, and read back under the same name. */
const SETTINGS = [...STATEMENTS, "default_ttl", "max_ttl", "credential_type"];

export const databaseRole: ResourceType<VaultServer> = {
  facts: {
    serves: ["id", "namespace", "backend", "name", "db_name", ...SETTINGS],
    computed: ["credential_type"],
    forceNew: ["name", "backend", "db_name", "namespace"],
  },
  importable: true,

  async create(server, wanted) {
    return write(server, wanted);
  },

  async read(server, id, known) {
    const found = await server.read(id, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const [, backend, name] = segments(/^(.+)\/roles\/(.+)$/, id);
    const settings = Object.fromEntries(
      SETTINGS.filter((each) => found[each] !== undefined).map((each) => [each, found[each] as Value]),
    );
    return { attributes: { backend, name, db_name: found.db_name as Value, ...settings } };
  },

  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  async delete(server, id, known) {
    await server.delete(id, known.text("namespace"));
  },
};

async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const path = `${trimSlashes(wanted.text("backend"))}/roles/${trimSlashes(wanted.text("name"))}`;
  const data: Record<string, unknown> = {
    db_name: wanted.text("db_name"),
    creation_statements: wanted.texts("creation_statements"),
  };
  for (const name of SETTINGS.filter((each) => wanted.changed(each))) {
    data[name] = STATEMENTS.includes(name) ? wanted.texts(name) : scalar(wanted, name);
  }
  await server.write(path, data satisfies Data, wanted.text("namespace"));
  return path;
}

function scalar(wanted: Attributes, name: string): string | number {
  return name === "credential_type" ? wanted.text(name) : wanted.number(name);
}
