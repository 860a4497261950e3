import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  Access,
  AppRoleAuth,
  CredentialsTemplate,
  DatabaseSecretsEngine,
  Duration,
  Lockout,
  ManagerRole,
  Policy,
  PostgresDatabase,
  Revocation,
  VaultAgentConfiguration,
  WriteOnlySecret,
  type SslMode,
} from "../../lib";

export interface EctoAgentStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  readonly postgresHost: string;
  /** @default 5432 */
  readonly postgresPort?: number;
  /** @default "verify-full" */
  readonly postgresSslMode?: SslMode;
  /** Absolute path of a folder on the application's machine: what the agent reads and writes. */
  readonly folder: string;
  /** Database to copy. @default "template0" */
  readonly databaseTemplate?: string;
  /** @default Duration.seconds(60) */
  readonly defaultTtl?: Duration;
  /** @default Duration.seconds(120) */
  readonly maxTtl?: Duration;
  /** Where the secrets engine is mounted. @default "database" */
  readonly enginePath?: string;
  /** Where the auth method is enabled. @default "approle" */
  readonly authPath?: string;
  /** @default true */
  readonly deletionProtection?: boolean;
}

/** An application whose credentials change every two minutes, by way of an agent and a file. */
export class EctoAgentStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: EctoAgentStackProps) {
    super(scope, id);
    const endpoint = { host: props.postgresHost, port: props.postgresPort ?? 5432 };
    const sslMode = props.postgresSslMode ?? "verify-full";
    new VaultProvider(this, "VaultProvider", { address: props.vaultAddress });
    new PostgresqlProvider(this, "PostgresqlProvider", {
      ...endpoint,
      username: "terraform",
      sslmode: sslMode,
      superuser: false,
    });

    // Closed to PUBLIC; what is issued inherits from one role, which may connect and make schemas.
    const database = new PostgresDatabase(this, "Database", {
      name: "my_database",
      template: props.databaseTemplate,
      deletionProtection: props.deletionProtection,
    });
    const baseRole = database.addBaseRole("base", {
      name: "base_role",
      access: Access.custom([{ on: "database", privileges: ["CONNECT", "CREATE"] }]),
    });

    const connection = new DatabaseSecretsEngine(this, "Secrets", {
      path: props.enginePath ?? "database",
    }).addPostgresConnection("my_database", {
      database,
      endpoint: { ...endpoint, sslMode },
      manager: new ManagerRole(this, "Manager", {
        name: "my_database_manager",
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      }),
    });
    const role = connection.addDynamicRole("vault_ecto", {
      baseRole,
      defaultTtl: props.defaultTtl ?? Duration.seconds(60),
      maxTtl: props.maxTtl ?? Duration.seconds(120),
      // What a user owned goes to base_role; a transaction that runs goes on, past the end of its lease.
      revocation: Revocation.drain(),
    });

    const policy = new Policy(this, "ReadCredentials", {
      name: "read_vault_ecto_creds",
      rules: [{ path: role.credsPath, capabilities: ["read"] }],
    });
    const month = Duration.minutes(43_200);
    // With it, an agent may try again soon: of credentials that live for two minutes, waits of five would be too long.
    const lockout = Lockout.off();
    const appRole = new AppRoleAuth(this, "AppRoles", { path: props.authPath ?? "approle", lockout }).addRole(
      "vault-agent",
      {
        secretIdTtl: month,
        secretIdNumUses: 99_999,
        tokenTtl: month,
        tokenMaxTtl: month,
        tokenNumUses: 9_999,
        policies: [policy],
      },
    );

    new VaultAgentConfiguration(this, "Agent", {
      address: props.vaultAddress,
      appRole,
      roleIdFile: `${props.folder}/role_id`,
      secretIdFile: `${props.folder}/secret_id`,
      // A SecretID is good for 99,999 logins, so that the agent can be started again, as it has to be when the uses of its
      // token are up.
      removeSecretId: false,
      exitOnRetryFailure: true,
      loginBackoff: { min: Duration.seconds(1), max: Duration.minutes(5) },
      files: [
        {
          source: role,
          path: `${props.folder}/credentials.json`,
          template: CredentialsTemplate.json({ values: { ...endpoint, database: database.name } }),
        },
      ],
      outputName: "agent_configuration",
    });
    new TerraformOutput(this, "role_id", { value: appRole.roleId, staticId: true });
    new TerraformOutput(this, "secret_id_path", { value: appRole.secretIdPath, staticId: true });
  }
}
