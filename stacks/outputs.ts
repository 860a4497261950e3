/**
 * What a deployed environment says of itself: the Terraform outputs of a credentials stack, with the roles and AppRoles of
 * its groups' stacks. None of it is secret. The stacks write them; the sandbox and the command-line tools read them, and nothing else of the stacks.
 */
export interface EnvironmentOutputs {
  /** The Vault side: where the engine and the AppRoles are. */
  readonly vault: VaultOutput;
  /** The PostgreSQL side: where applications connect to. */
  readonly postgres: PostgresOutput;
  /** By the role's name in the secrets engine. */
  readonly roles: Readonly<Record<string, RoleOutput>>;
  /** By the static role's name in the secrets engine; absent where there is none. */
  readonly static_roles?: Readonly<Record<string, StaticRoleOutput>>;
  /** By the AppRole's name. */
  readonly approles: Readonly<Record<string, AppRoleOutput>>;
  /** Digests of the policies that the stacks declare, by name; absent in older deployments. */
  readonly policies?: Readonly<Record<string, string>>;
  /** Names of the stacks of its groups, in order of deployment; absent where the environment is one stack. */
  readonly group_stacks?: readonly string[];
}

/** What the stack of a group says of itself. */
export interface GroupOutputs extends Pick<
  EnvironmentOutputs,
  "roles" | "static_roles" | "approles" | "policies"
> {
  /** Name of the environment. */
  readonly environment: string;
}

/** Output `vault`. */
export interface VaultOutput {
  /** URL of the Vault or OpenBao API. */
  readonly address: string;
  /** Namespace that holds everything below; absent for the root namespace. */
  readonly namespace?: string;
  /** Path of the database secrets engine, such as `orders-dev/database`. */
  readonly mount: string;
  /** Name of the connection in the secrets engine. */
  readonly connection: string;
  /** Where the connection leads, with placeholders for the login; absent in older deployments. */
  readonly connection_url?: string;
  /** What else the connection was declared with; absent in older deployments. */
  readonly connection_settings?: ConnectionSettings;
  /** Path of the AppRole auth method below `auth/`, such as `orders-dev/approle`. */
  readonly approle_mount: string;
}

/** By the names of the engine's API; what Terraform is told to ignore, or alone knows, is absent. */
export interface ConnectionSettings {
  /** How the engine sends passwords to PostgreSQL: `scram-sha-256` or `password`. */
  readonly password_authentication?: string;
  /** Digest of the template of its users' names. */
  readonly username_template?: string;
  /** Whether the login is put into the URL as it is. */
  readonly disable_escaping?: boolean;
  /** Digest of the SQL that sets the engine's own password. */
  readonly root_rotation?: string;
}

/** Output `postgres`. */
export interface PostgresOutput {
  /** Host name or address of the server. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** Name of the database. */
  readonly database: string;
  /** libpq's sslmode as applications should use it. */
  readonly sslmode: string;
  /** The login that the secrets engine uses. */
  readonly manager: string;
}

/** An entry of the output `roles`. */
export interface RoleOutput {
  /** API path that issues a credential, such as `orders-dev/database/creds/reader`. */
  readonly creds_path: string;
  /** The NOLOGIN role whose rights a credential has. */
  readonly base_role: string;
  /** Roles that its stack makes the base role a member of; absent where there is none. */
  readonly base_role_member_of?: readonly string[];
  /** Access level of the base role: `owner`, `read-write`, `read-only` or `custom`. */
  readonly access: string;
  /** Schemas that the access level covers. */
  readonly schemas: readonly string[];
  /** What revocation does with live sessions: `terminate`, `drain` or `custom`. */
  readonly revocation: string;
  /** Seconds. */
  readonly default_ttl: number;
  /** Seconds. */
  readonly max_ttl: number;
  /** Digests of its SQL; absent, each and all, where only Terraform knows the SQL, and in older deployments. */
  readonly statements?: StatementDigests;
  /** What it issues instead of passwords as the connection makes them; absent where it issues these. */
  readonly credential?: CredentialOutput;
}

/** By the names of the engine's API. */
export interface CredentialOutput {
  /** Such as `password` or `client_certificate`. */
  readonly credential_type?: string;
  /** Such as the name of a password policy. */
  readonly credential_config?: Readonly<Record<string, unknown>>;
}

/** A digest of each list of a role's SQL: 16 characters of its SHA-256, in hexadecimal. */
export interface StatementDigests {
  /** Of the SQL that issues. */
  readonly creation?: string;
  /** Of the SQL that renews. */
  readonly renewal?: string;
  /** Of the SQL that revokes. */
  readonly revocation?: string;
  /** Of the SQL that sets a static role's password. */
  readonly rotation?: string;
}

/** An entry of the output `static_roles`. */
export interface StaticRoleOutput {
  /** API path that shows the login's name and present password, such as `orders-dev/database/static-creds/legacy`. */
  readonly creds_path: string;
  /** API path that sets a new password when it is written to. */
  readonly rotate_path: string;
  /** Name of the login in PostgreSQL. */
  readonly username: string;
  /** Seconds that a password holds. */
  readonly rotation_period: number;
  /** Digest of its SQL; absent as in {@link RoleOutput}. */
  readonly statements?: Pick<StatementDigests, "rotation">;
  /** As in {@link RoleOutput}. */
  readonly credential?: CredentialOutput;
  /** The NOLOGIN role whose rights the login has; absent, with the next two, where the login was there before. */
  readonly base_role?: string;
  /** Access level of the base role, as in {@link RoleOutput}. */
  readonly access?: string;
  /** Schemas that the access level covers. */
  readonly schemas?: readonly string[];
}

/** An entry of the output `approles`. */
export interface AppRoleOutput {
  /** Public half of the login; the SecretID is issued apart, outside Terraform. */
  readonly role_id: string;
  /** API path to log in at, such as `auth/orders-dev/approle/login`. */
  readonly login_path: string;
  /** API path that issues a SecretID. */
  readonly secret_id_path: string;
  /** Names of the roles, keys of `roles` and of `static_roles`, whose credentials the AppRole may read. */
  readonly roles: readonly string[];
  /** What it was declared with; absent in older deployments. */
  readonly settings?: AppRoleSettings;
}

/** What an AppRole was declared with, by the names of its API; what Terraform is told to ignore is absent. */
export interface AppRoleSettings {
  /** Whether a login needs a SecretID. */
  readonly bind_secret_id?: boolean;
  /** Seconds; 0 for ever. */
  readonly secret_id_ttl?: number;
  /** How many logins a SecretID is good for; 0 for no limit. */
  readonly secret_id_num_uses?: number;
  /** Networks that may log in with a SecretID; none for all. */
  readonly secret_id_bound_cidrs?: readonly string[];
  /** Seconds; 0 for the mount's. */
  readonly token_ttl?: number;
  /** Seconds; 0 for the mount's. */
  readonly token_max_ttl?: number;
  /** Seconds; 0 for a token that is not periodic. */
  readonly token_period?: number;
  /** Seconds; 0 for no hard end. */
  readonly token_explicit_max_ttl?: number;
  /** How many requests a token is good for; 0 for no limit. */
  readonly token_num_uses?: number;
  /** Networks that may use a token; none for all. */
  readonly token_bound_cidrs?: readonly string[];
  /** Such as `service`. */
  readonly token_type?: string;
  /** Whether tokens lack the policy `default`. */
  readonly token_no_default_policy?: boolean;
  /** Names of the policies of its tokens. */
  readonly token_policies?: readonly string[];
}
