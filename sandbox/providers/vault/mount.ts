// vault_mount
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { ResourceType } from "../resource/type";
import { readMount, remount } from "./mount-state";
import type { Data, VaultServer } from "./server";

/** Settings that are lists of text, and part of a mount's configuration under the same name. */
const LISTS = [
  "audit_non_hmac_request_keys",
  "audit_non_hmac_response_keys",
  "passthrough_request_headers",
  "allowed_response_headers",
];

export const mount: ResourceType<VaultServer> = {
  facts: {
    serves: [
      "id",
      "namespace",
      "path",
      "type",
      "description",
      "default_lease_ttl_seconds",
      "max_lease_ttl_seconds",
      "force_no_cache",
      "listing_visibility",
      "options",
      "seal_wrap",
      "local",
      ...LISTS,
    ],
    computed: [
      "default_lease_ttl_seconds",
      "max_lease_ttl_seconds",
      "force_no_cache",
      "audit_non_hmac_request_keys",
      "audit_non_hmac_response_keys",
      "seal_wrap",
    ],
    readOnly: { accessor: "string" },
    forceNew: ["type", "seal_wrap", "external_entropy_access", "local", "namespace"],
    defaults: { external_entropy_access: false },
  },
  importable: true,

  async create(server, wanted) {
    const path = wanted.text("path");
    await server.post(
      `sys/mounts/${path}`,
      {
        type: wanted.text("type"),
        description: wanted.text("description"),
        config: {
          ...ttls(wanted),
          force_no_cache: wanted.flag("force_no_cache"),
          ...(wanted.has("listing_visibility")
            ? { listing_visibility: wanted.text("listing_visibility") }
            : {}),
          ...Object.fromEntries(LISTS.filter((n) => wanted.has(n)).map((n) => [n, wanted.texts(n)])),
        },
        local: wanted.flag("local"),
        seal_wrap: wanted.flag("seal_wrap"),
        options: wanted.map("options"),
      },
      wanted.text("namespace"),
    );
    return path;
  },

  async read(server, id, known) {
    const found = await readMount(server, id, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const config = (found.config ?? {}) as Record<string, Value | undefined>;
    const { type, options } = typeAndOptions(found, known);
    return {
      attributes: {
        path: id,
        type,
        options,
        description: found.description as Value,
        default_lease_ttl_seconds: config.default_lease_ttl ?? 0,
        max_lease_ttl_seconds: config.max_lease_ttl ?? 0,
        force_no_cache: config.force_no_cache ?? false,
        listing_visibility: config.listing_visibility ?? "",
        identity_token_key: config.identity_token_key ?? "",
        accessor: found.accessor as Value,
        local: found.local === true,
        seal_wrap: found.seal_wrap === true,
        external_entropy_access: found.external_entropy_access === true,
        ...Object.fromEntries(
          [...LISTS, "allowed_managed_keys", "delegated_auth_accessors"].map((n) => [n, config[n] ?? []]),
        ),
      },
    };
  },

  async update(server, id, wanted) {
    const path = wanted.text("path");
    const namespace = wanted.text("namespace");
    if (wanted.changed("path")) {
      await remount(server, id, path, namespace);
    }
    await server.post(
      `sys/mounts/${path}/tune`,
      {
        ...ttls(wanted),
        options: wanted.map("options"),
        ...Object.fromEntries(
          ["description", "listing_visibility"]
            .filter((n) => wanted.changed(n))
            .map((n) => [n, wanted.text(n)]),
        ),
        ...Object.fromEntries(LISTS.filter((n) => wanted.changed(n)).map((n) => [n, wanted.texts(n)])),
      },
      namespace,
    );
    return path;
  },

  async delete(server, id, known) {
    await server.delete(`sys/mounts/${id}`, known.text("namespace"));
  },
};

function ttls(wanted: Attributes): Data {
  return {
    default_lease_ttl: `${wanted.number("default_lease_ttl_seconds")}s`,
    max_lease_ttl: `${wanted.number("max_lease_ttl_seconds")}s`,
  };
}

/** A server reports the type kv-v2 as kv with an option; whoever wrote kv-v2 is to read it again. */
function typeAndOptions(found: Data, known: Attributes): { type: Value; options: Value } {
  const options = { ...((found.options ?? {}) as Record<string, string>) };
  if (known.text("type") !== "kv-v2" || found.type !== "kv" || options.version !== "2") {
    return { type: found.type as Value, options };
  }
  if (known.map("options").version === undefined) {
    delete options.version;
  }
  return { type: "kv-v2", options };
}
