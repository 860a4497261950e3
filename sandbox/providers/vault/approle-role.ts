// vault_approle_auth_backend_role
import { isIPv4, isIPv6 } from "node:net";
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import { MadeButFailed, type ResourceType } from "../resource/type";
import { segments, trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

/** Settings under the same name in the API: those that the API takes when set, and sends back when not. */
const NUMBERS = [
  "secret_id_num_uses",
  "secret_id_ttl",
  "token_explicit_max_ttl",
  "token_max_ttl",
  "token_num_uses",
  "token_period",
  "token_ttl",
];
const SETS = ["secret_id_bound_cidrs", "token_bound_cidrs", "token_policies"];
const FLAGS = ["bind_secret_id", "token_no_default_policy"];

export const approleRole: ResourceType<VaultServer> = {
  facts: {
    serves: [
      "id",
      "namespace",
      "backend",
      "role_name",
      "role_id",
      "token_type",
      "alias_metadata",
      ...NUMBERS,
      ...SETS,
      ...FLAGS,
    ],
    computed: ["role_id"],
    forceNew: ["role_name", "backend", "namespace"],
    defaults: { bind_secret_id: true, backend: "approle", token_type: "default" },
  },
  importable: true,

  normalize: (name, value) => (name === "backend" && typeof value === "string" ? trimSlashes(value) : value),

  async create(server, wanted) {
    const path = `auth/${trimSlashes(wanted.text("backend"))}/role/${trimSlashes(wanted.text("role_name"))}`;
    const namespace = wanted.text("namespace");
    await server.write(
      path,
      settings(wanted, (name) => (FLAGS.includes(name) ? wanted.isSet(name) : wanted.has(name))),
      namespace,
    );
    if (wanted.has("role_id")) {
      await writeRoleId(server, path, wanted).catch((error: unknown) => {
        throw new MadeButFailed(path, error);
      });
    }
    return path;
  },

  async read(server, id, known) {
    const namespace = known.text("namespace");
    const found = await server.read(id, namespace);
    if (found === undefined) {
      return undefined;
    }
    const identity = await server.read(`${id}/role-id`, namespace);
    const [, backend, name] = segments(/^auth\/(.+)\/role\/(.+)$/, id);
    const bound = (found.token_bound_cidrs ?? []) as string[];
    return {
      attributes: {
        backend,
        role_name: name,
        ...pick(found, [...NUMBERS, ...SETS, ...FLAGS, "token_type", "alias_metadata"]),
        token_bound_cidrs: bound.map((cidr) => asWritten(cidr, known)),
        ...(identity === undefined ? {} : { role_id: identity.role_id as Value }),
      },
    };
  },

  async update(server, id, wanted) {
    await server.write(
      id,
      settings(wanted, (name) => wanted.changed(name)),
      wanted.text("namespace"),
    );
    if (wanted.changed("role_id")) {
      await writeRoleId(server, id, wanted);
    }
    return id;
  },

  async delete(server, id, known) {
    await server.delete(id, known.text("namespace"));
  },
};

function settings(wanted: Attributes, sent: (name: string) => boolean): Data {
  const named = (names: readonly string[], value: (name: string) => unknown) =>
    Object.fromEntries(names.filter(sent).map((name) => [name, value(name)]));
  return {
    ...named(NUMBERS, (name) => wanted.number(name)),
    ...named(SETS, (name) => wanted.texts(name)),
    ...named(FLAGS, (name) => wanted.flag(name)),
    ...named(["token_type"], (name) => wanted.text(name)),
    ...named(["alias_metadata"], (name) => wanted.map(name)),
  };
}

async function writeRoleId(server: VaultServer, path: string, wanted: Attributes): Promise<void> {
  await server.write(`${path}/role-id`, { role_id: wanted.text("role_id") }, wanted.text("namespace"));
}

function pick(found: Data, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, (found[name] ?? null) as Value]));
}

/** The servers drop the length from the CIDR of a single host; in the state it has one, unless written without. */
function asWritten(cidr: string, known: Attributes): string {
  if (known.texts("token_bound_cidrs").includes(cidr)) {
    return cidr;
  }
  return isIPv4(cidr) ? `${cidr}/32` : isIPv6(cidr) ? `${cidr}/128` : cidr;
}
