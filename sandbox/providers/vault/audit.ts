// vault_audit
import type { Value } from "../protocol/values";
import type { ResourceType } from "../resource/type";
import { trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

export const audit: ResourceType<VaultServer> = {
  facts: {
    serves: ["id", "namespace", "path", "type", "description", "local", "options"],
    computed: ["path"],
    forceNew: ["path", "type", "description", "local", "options", "namespace"],
  },
  importable: true,

  async create(server, wanted) {
    const path = wanted.text("path") || wanted.text("type");
    await server.write(
      `sys/audit/${path}`,
      {
        type: wanted.text("type"),
        description: wanted.text("description"),
        local: wanted.flag("local"),
        options: wanted.map("options"),
      },
      wanted.text("namespace"),
    );
    return path;
  },

  async read(server, id, known) {
    const devices = await server.read("sys/audit", known.text("namespace"));
    const found = devices?.[`${trimSlashes(id)}/`] as Data | undefined;
    if (found === undefined) {
      return undefined;
    }
    return {
      attributes: {
        path: id,
        type: found.type as Value,
        description: found.description as Value,
        options: (found.options ?? {}) as Value,
      },
    };
  },

  async delete(server, id, known) {
    await server.delete(`sys/audit/${id}`, known.text("namespace"));
  },
};
