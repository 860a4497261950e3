import type { EnvironmentOutputs, RoleOutput } from "../../stacks/outputs";
import { statementsDigest } from "../../stacks/statements-digest";

/** Milliseconds. */
export const SECOND = 1_000;

/** An environment with a role that one AppRole reads and one that two do. */
export const OUTPUTS: EnvironmentOutputs = {
  // Port 9 is "discard": nobody listens there.
  vault: {
    address: "http://127.0.0.1:9",
    mount: "x/database",
    connection: "x",
    connection_url: "postgresql://{{username}}:{{password}}@db:5432/x?sslmode=verify-full",
    approle_mount: "x/approle",
  },
  postgres: { host: "127.0.0.1", port: 9, database: "x", sslmode: "disable", manager: "x_manager" },
  roles: { reader: role("reader"), writer: role("writer") },
  static_roles: {
    legacy: {
      creds_path: "x/database/static-creds/legacy",
      rotate_path: "x/database/rotate-role/legacy",
      username: "x_legacy",
      rotation_period: 86_400,
    },
  },
  approles: { api: approle("api", ["writer", "reader"]), reports: approle("reports", ["reader"]) },
  policies: {
    "x/database/creds/reader": statementsDigest([policyText("reader")]),
    "x/database/creds/writer": statementsDigest([policyText("writer")]),
  },
};

/** The policy that lets a token read a role's credentials. */
export function policyText(role: string): string {
  return `path "x/database/creds/${role}" {\n  capabilities = ["read"]\n}\n`;
}

function role(name: string): RoleOutput {
  return {
    creds_path: `x/database/creds/${name}`,
    base_role: `x_${name}`,
    access: "custom",
    schemas: [],
    revocation: "terminate",
    default_ttl: 3_600,
    max_ttl: 86_400,
  };
}

function approle(name: string, roles: readonly string[]) {
  return {
    role_id: "1",
    login_path: "auth/x/approle/login",
    secret_id_path: `auth/x/approle/role/${name}/secret-id`,
    roles,
    settings: {
      ...{ bind_secret_id: true, secret_id_ttl: 3_600, secret_id_num_uses: 0 },
      ...{ secret_id_bound_cidrs: ["10.0.0.1/32"], token_ttl: 3_600, token_max_ttl: 86_400, token_period: 0 },
      ...{ token_explicit_max_ttl: 0, token_num_uses: 0, token_bound_cidrs: [], token_type: "service" },
      ...{ token_no_default_policy: false, token_policies: roles.map((role) => `x/database/creds/${role}`) },
    },
  };
}
