// vault_policy
import type { ResourceType } from "../resource/type";
import type { VaultServer } from "./server";

export const policy: ResourceType<VaultServer> = {
  facts: {
    serves: ["id", "namespace", "name", "policy"],
    forceNew: ["name", "namespace"],
  },
  importable: true,

  async create(server, wanted) {
    const name = wanted.text("name");
    await server.write(
      `sys/policies/acl/${name}`,
      { policy: wanted.text("policy") },
      wanted.text("namespace"),
    );
    return name;
  },

  async read(server, id, known) {
    const found = await server.read(`sys/policies/acl/${id}`, known.text("namespace"));
    // A policy that is gone reads as an empty one, as with the real plugin: the plan then writes it again.
    return { attributes: { name: id, policy: typeof found?.policy === "string" ? found.policy : "" } };
  },

  async update(server, id, wanted) {
    await server.write(`sys/policies/acl/${id}`, { policy: wanted.text("policy") }, wanted.text("namespace"));
    return id;
  },

  async delete(server, id, known) {
    await server.delete(`sys/policies/acl/${id}`, known.text("namespace"));
  },
};
