import { TerraformOutput, TerraformStack } from "cdktf";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  AppRoleAuth,
  ConsulTemplateConfiguration,
  CredentialsTemplate,
  DatabaseSecretsEngine,
  Duration,
  ManagerRole,
  PostgresDatabase,
  WriteOnlySecret,
  type SslMode,
} from "../../lib";

export interface DjangoStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  readonly postgresHost: string;
  /** @default 5432 */
  readonly postgresPort?: number;
  /** @default "verify-full" */
  readonly postgresSslMode?: SslMode;
  /** Absolute path of the application's folder: `settings.py` is written to it. */
  readonly folder: string;
  /** Absolute path of the file with the token, which the application need not be able to read. */
  readonly tokenFile: string;
  /** Database to copy. @default "template0" */
  readonly databaseTemplate?: string;
  /** @default Duration.seconds(300) */
  readonly defaultTtl?: Duration;
  /** @default Duration.seconds(600) */
  readonly maxTtl?: Duration;
  /** @default true */
  readonly deletionProtection?: boolean;
}

/** A Django application whose settings are written anew with every credential, each a superuser's. */
export class DjangoStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: DjangoStackProps) {
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

    const database = new PostgresDatabase(this, "Database", {
      name: "testdb",
      template: props.databaseTemplate,
      deletionProtection: props.deletionProtection,
    });
    const connection = new DatabaseSecretsEngine(this, "Secrets", { path: "database" }).addPostgresConnection(
      "testdb",
      {
        database,
        endpoint: { ...endpoint, sslMode },
        // Made by engine-login.sql: a superuser, which Terraform's own login cannot make.
        manager: ManagerRole.fromName(this, "Manager", "vault_admin"),
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      },
    );
    const admin = connection.addDynamicRole("admin", {
      allowSuperuser: true,
      creationStatements: [
        `CREATE ROLE "{{name}}" WITH SUPERUSER LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';`,
      ],
      // Twice, with a COMMIT between: only then do others see that the login is refused, and the second call ends the
      // sessions that began meanwhile.
      revocationStatements: [
        `SELECT public.revoke_access('{{name}}');`,
        `COMMIT;`,
        `SELECT public.revoke_access('{{name}}');`,
        `DROP USER IF EXISTS "{{name}}";`,
      ],
      defaultTtl: props.defaultTtl ?? Duration.seconds(300),
      maxTtl: props.maxTtl ?? Duration.seconds(600),
    });

    const testrole = new AppRoleAuth(this, "AppRoles", { path: "approle" }).addRole("testrole", {
      secretIdTtl: Duration.minutes(10),
      secretIdNumUses: 40,
      tokenTtl: Duration.minutes(20),
      tokenMaxTtl: Duration.minutes(30),
      tokenNumUses: 10,
    });
    admin.grantRead(testrole);

    new ConsulTemplateConfiguration(this, "ConsulTemplate", {
      address: props.vaultAddress,
      tokenFile: props.tokenFile,
      files: [
        {
          source: admin,
          path: `${props.folder}/settings.py`,
          template: CredentialsTemplate.text(settings({ ...endpoint, name: database.name, sslMode })),
        },
      ],
      outputName: "consul_template_configuration",
    });
    new TerraformOutput(this, "role_id", { value: testrole.roleId, staticId: true });
    new TerraformOutput(this, "login_path", { value: testrole.loginPath, staticId: true });
    new TerraformOutput(this, "secret_id_path", { value: testrole.secretIdPath, staticId: true });
  }
}

/** A JSON string is a Python string as well. */
function settings(database: {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly sslMode: string;
}): string {
  return [
    `from base_settings import *  # noqa: F403`,
    ``,
    `DATABASES = {`,
    `    "default": {`,
    `        "ENGINE": "django.db.backends.postgresql",`,
    `        "HOST": ${JSON.stringify(database.host)},`,
    `        "PORT": ${database.port},`,
    `        "NAME": ${JSON.stringify(database.name)},`,
    `        "USER": {{ .Data.username | toJSON }},`,
    `        "PASSWORD": {{ .Data.password | toJSON }},`,
    `        "OPTIONS": {"sslmode": ${JSON.stringify(database.sslMode)}},`,
    `    }`,
    `}`,
    ``,
  ].join("\n");
}
