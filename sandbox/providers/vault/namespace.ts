// The data source vault_namespace without a path: the namespace that the provider works in. With one it would ask the server.
import type { DataSourceType } from "../resource/type";
import type { VaultServer } from "./server";

export const currentNamespace: DataSourceType<VaultServer> = {
  facts: {
    serves: ["namespace"],
    readOnly: { namespace_id: "string", path_fq: "string", custom_metadata: ["map", "string"] },
  },

  async read(server, config) {
    const namespace = await server.namespace(config.text("namespace"));
    return { id: `${namespace}/`, path: "", path_fq: config.text("namespace") };
  },
};
