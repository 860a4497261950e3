import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  AppRoleAuth,
  ConfigurationError,
  DatabaseSecretsEngine,
  ManagerRole,
  PostgresDatabase,
  WriteOnlySecret,
  type AppRole,
  type BaseRole,
  type DynamicRole,
  type PostgresConnection,
  type StaticRole,
} from "../lib";
import type { Environment } from "./environment";
import type { AppRoleOutput, PostgresOutput, RoleOutput, StaticRoleOutput, VaultOutput } from "./outputs";
import { StateBackend } from "./state-backend";

/** Everything of one environment: database, roles and manager in PostgreSQL; engine, roles, policies and AppRoles in Vault. */
export class CredentialsStack extends TerraformStack {
  /**
   * @throws ConfigurationError for a name that is unusable, and for an application or a static role that names a
   *   role which is not there
   */
  constructor(scope: Construct, environment: Environment) {
    super(scope, stackName(environment));
    (environment.state ?? StateBackend.local()).bind(this);
    this.addProviders(environment);

    // PostgreSQL's roles and Vault's mounts and policies belong to a whole server, so both names are in each of theirs.
    const prefix = `${environment.application}-${environment.name}`;
    const databaseName = prefix.replaceAll("-", "_");
    const database = new PostgresDatabase(this, "Database", {
      name: databaseName,
      deletionProtection: environment.deletionProtection,
      template: environment.databaseTemplate,
    });
    (environment.schemas ?? ["app"]).forEach((schema) => database.addSchema(schema));
    const manager = new ManagerRole(this, "Manager", {
      name: `${databaseName}_manager`,
      password: WriteOnlySecret.fromVariable(this, "manager_password", {
        description:
          "First password of the login that the secrets engine uses; sent once, when the login is made",
      }),
    });

    const engine = new DatabaseSecretsEngine(this, "Secrets", {
      path: `${prefix}/database`,
      description: `PostgreSQL credentials of ${environment.application} (${environment.name})`,
    });
    const { seenFromVault, maxOpenConnections, ...server } = environment.postgres;
    const connection = engine.addPostgresConnection(databaseName, {
      database,
      manager,
      endpoint: seenFromVault ?? {
        host: server.host,
        port: server.port,
        sslMode: server.sslMode,
        sslRootCert: server.sslRootCert,
      },
      maxOpenConnections,
      additionalAllowedRoles: environment.additionalAllowedRoles,
    });

    const roles = new Map<string, DeclaredRole>();
    for (const [name, { access, ...options }] of Object.entries(environment.roles)) {
      const base = database.addBaseRole(name, { access });
      roles.set(name, { base, role: connection.addDynamicRole(name, { ...options, baseRole: base }) });
    }
    const staticRoles = addStaticRoles(environment, database, connection, roles);

    const approle = new AppRoleAuth(this, "AppRoles", {
      path: `${prefix}/approle`,
      description: `Applications of ${environment.application} (${environment.name})`,
    });
    const applications = new Map<string, { readonly approle: AppRole; readonly roles: readonly string[] }>();
    for (const [name, { roles: readable, ...limits }] of Object.entries(environment.applications)) {
      const identity = approle.addRole(`${prefix}-${name}`, limits);
      for (const role of readable) {
        const granted = roles.get(role) ?? staticRoles.get(role);
        if (granted === undefined) {
          throw new ConfigurationError(
            `The application "${name}" of environment "${environment.name}" reads the role "${role}", which is not there.`,
            `Use one of ${[...roles.keys(), ...staticRoles.keys()].join(", ")}, or add it to roles or staticRoles.`,
          );
        }
        granted.role.grantRead(identity);
      }
      applications.set(identity.name, { approle: identity, roles: readable });
    }

    this.output<VaultOutput>("vault", "The Vault side: where the engine and the AppRoles are", {
      address: environment.vault.address,
      ...(environment.vault.namespace !== undefined && { namespace: environment.vault.namespace }),
      mount: engine.path,
      connection: connection.name,
      approle_mount: approle.path,
    });
    this.output<PostgresOutput>("postgres", "The PostgreSQL side: where applications connect to", {
      host: server.host,
      port: server.port ?? 5432,
      database: database.name,
      sslmode: server.sslMode ?? "verify-full",
      manager: manager.name,
    });
    this.output<Record<string, RoleOutput>>(
      "roles",
      "Credentials that can be issued, by role",
      Object.fromEntries([...roles].map(([name, { base, role }]) => [name, describeRole(base, role)])),
    );
    if (staticRoles.size > 0) {
      this.output<Record<string, StaticRoleOutput>>(
        "static_roles",
        "Logins whose password the engine keeps, by static role",
        Object.fromEntries(
          [...staticRoles].map(([name, { base, role }]) => [name, describeStaticRole(role, base)]),
        ),
      );
    }
    this.output<Record<string, AppRoleOutput>>(
      "approles",
      "Applications, by AppRole",
      Object.fromEntries(
        [...applications].map(([name, app]) => [name, describeAppRole(app.approle, app.roles)]),
      ),
    );
  }

  private addProviders({ vault, postgres }: Environment): void {
    new VaultProvider(this, "VaultProvider", {
      address: vault.address,
      namespace: vault.namespace,
      caCertFile: vault.caCertFile,
    });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: postgres.host,
      port: postgres.port ?? 5432,
      username: postgres.username ?? "terraform",
      sslmode: postgres.sslMode ?? "verify-full",
      sslrootcert: postgres.caCertFile,
      // The provider's default is true, and then it reads pg_shadow, which only a superuser may.
      superuser: false,
    });
  }

  private output<T>(name: string, description: string, value: T): void {
    new TerraformOutput(this, name, { description, value, staticId: true });
  }
}

interface DeclaredRole {
  readonly base: BaseRole;
  readonly role: DynamicRole;
}

interface DeclaredStaticRole {
  /** Absent where the login was there before. */
  readonly base?: BaseRole;
  readonly role: StaticRole;
}

function addStaticRoles(
  environment: Environment,
  database: PostgresDatabase,
  connection: PostgresConnection,
  roles: ReadonlyMap<string, DeclaredRole>,
): ReadonlyMap<string, DeclaredStaticRole> {
  const made = new Map<string, DeclaredStaticRole>();
  for (const [name, { role: joined, ...options }] of Object.entries(environment.staticRoles ?? {})) {
    const base = joined === undefined ? undefined : roles.get(joined)?.base;
    if (joined !== undefined && base === undefined) {
      throw new ConfigurationError(
        `The static role "${name}" of environment "${environment.name}" joins the role "${joined}", which is not there.`,
        `Use one of ${[...roles.keys()].join(", ")}, or username for a login that exists.`,
      );
    }
    const login = base && database.addLogin(name, { baseRole: base });
    made.set(name, { base, role: connection.addStaticRole(name, { ...options, login }) });
  }
  return made;
}

function stackName(environment: Environment): string {
  for (const [what, name] of [
    ["name", environment.name],
    ["application", environment.application],
  ] as const) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name.endsWith("-")) {
      throw new ConfigurationError(
        `The environment's ${what} is ${JSON.stringify(name)}.`,
        "Use up to 31 lower-case letters, digits and dashes, with a letter first and no dash last.",
      );
    }
  }
  return environment.name;
}

function describeRole(base: BaseRole, role: DynamicRole): RoleOutput {
  return {
    creds_path: role.credsPath,
    base_role: base.name,
    access: base.level,
    schemas: base.schemas,
    revocation: role.revocationMode,
    default_ttl: role.defaultTtl.toSeconds(),
    max_ttl: role.maxTtl.toSeconds(),
  };
}

function describeStaticRole(role: StaticRole, base?: BaseRole): StaticRoleOutput {
  return {
    creds_path: role.credsPath,
    rotate_path: role.rotatePath,
    username: role.username,
    rotation_period: role.rotationPeriod.toSeconds(),
    ...(base && { base_role: base.name, access: base.level, schemas: base.schemas }),
  };
}

function describeAppRole(approle: AppRole, roles: readonly string[]): AppRoleOutput {
  return {
    role_id: approle.roleId,
    login_path: approle.loginPath,
    secret_id_path: approle.secretIdPath,
    roles,
  };
}
