// vault_kv_secret_v2, written and never read
import type { ObjectValue } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { normalJson } from "./go-json";
import { segments } from "./paths";
import { VaultError, type VaultServer } from "./server";

export const kvSecret: ResourceType<VaultServer> = {
  facts: {
    serves: [
      "id",
      "namespace",
      "mount",
      "name",
      "data_json",
      "data_json_wo",
      "data_json_wo_version",
      "disable_read",
      "delete_all_versions",
    ],
    readOnly: { path: "string", data: ["map", "string"], metadata: ["map", "string"] },
    sensitive: ["data", "data_json"],
    deprecated: ["data"],
    writeOnly: ["data_json_wo"],
    forceNew: ["mount", "name", "namespace"],
    defaults: { disable_read: false, delete_all_versions: false },
    blocks: { custom_metadata: { serves: [] } },
  },
  importable: false,

  validate(config): AttributeError[] {
    return config.flag("disable_read")
      ? []
      : [
          {
            attribute: "disable_read",
            summary: `the sandbox's stand-in serves vault_kv_secret_v2 with "disable_read" only`,
          },
        ];
  },

  normalize: (name, value) => (name === "data_json" && typeof value === "string" ? normalJson(value) : value),

  async create(server, wanted) {
    return write(server, wanted);
  },

  read(_server, id) {
    const [, mount, name] = segments(/^(.+?)\/data\/(.+)$/, id);
    return Promise.resolve({ attributes: { path: id, mount, name } });
  },

  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  async delete(server, _id, known) {
    const kind = known.flag("delete_all_versions") ? "metadata" : "data";
    await server.delete(pathOf(known, kind), known.text("namespace"));
  },
};

function pathOf(attributes: Attributes, kind: "data" | "metadata"): string {
  return `${attributes.text("mount")}/${kind}/${attributes.text("name")}`;
}

async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const path = pathOf(wanted, "data");
  const content = wanted.has("data_json")
    ? wanted.text("data_json")
    : wanted.changed("data_json_wo_version")
      ? wanted.writeOnly("data_json_wo")
      : undefined;
  if (content === undefined) {
    throw new Error(`there is no new content for ${path}: change data_json, or data_json_wo_version`);
  }
  const data = JSON.parse(content) as ObjectValue;
  await whenUpgraded(() => server.write(path, { data, options: {} }, wanted.text("namespace")));
  return path;
}

const UPGRADE_ATTEMPTS = 60;

/** An engine that was mounted a moment ago may still be making itself one of version 2, and says so. */
async function whenUpgraded(call: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await call();
      return;
    } catch (error) {
      const upgrading =
        error instanceof VaultError && error.errors.some((each) => each.startsWith("Upgrading from"));
      if (!upgrading || attempt === UPGRADE_ATTEMPTS) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
