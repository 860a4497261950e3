// vault_generic_endpoint: what is written to any path, and read back from it
import type { ObjectValue, Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { goJson, normalJson } from "./go-json";
import type { VaultServer } from "./server";

export const genericEndpoint: ResourceType<VaultServer> = {
  facts: {
    version: 1,
    serves: [
      "id",
      "namespace",
      "path",
      "data_json",
      "disable_read",
      "disable_delete",
      "ignore_absent_fields",
    ],
    readOnly: { write_data_json: "string", write_data: ["map", "string"] },
    sensitive: ["data_json"],
    forceNew: ["path", "namespace"],
    defaults: { disable_read: false, disable_delete: false, ignore_absent_fields: false },
  },
  importable: true,

  validate(config): AttributeError[] {
    try {
      if (config.has("data_json")) JSON.parse(config.text("data_json"));
      return [];
    } catch {
      return [{ attribute: "data_json", summary: "data_json is no JSON" }];
    }
  },

  normalize: (name, value) => (name === "data_json" && typeof value === "string" ? normalJson(value) : value),

  async create(server, wanted) {
    return write(server, wanted);
  },

  async read(server, id, known) {
    // What a write answers is kept in the state for the fields that `write_fields` names, which is not served.
    const answered: ObjectValue =
      known.has("data_json") && !known.isSet("write_data_json")
        ? { write_data_json: "null", write_data: {} }
        : {};
    if (known.flag("disable_read")) {
      return { attributes: answered };
    }
    const found = await server.read(id, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const data = known.flag("ignore_absent_fields") ? declared(known, found) : (found as ObjectValue);
    const settings = {
      disable_read: false,
      ignore_absent_fields: known.flag("ignore_absent_fields"),
    };
    return { attributes: { path: id, data_json: goJson(data), ...settings, ...answered } };
  },

  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  async delete(server, id, known) {
    if (!known.flag("disable_delete")) await server.delete(id, known.text("namespace"));
  },
};

/** The fields that were written, with the server's values; one that the server leaves out counts as written. */
function declared(known: Attributes, found: Readonly<Record<string, unknown>>): ObjectValue {
  const written = JSON.parse(known.text("data_json")) as ObjectValue;
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [name, name in found ? (found[name] as Value) : value]),
  );
}

async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const path = wanted.text("path");
  await server.write(path, JSON.parse(wanted.text("data_json")) as ObjectValue, wanted.text("namespace"));
  return path;
}
