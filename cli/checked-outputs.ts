import type {
  AppRoleOutput,
  AppRoleSettings,
  ConnectionSettings,
  CredentialOutput,
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
  const isThere = (name: string) => content[name] !== undefined && content[name] !== null;
  return {
    ...outputs,
    ...(isThere("static_roles") && {
      static_roles: all.entries("static_roles", (role, name) => staticRoleOutput(role, mount, name)),
    }),
    ...(isThere("policies") && { policies: all.digestsByPolicy("policies") }),
  };
}

function vaultOutput(fields: OutputFields): VaultOutput {
  return {
    ...fields.all,
    address: fields.url("address"),
    namespace: fields.optional("namespace", () => fields.namespace("namespace")),
    mount: fields.mount("mount", ["sys", "auth", "audit", "identity", "cubbyhole"]),
    connection: fields.name("connection"),
    connection_url: fields.optional("connection_url", () => fields.text("connection_url")),
    connection_settings: fields.optional("connection_settings", () =>
      connectionSettings(fields.object("connection_settings")),
    ),
    approle_mount: fields.mount("approle_mount", ["token"]),
  };
}

function connectionSettings(fields: OutputFields): ConnectionSettings {
  const text = (name: string) => fields.optional(name, () => fields.text(name));
  return {
    password_authentication: text("password_authentication"),
    username_template: text("username_template"),
    disable_escaping: fields.optional("disable_escaping", () => fields.flag("disable_escaping")),
    root_rotation: text("root_rotation"),
  };
}

function credentialOutput(fields: OutputFields): CredentialOutput | undefined {
  return fields.optional("credential", () => {
    const credential = fields.object("credential");
    return {
      credential_type: credential.optional("credential_type", () => credential.text("credential_type")),
      credential_config: credential.optional(
        "credential_config",
        () => credential.object("credential_config").all,
      ),
    };
  });
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
    base_role_member_of: fields.optional("base_role_member_of", () => fields.texts("base_role_member_of")),
    access: fields.text("access"),
    schemas: fields.texts("schemas"),
    revocation: fields.text("revocation"),
    default_ttl: fields.number("default_ttl"),
    max_ttl: fields.number("max_ttl"),
    credential: credentialOutput(fields),
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
    credential: credentialOutput(fields),
  };
}

function appRoleOutput(fields: OutputFields, mount: string, name: string): AppRoleOutput {
  return {
    ...fields.all,
    role_id: fields.text("role_id"),
    login_path: fields.exactly("login_path", `auth/${mount}/login`),
    secret_id_path: fields.exactly("secret_id_path", `auth/${mount}/role/${name}/secret-id`),
    roles: fields.texts("roles"),
    settings: fields.optional("settings", () => appRoleSettings(fields.object("settings"))),
  };
}

function appRoleSettings(fields: OutputFields): AppRoleSettings {
  const flag = (name: string) => fields.optional(name, () => fields.flag(name));
  const number = (name: string) => fields.optional(name, () => fields.number(name));
  const texts = (name: string) => fields.optional(name, () => fields.texts(name));
  return {
    ...fields.all,
    bind_secret_id: flag("bind_secret_id"),
    secret_id_ttl: number("secret_id_ttl"),
    secret_id_num_uses: number("secret_id_num_uses"),
    secret_id_bound_cidrs: texts("secret_id_bound_cidrs"),
    token_ttl: number("token_ttl"),
    token_max_ttl: number("token_max_ttl"),
    token_period: number("token_period"),
    token_explicit_max_ttl: number("token_explicit_max_ttl"),
    token_num_uses: number("token_num_uses"),
    token_bound_cidrs: texts("token_bound_cidrs"),
    token_type: fields.optional("token_type", () => fields.text("token_type")),
    token_no_default_policy: flag("token_no_default_policy"),
    token_policies: fields.optional("token_policies", () => fields.policies("token_policies")),
  };
}
