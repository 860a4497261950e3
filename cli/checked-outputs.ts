import type {
  AppRoleOutput,
  EnvironmentOutputs,
  PostgresOutput,
  RoleOutput,
  StaticRoleOutput,
  VaultOutput,
} from "../stacks/outputs";
import { OutputFields } from "./output-fields";

/**
 * Checks an environment's outputs, which come from a file or a state that others may write. Each has its type, no name acts
 * on a terminal, and each API path is the one that follows from the names: a token goes nowhere else, whatever stands there.
 * What else is in them is left as it is.
 *
 * @param source file or folder that they are from, for messages
 * @throws UserError that names the output, its value and what it has to be
 */
export function checkedOutputs(
  content: Readonly<Record<string, unknown>>,
  source: string,
): EnvironmentOutputs {
  const all = new OutputFields(source, "", content);
  const vault = vaultOutput(all.object("vault"));
  const { mount, approle_mount } = vault;
  const outputs = {
    ...content,
    vault,
    postgres: postgresOutput(all.object("postgres")),
    roles: all.entries("roles", (role, name) => roleOutput(role, mount, name)),
    approles: all.entries("approles", (approle, name) => appRoleOutput(approle, approle_mount, name)),
  };
  if (content.static_roles === undefined || content.static_roles === null) return outputs;
  return {
    ...outputs,
    static_roles: all.entries("static_roles", (role, name) => staticRoleOutput(role, mount, name)),
  };
}

function vaultOutput(fields: OutputFields): VaultOutput {
  return {
    ...fields.all,
    address: fields.url("address"),
    namespace: fields.optional("namespace", () => fields.namespace("namespace")),
    mount: fields.mount("mount", ["sys", "auth", "audit", "identity", "cubbyhole"]),
    connection: fields.name("connection"),
    approle_mount: fields.mount("approle_mount", ["token"]),
  };
}

function postgresOutput(fields: OutputFields): PostgresOutput {
  return {
    ...fields.all,
    host: fields.text("host"),
    port: fields.number("port"),
    database: fields.text("database"),
    sslmode: fields.oneOf("sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    manager: fields.text("manager"),
  };
}

function roleOutput(fields: OutputFields, mount: string, name: string): RoleOutput {
  return {
    ...fields.all,
    creds_path: fields.exactly("creds_path", `${mount}/creds/${name}`),
    base_role: fields.text("base_role"),
    access: fields.text("access"),
    schemas: fields.texts("schemas"),
    revocation: fields.text("revocation"),
    default_ttl: fields.number("default_ttl"),
    max_ttl: fields.number("max_ttl"),
  };
}

function staticRoleOutput(fields: OutputFields, mount: string, name: string): StaticRoleOutput {
  return {
    ...fields.all,
    creds_path: fields.exactly("creds_path", `${mount}/static-creds/${name}`),
    rotate_path: fields.exactly("rotate_path", `${mount}/rotate-role/${name}`),
    username: fields.text("username"),
    rotation_period: fields.number("rotation_period"),
    base_role: fields.optional("base_role", () => fields.text("base_role")),
    access: fields.optional("access", () => fields.text("access")),
    schemas: fields.optional("schemas", () => fields.texts("schemas")),
  };
}

function appRoleOutput(fields: OutputFields, mount: string, name: string): AppRoleOutput {
  return {
    ...fields.all,
    role_id: fields.text("role_id"),
    login_path: fields.exactly("login_path", `auth/${mount}/login`),
    secret_id_path: fields.exactly("secret_id_path", `auth/${mount}/role/${name}/secret-id`),
    roles: fields.texts("roles"),
  };
}
