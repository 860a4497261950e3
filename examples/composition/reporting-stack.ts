import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  AppRoleAuth,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  PostgresConnection,
  PostgresDatabase,
} from "../../lib";

export interface ReportingStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  readonly postgresHost: string;
  readonly postgresPort?: number;
  /** @default "verify-full" */
  readonly postgresSslMode?: string;
}

/**
 * A team's own stack beside the environment `dev`, deployed on its own: it adds a role and an application to the engine,
 * connection and database that are there already, which it knows by name only.
 *
 * The connection has to allow the new role: `additionalAllowedRoles: ["reporting-*"]` where it is declared.
 */
export class ReportingStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: ReportingStackProps) {
    super(scope, id);
    new VaultProvider(this, "VaultProvider", { address: props.vaultAddress });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      host: props.postgresHost,
      port: props.postgresPort,
      username: "terraform",
      sslmode: props.postgresSslMode ?? "verify-full",
      superuser: false,
    });

    // What is there.
    const database = PostgresDatabase.fromName(this, "Orders", "orders_dev");
    const engine = DatabaseSecretsEngine.fromPath(this, "Secrets", "orders-dev/database");
    const connection = PostgresConnection.fromName(this, "Connection", {
      engine,
      name: "orders_dev",
      manager: ManagerRole.fromName(this, "Manager", "orders_dev_manager"),
    });
    const auth = AppRoleAuth.fromPath(this, "AppRoles", "orders-dev/approle");

    // What is added: it may read one table and nothing else.
    const auditor = database.addBaseRole("auditor", {
      access: Access.custom([
        { on: "database", privileges: ["CONNECT"] },
        { on: "schema", schema: "app", privileges: ["USAGE"] },
        { on: "table", schema: "app", objects: ["invoices"], privileges: ["SELECT"] },
      ]),
    });
    const role = connection.addDynamicRole("reporting-auditor", {
      baseRole: auditor,
      defaultTtl: Duration.minutes(10),
      maxTtl: Duration.hours(2),
    });
    const application = auth.addRole("reporting", {
      tokenTtl: Duration.minutes(20),
      secretIdTtl: Duration.days(1),
    });
    role.grantRead(application);

    new TerraformOutput(this, "reporting", {
      description: "How the application logs in and what it reads",
      value: { role_id: application.roleId, login_path: application.loginPath, creds_path: role.credsPath },
      staticId: true,
    });
  }
}
