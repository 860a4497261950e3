import type { Duration } from "../lib/duration";
import type { Access } from "../lib/postgres/access";
import type { AppRoleOptions } from "../lib/vault/app-role";
import type { DynamicRoleOptions } from "../lib/vault/dynamic-role";
import type { Lockout } from "../lib/vault/lockout";
import type { PostgresEndpoint } from "../lib/vault/postgres-endpoint";
import type { StaticRoleOptions } from "../lib/vault/static-role";
import type { StateBackend } from "./state-backend";

/** One application's database credentials in one environment: everything that differs from environment to environment. */
export interface Environment {
  /** Name of the environment and of its stack, such as `dev`: lower-case letters, digits and `-`. */
  readonly name: string;
  /** Name of the application, such as `orders`; with the environment's it begins every name on the servers. */
  readonly application: string;
  /** The Vault or OpenBao server. */
  readonly vault: VaultServer;
  /** The PostgreSQL server. */
  readonly postgres: PostgresServer;
  /**
   * Database that this one is a copy of; `template1` where that has been prepared, as PostgreSQL 14 needs
   * (docs/rights/postgres-14-template.sql). Another one changes nothing once the database is made.
   *
   * @default "template0"
   */
  readonly databaseTemplate?: string;
  /** Schemas of the database, made if absent. @default ["app"] */
  readonly schemas?: readonly string[];
  /** By role name in the secrets engine, such as `reader`. */
  readonly roles: Readonly<Record<string, EnvironmentRole>>;
  /** By role name in the secrets engine, which no entry of `roles` has, such as `legacy`. @default - none */
  readonly staticRoles?: Readonly<Record<string, EnvironmentStaticRole>>;
  /** By AppRole, such as `api`. */
  readonly applications: Readonly<Record<string, EnvironmentApplication>>;
  /**
   * Splits a large environment: by group, such as `billing`, the roles and applications that get a stack of their own,
   * `dev-billing`. The stack of the environment is then the base of these and is deployed first.
   *
   * Everything is named as in one stack, so each role and application has a name that no other of the environment has. A
   * group's applications read roles of their group and of `roles` and `staticRoles` above. Roles that make tables are
   * above, since what they own stays until the database goes.
   *
   * @default - one stack
   */
  readonly groups?: Readonly<Record<string, EnvironmentGroup>>;
  /** Roles of other stacks that may use the connection; a name, or a pattern such as `reporting-*`. @default - none */
  readonly additionalAllowedRoles?: readonly string[];
  /** Makes Terraform refuse to destroy the database. @default true */
  readonly deletionProtection?: boolean;
  /** Where the Terraform state is kept. @default StateBackend.local() */
  readonly state?: StateBackend;
}

/** What a stack declares besides what all roles of an environment share. */
export type RolesAndApplications = Pick<Environment, "roles" | "staticRoles" | "applications">;

/**
 * Roles and applications of an environment with a stack of their own. One of neither is for the deployment in which the last of
 * them has moved to another stack, before its own is destroyed.
 */
export type EnvironmentGroup = Partial<RolesAndApplications>;

/** The Vault or OpenBao server. Its token comes from `VAULT_TOKEN` when Terraform runs. */
export interface VaultServer {
  /** URL of the API. */
  readonly address: string;
  /** Namespace that everything is made in. @default - the root namespace */
  readonly namespace?: string;
  /** File with the CA certificate of the API, on the machine that runs Terraform. @default - the system's CA certificates */
  readonly caCertFile?: string;
  /**
   * How long the token lives that the provider makes itself for a run of Terraform. A deployment that takes longer ends with
   * `permission denied` or `invalid token`, and goes on when it is run again.
   *
   * @default - the provider's: TERRAFORM_VAULT_MAX_TTL, else 20 minutes
   */
  readonly deploymentTokenTtl?: Duration;
  /**
   * What the auth method does with an AppRole of which logins fail. When the option is taken away, the server keeps what was set.
   *
   * @default - the server's: 5 failed logins within 15 minutes lock a RoleID for 15 minutes, unless configured
   */
  readonly lockout?: Lockout;
}

/** The PostgreSQL server. The password of Terraform's login comes from `PGPASSWORD` when Terraform runs. */
export interface PostgresServer extends PostgresEndpoint {
  /** Login that Terraform uses: CREATEDB and CREATEROLE, no superuser needed. @default "terraform" */
  readonly username?: string;
  /** File with the server's CA certificate, on the machine that runs Terraform. @default - the system's CA certificates */
  readonly caCertFile?: string;
  /** Where Vault finds the server, if not at the same host and port as Terraform does. @default - the same */
  readonly seenFromVault?: PostgresEndpoint;
  /** Most connections that the secrets engine opens. @default 4 */
  readonly maxOpenConnections?: number;
}

/** A base role of PostgreSQL and the dynamic role that hands it out. */
export interface EnvironmentRole extends Omit<DynamicRoleOptions, "baseRole" | "grantAdmin"> {
  /** What its credentials may do in the database. */
  readonly access: Access;
}

/** A login of PostgreSQL that lasts, and the static role that keeps its password. */
export interface EnvironmentStaticRole extends Omit<StaticRoleOptions, "login"> {
  /**
   * Name in `roles` of the role whose base role the login joins. The login is made, and named after the database and the
   * static role: `orders_dev_legacy`. Exactly one of this and `username`.
   */
  readonly role?: string;
}

/** An AppRole and what it may read. */
export interface EnvironmentApplication extends AppRoleOptions {
  /** Names of roles, dynamic or static, whose credentials it may read. */
  readonly roles: readonly string[];
}
