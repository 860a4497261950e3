import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  ManagerRole,
  PostgresDatabase,
  WriteOnlySecret,
  type Duration,
  type PostgresConnection,
  type PostgresEndpoint,
} from "../../lib";

export interface DynamicAndStaticStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  /** Where PostgreSQL is, seen from Vault and from Terraform. */
  readonly postgres: PostgresEndpoint;
  /** @default "database" */
  readonly enginePath?: string;
  /** @default "approle" */
  readonly authPath?: string;
  /** Database to copy; `template1` on PostgreSQL 14. @default "template0" */
  readonly databaseTemplate?: string;
  /** How long a dynamic credential lives: set it low to watch one expire. @default Duration.hours(1) */
  readonly defaultTtl?: Duration;
  /** How long the static password holds: set it low to watch it change. @default Duration.hours(24) */
  readonly rotationPeriod?: Duration;
  /** False takes the static role away and leaves its login. @default true */
  readonly withStaticRole?: boolean;
  /** @default true */
  readonly deletionProtection?: boolean;
}

/** One application that may read the dynamic role `postgresql-role` and the static role `postgresql-static-role`. */
export class DynamicAndStaticStack extends TerraformStack {
  readonly connection: PostgresConnection;

  constructor(scope: Construct, id: string, props: DynamicAndStaticStackProps) {
    super(scope, id);
    new VaultProvider(this, "VaultProvider", { address: props.vaultAddress });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: props.postgres.host,
      port: props.postgres.port,
      username: "terraform",
      sslmode: props.postgres.sslMode ?? "verify-full",
      superuser: false,
    });

    const database = new PostgresDatabase(this, "Database", {
      name: "example",
      template: props.databaseTemplate,
      deletionProtection: props.deletionProtection,
    });
    const reader = database.addBaseRole("reader", { access: Access.readOnly() });
    const login = database.addLogin("static", { baseRole: reader });

    this.connection = new DatabaseSecretsEngine(this, "Secrets", {
      path: props.enginePath,
    }).addPostgresConnection("postgresql", {
      database,
      endpoint: props.postgres,
      manager: new ManagerRole(this, "Manager", {
        name: "example_manager",
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      }),
    });
    const application = new AppRoleAuth(this, "AppRoles", { path: props.authPath }).addRole("example");

    const dynamic = this.connection.addDynamicRole("postgresql-role", {
      baseRole: reader,
      defaultTtl: props.defaultTtl,
    });
    dynamic.grantRead(application);
    const paths: Record<string, string> = { creds_path: dynamic.credsPath };

    if (props.withStaticRole ?? true) {
      const role = this.connection.addStaticRole("postgresql-static-role", {
        login,
        rotationPeriod: props.rotationPeriod,
      });
      role.grantRead(application);
      paths.static_creds_path = role.credsPath;
      paths.rotate_path = role.rotatePath;
    }

    new TerraformOutput(this, "example", {
      description: "How the application logs in and what it reads",
      value: { role_id: application.roleId, login_path: application.loginPath, ...paths },
      staticId: true,
    });
  }
}
