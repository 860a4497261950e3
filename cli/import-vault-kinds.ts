import { isPlain } from "./import-kinds";
import type { Settings } from "./import-ids";
import { pathsOfPolicy } from "./policy-paths";

/** What Vault's API says of a thing: under which path it is asked, and which fields tell what kind it is. */
interface VaultKind {
  readonly path: (text: (name: string) => string) => string;
  /** What is compared, where the path answers with more than that. */
  readonly part?: (data: Settings, text: (name: string) => string) => unknown;
  /** By what is compared, for the message: as the code has it, and as Vault. */
  readonly fields: Readonly<
    Record<string, readonly [wanted: (wanted: Settings) => unknown, there: (data: Settings) => unknown]>
  >;
  /** What it has that a deployment would take away from whoever gave it. */
  readonly surplus?: (wanted: Settings, data: Settings) => string[];
}

const same = (name: string): VaultKind["fields"][string] => [(wanted) => wanted[name], (data) => data[name]];

/** The environment that a description names, as `CredentialsStack` writes it; others say nothing. */
function environmentIn({ description }: Settings): string | undefined {
  return / of (\S+ \(\S+\))$/.exec(String(description))?.[1];
}

const MOUNT_FIELDS: VaultKind["fields"] = { type: same("type"), environment: [environmentIn, environmentIn] };

const optionsOf = ({ options }: Settings) => (options ?? {}) as Settings;
const textsIn = (list: unknown) => (Array.isArray(list) ? list : []).map(String);

/** A server ends the path of a mount with a slash. */
const quotaPath = ({ path }: Settings) => (typeof path === "string" ? path.replace(/\/$/, "") : path);
/** A quota without a role counts requests of all. */
const quotaRole = ({ role }: Settings) => role ?? "";

export const VAULT_KINDS: Readonly<Record<string, VaultKind>> = {
  vault_mount: {
    path: (text) => `sys/mounts/${text("path")}`,
    fields: {
      ...MOUNT_FIELDS,
      "key-value version": [
        (wanted) => optionsOf(wanted).version,
        (data) => (data.type === "kv" ? (optionsOf(data).version ?? "1") : undefined),
      ],
    },
  },
  vault_auth_backend: {
    path: (text) => `sys/mounts/auth/${text("path")}`,
    fields: MOUNT_FIELDS,
  },
  vault_database_secret_backend_connection: {
    path: (text) => `${text("backend")}/config/${text("name")}`,
    fields: {
      plugin: [
        (wanted) => ["postgresql", "mysql"].find((kind) => wanted[kind] !== undefined),
        ({ plugin_name }) => /^(postgresql|mysql)/.exec(String(plugin_name))?.[1] ?? plugin_name,
      ],
      login: [
        (wanted) => ((wanted.postgresql ?? wanted.mysql) as Settings | undefined)?.username,
        ({ connection_details }) => (connection_details as Settings | undefined)?.username,
      ],
    },
  },
  vault_database_secret_backend_role: {
    path: (text) => `${text("backend")}/roles/${text("name")}`,
    fields: { connection: [(wanted) => wanted.db_name, (data) => data.db_name] },
  },
  vault_database_secret_backend_static_role: {
    path: (text) => `${text("backend")}/static-roles/${text("name")}`,
    fields: {
      connection: [(wanted) => wanted.db_name, (data) => data.db_name],
      // After the name there is what makes the static role anew with its login: nothing, once that is there.
      login: [
        ({ username }) =>
          typeof username === "string"
            ? username.replace(/\$\{substr\([\w.-]+\.id, 0, 0\)\}$/, "")
            : username,
        (data) => data.username,
      ],
    },
  },
  vault_approle_auth_backend_role: {
    path: (text) => `auth/${text("backend")}/role/${text("role_name")}`,
    fields: {},
    surplus: ({ token_policies: wanted }, data) => {
      if (wanted !== undefined && !(Array.isArray(wanted) && wanted.every(isPlain))) return [];
      return textsIn(data.token_policies)
        .filter((policy) => !textsIn(wanted).includes(policy))
        .map((policy) => `the policy ${JSON.stringify(policy)}`);
    },
  },
  vault_policy: {
    path: (text) => `sys/policies/acl/${text("name")}`,
    fields: {},
    surplus: ({ policy: wanted }, { policy: there }) => {
      if (!isPlain(wanted) || typeof there !== "string" || there === wanted) return [];
      const paths = pathsOfPolicy(there);
      if (paths === undefined) return ["a text that this command does not understand"];
      return paths
        .filter((path) => pathsOfPolicy(wanted)?.includes(path) !== true)
        .map((path) => `the path ${JSON.stringify(path)}`);
    },
  },
  vault_quota_rate_limit: {
    path: (text) => `sys/quotas/rate-limit/${text("name")}`,
    fields: { path: [quotaPath, quotaPath], role: [quotaRole, quotaRole] },
  },
  vault_audit: {
    path: () => "sys/audit",
    part: (data, text) => data[`${text("path")}/`],
    fields: {
      type: same("type"),
      description: same("description"),
      file: [(wanted) => optionsOf(wanted).file_path, (data) => optionsOf(data).file_path],
      mode: [(wanted) => optionsOf(wanted).mode, (data) => optionsOf(data).mode],
    },
  },
};

/** How what is there is not what the code says; nothing where it is not there. */
export function vaultDifferences(type: string, wanted: Settings, answer: Settings): string[] {
  const kind = VAULT_KINDS[type];
  const data = kind?.part === undefined ? answer : kind.part(answer, (name) => String(wanted[name]));
  if (kind === undefined || !isSettings(data)) return [];
  const surplus =
    kind.surplus?.(wanted, data).map((each) => `has ${each}, which the code does not say`) ?? [];
  const differences = Object.entries(kind.fields).flatMap(([what, [inCode, there]]) => {
    const [expected, found] = [inCode(wanted), there(data)];
    // What the server does not say was made by hand, perhaps, and may become the code's.
    if (!isPlain(expected) || found === undefined || found === null || found === expected) return [];
    return [`has the ${what} ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`];
  });
  return [...differences, ...surplus];
}

const isSettings = (value: unknown): value is Settings => typeof value === "object" && value !== null;
