// vault_auth_backend
import { isRecord, isList, type ObjectValue, type Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import { MadeButFailed, type AttributeError, type ResourceType } from "../resource/type";
import type { CtyType } from "../schema/types";
import { goDuration } from "./duration";
import { readMount, remount } from "./mount-state";
import type { Data, VaultServer } from "./server";

const TUNE_LISTS = [
  "allowed_response_headers",
  "audit_non_hmac_request_keys",
  "audit_non_hmac_response_keys",
  "passthrough_request_headers",
];

export const authBackend: ResourceType<VaultServer> = {
  facts: {
    version: 1,
    serves: ["id", "namespace", "type", "path", "description", "local", "disable_remount", "tune"],
    computed: ["path", "tune"],
    readOnly: { accessor: "string" satisfies CtyType },
    forceNew: ["type", "local", "namespace"],
    defaults: { disable_remount: false },
    attributeBlocks: ["tune"],
  },
  importable: true,

  validate(config): AttributeError[] {
    return /^\/|\/$/.test(config.text("path"))
      ? [{ attribute: "path", summary: `"path" must not begin or end with a slash` }]
      : [];
  },

  replaces(wanted) {
    return wanted.changed("path") && wanted.flag("disable_remount") ? ["path"] : [];
  },

  async create(server, wanted) {
    const type = wanted.text("type");
    const path = wanted.text("path") || type;
    const namespace = wanted.text("namespace");
    await server.post(
      `sys/auth/${path}`,
      { type, description: wanted.text("description"), local: wanted.flag("local"), options: null },
      namespace,
    );
    const tune = tuneOf(wanted);
    if (tune !== undefined) {
      await writeTune(server, path, tune, {}, namespace).catch((error: unknown) => {
        throw new MadeButFailed(path, error);
      });
    }
    return path;
  },

  async read(server, id, known) {
    const namespace = known.text("namespace");
    const found = await readMount(server, `auth/${id}`, namespace);
    const tune = found && (await server.read(`sys/mounts/auth/${id}/tune`, namespace));
    if (found === undefined || tune === undefined) {
      return undefined;
    }
    return {
      attributes: {
        type: found.type as Value,
        path: id,
        description: found.description as Value,
        local: found.local === true,
        accessor: found.accessor as Value,
        tune: [readTune(tune, tuneOf(known))],
      },
    };
  },

  async update(server, id, wanted) {
    const namespace = wanted.text("namespace");
    const path = wanted.text("path");
    if (wanted.changed("path")) {
      await remount(server, `auth/${id}`, `auth/${path}`, namespace);
    }
    const description = wanted.changed("description") ? { description: wanted.text("description") } : {};
    if (wanted.changed("tune", "description")) {
      const tune = wanted.changed("tune") ? tuneOf(wanted) : undefined;
      await writeTune(server, path, tune ?? {}, description, namespace);
    }
    return path;
  },

  async delete(server, id, known) {
    await server.delete(`sys/auth/${id}`, known.text("namespace"));
  },
};

function tuneOf(attributes: Attributes): ObjectValue | undefined {
  const tune = attributes.value("tune");
  const only = isList(tune) ? tune[0] : undefined;
  return isRecord(only) ? only : undefined;
}

async function writeTune(
  server: VaultServer,
  path: string,
  tune: ObjectValue,
  more: Data,
  namespace: string,
): Promise<void> {
  // An empty text is how the servers are told that a list is to be empty.
  const lists = TUNE_LISTS.map((name): [string, Value] => {
    const list = tune[name];
    return [name, isList(list) && list.length > 0 ? list : [""]];
  });
  await server.post(
    `sys/mounts/auth/${path}/tune`,
    {
      default_lease_ttl: tune.default_lease_ttl ?? "",
      max_lease_ttl: tune.max_lease_ttl ?? "",
      force_no_cache: false,
      options: null,
      ...(tune.listing_visibility ? { listing_visibility: tune.listing_visibility } : {}),
      ...(tune.token_type ? { token_type: tune.token_type } : {}),
      ...(Object.keys(tune).length === 0 ? {} : Object.fromEntries(lists)),
      ...more,
    },
    namespace,
  );
}

/** Where the configuration has a `tune`, its durations stay as written, and server defaults do not show in it. */
function readTune(found: Data, configured: ObjectValue | undefined): ObjectValue {
  const text = (name: string) => (typeof found[name] === "string" ? found[name] : "");
  const kept = (name: string, value: string) =>
    configured === undefined ? value : typeof configured[name] === "string" ? configured[name] : "";
  const shown = (name: string) =>
    configured !== undefined && (configured[name] ?? "") === "" ? "" : text(name);
  return {
    default_lease_ttl: kept("default_lease_ttl", goDuration(Number(found.default_lease_ttl ?? 0))),
    max_lease_ttl: kept("max_lease_ttl", goDuration(Number(found.max_lease_ttl ?? 0))),
    listing_visibility: shown("listing_visibility"),
    token_type: shown("token_type"),
    ...Object.fromEntries(
      TUNE_LISTS.map((name) => {
        const list = found[name];
        return [name, Array.isArray(list) && list[0] !== "" ? (list as Value) : []];
      }),
    ),
  };
}
