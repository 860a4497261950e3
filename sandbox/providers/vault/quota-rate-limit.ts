// vault_quota_rate_limit
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import type { Data, VaultServer } from "./server";

/** Read back under the same name, where the server says it: OpenBao has no grouping. */
const SETTINGS = ["path", "rate", "interval", "block_interval", "role", "group_by", "secondary_rate"];
/** Sent when they say something. */
const OPTIONAL_NUMBERS = ["interval", "block_interval"];

export const quotaRateLimit: ResourceType<VaultServer> = {
  facts: {
    serves: ["id", "namespace", "name", "path", "rate", "role", ...OPTIONAL_NUMBERS],
    computed: ["interval", "group_by", "secondary_rate"],
    forceNew: ["name", "path", "namespace"],
  },
  importable: true,

  async create(server, wanted) {
    return write(server, wanted);
  },

  async read(server, id, known) {
    const found = await server.read(`sys/quotas/rate-limit/${id}`, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const said = SETTINGS.filter((each) => found[each] !== undefined);
    return {
      attributes: { name: id, ...Object.fromEntries(said.map((each) => [each, found[each] as Value])) },
    };
  },

  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  async delete(server, id, known) {
    await server.delete(`sys/quotas/rate-limit/${id}`, known.text("namespace"));
  },
};

async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const name = wanted.text("name");
  const numbers = OPTIONAL_NUMBERS.filter((each) => wanted.has(each));
  const data: Data = {
    path: wanted.text("path"),
    rate: wanted.number("rate"),
    ...Object.fromEntries(numbers.map((each) => [each, wanted.number(each)])),
    ...(wanted.has("role") ? { role: wanted.text("role") } : {}),
  };
  await server.write(`sys/quotas/rate-limit/${name}`, data, wanted.text("namespace"));
  return name;
}
