import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  AppRoleAuth,
  AuditDevice,
  DatabaseSecretsEngine,
  Duration,
  KeyValueContent,
  KeyValueEngine,
  ManagerRole,
  PostgresDatabase,
  RateLimitQuota,
  RateLimitTarget,
  WriteOnlySecret,
  type AppRole,
  type IBaseRole,
  type PostgresEndpoint,
} from "../../lib";

export interface DashboardStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  /** Where PostgreSQL is, seen from Vault, from Terraform and from the dashboard. */
  readonly postgres: PostgresEndpoint;
  /** `api` for Vault, `server-configuration` for OpenBao. */
  readonly auditDeclaredIn: "api" | "server-configuration";
  /** On the machine of Vault. @default "/var/log/vault/delphi-audit.log" */
  readonly auditFile?: string;
  /** Where the key-value engine is. @default "secret" */
  readonly keyValuePath?: string;
  /** @default "database" */
  readonly enginePath?: string;
  /** @default "approle" */
  readonly authPath?: string;
  /** Database to copy; `template1` on PostgreSQL 14. @default "template0" */
  readonly databaseTemplate?: string;
  /** @default Duration.hours(1) */
  readonly defaultTtl?: Duration;
  /** @default Duration.hours(24) */
  readonly maxTtl?: Duration;
  /** Requests for credentials in a second, by one client address. @default 5 */
  readonly credentialsPerSecond?: number;
  /** False takes the static login and its password away, once nobody needs them. @default true */
  readonly withStaticFallback?: boolean;
  /** @default true */
  readonly deletionProtection?: boolean;
}

/** A dashboard that reads the database `delphi`, and has something to fall back to. */
export class DashboardStack extends TerraformStack {
  readonly approles: AppRoleAuth;

  constructor(scope: Construct, id: string, props: DashboardStackProps) {
    super(scope, id);
    const { postgres } = props;
    new VaultProvider(this, "VaultProvider", { address: props.vaultAddress });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: postgres.host,
      port: postgres.port,
      username: "terraform",
      sslmode: postgres.sslMode ?? "verify-full",
      superuser: false,
    });

    const database = new PostgresDatabase(this, "Delphi", {
      name: "delphi",
      template: props.databaseTemplate,
      deletionProtection: props.deletionProtection,
    });
    // Whoever makes tables does so as the owner; what it makes later is readable from the start.
    database.addBaseRole("owner", { access: Access.owner() });
    const readonly = database.addBaseRole("readonly", { access: Access.readOnly() });

    const engine = new DatabaseSecretsEngine(this, "Secrets", { path: props.enginePath });
    const connection = engine.addPostgresConnection("delphi-postgresql", {
      database,
      endpoint: postgres,
      manager: new ManagerRole(this, "Manager", {
        name: "delphi_manager",
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      }),
    });
    const role = connection.addDynamicRole("delphi-readonly", {
      baseRole: readonly,
      defaultTtl: props.defaultTtl ?? Duration.hours(1),
      maxTtl: props.maxTtl ?? Duration.hours(24),
    });

    this.approles = new AppRoleAuth(this, "AppRoles", { path: props.authPath });
    // Its token goes on for as long as it is renewed: a credential ends with the token that read it.
    const dashboard = this.approles.addRole("dashboard", { tokenPeriod: Duration.hours(1) });
    role.grantRead(dashboard);

    const kept = new KeyValueEngine(this, "KeyValue", { path: props.keyValuePath });
    const paths = this.keep(kept, props, database, readonly, dashboard);

    new RateLimitQuota(this, "Quota", {
      name: "delphi-credentials",
      target: RateLimitTarget.secretsEngine(engine, "creds/delphi-readonly"),
      rate: props.credentialsPerSecond ?? 5,
    });
    const audit = new AuditDevice(this, "Audit", {
      name: "delphi",
      filePath: props.auditFile ?? "/var/log/vault/delphi-audit.log",
      declaredIn: props.auditDeclaredIn,
      outputName: "audit_configuration",
    });
    audit.precede(engine.resource, kept.resource, this.approles.resource);

    new TerraformOutput(this, "dashboard", {
      description: "How the dashboard logs in and what it reads",
      value: {
        role_id: dashboard.roleId,
        login_path: dashboard.loginPath,
        creds_path: role.credsPath,
        ...paths,
      },
      staticId: true,
    });
  }

  /** What is below `delphi/database/` in the key-value engine, for the dashboard alone. */
  private keep(
    kept: KeyValueEngine,
    { postgres, withStaticFallback = true }: DashboardStackProps,
    database: PostgresDatabase,
    readonly: IBaseRole,
    dashboard: AppRole,
  ): Record<string, string> {
    const place = { host: postgres.host, port: postgres.port ?? 5432, database: database.name };
    const login = withStaticFallback
      ? database.addLogin("static", {
          baseRole: readonly,
          password: WriteOnlySecret.fromVariable(this, "static_password"),
        })
      : undefined;
    const config = kept.addSecret("delphi/database/config", {
      content: KeyValueContent.visible({ ...place, ...(login && { username: login.name }) }),
    });
    config.grantRead(dashboard);
    if (login?.password === undefined) return { config_path: config.dataPath };

    const password = kept.addSecret("delphi/database/password", {
      content: KeyValueContent.writeOnly({ password: login.password }),
    });
    password.grantRead(dashboard);
    return { config_path: config.dataPath, password_path: password.dataPath };
  }
}
