import { TerraformOutput, TerraformStack } from "cdktf";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { Construct } from "constructs";
import {
  AppRoleAuth,
  CredentialsTemplate,
  DatabaseSecretsEngine,
  Duration,
  MysqlAccess,
  SystemdUnit,
  VaultAgentConfiguration,
  WriteOnlySecret,
  type MysqlEndpoint,
  type MysqlServerKind,
} from "../../lib";

/** Machines that are stopped together: a rack, a data centre, all of development. */
export interface Group {
  /** Also the name of its AppRole. */
  readonly name: string;
  /** Folder on its machines with the agent's configuration, RoleID and SecretID. @default "/etc/echoserver" */
  readonly configurationFolder?: string;
  /** Folder that the agent writes the application's file to. @default - the unit's, "/run/echoserver" */
  readonly runtimeFolder?: string;
}

export interface SidecarGroupsStackProps {
  /** URL of the Vault or OpenBao API. */
  readonly vaultAddress: string;
  /** Where MySQL or MariaDB is, as Vault and the applications see it. */
  readonly mysql: MysqlEndpoint;
  /** @default "mariadb" */
  readonly server?: MysqlServerKind;
  /** @default - rack-a and rack-b */
  readonly groups?: readonly Group[];
  /** The agent's program on the applications' machines. @default "/usr/bin/vault" */
  readonly agentProgram?: string;
  /** How long a credential lives unless its agent renews it. @default Duration.minutes(5) */
  readonly defaultTtl?: Duration;
  /** Where the secrets engine is mounted. @default "database" */
  readonly enginePath?: string;
  /** Where the auth method is enabled. @default "approle" */
  readonly authPath?: string;
}

/** One read-only role of MySQL, an agent beside every application, and groups of them that can be stopped alone. */
export class SidecarGroupsStack extends TerraformStack {
  constructor(scope: Construct, id: string, props: SidecarGroupsStackProps) {
    super(scope, id);
    new VaultProvider(this, "VaultProvider", { address: props.vaultAddress });

    const readonly = new DatabaseSecretsEngine(this, "Secrets", { path: props.enginePath ?? "database" })
      .addMysqlConnection("mysql", {
        server: props.server ?? "mariadb",
        endpoint: props.mysql,
        username: "credentials_manager",
        password: WriteOnlySecret.fromVariable(this, "manager_password"),
      })
      .addDynamicRole("readonly", {
        access: MysqlAccess.readOnly({ databases: ["echo"] }),
        defaultTtl: props.defaultTtl ?? Duration.minutes(5),
      });

    const auth = new AppRoleAuth(this, "AppRoles", { path: props.authPath ?? "approle" });
    const unit = new SystemdUnit(this, "Unit", {
      description: "Keeps the database credentials of echoserver",
      command: [props.agentProgram ?? "/usr/bin/vault", "agent", "-config=/etc/echoserver/agent.json"],
      user: "echoserver",
      runtimeDirectory: "echoserver",
      before: ["echoserver.service"],
      outputName: "unit",
    });
    for (const group of props.groups ?? [{ name: "rack-a" }, { name: "rack-b" }]) {
      // Renewable for ever, 32 days at a time: it lives as long as its agent, or until the group is ended.
      const appRole = auth.addRole(group.name, { tokenPeriod: Duration.hours(768) });
      readonly.grantRead(appRole);
      const folder = group.configurationFolder ?? "/etc/echoserver";
      new VaultAgentConfiguration(this, `Agent-${group.name}`, {
        address: props.vaultAddress,
        appRole,
        roleIdFile: `${folder}/role_id`,
        secretIdFile: `${folder}/secret_id`,
        // So that the unit can start the agent again at any time.
        removeSecretId: false,
        exitOnRetryFailure: true,
        files: [
          {
            source: readonly,
            path: `${group.runtimeFolder ?? unit.runtimeDirectory}/database.json`,
            template: CredentialsTemplate.json({
              values: { host: props.mysql.host, port: props.mysql.port ?? 3306 },
            }),
          },
        ],
        outputName: `agent_${group.name}`,
      });
      new TerraformOutput(this, `role_id_${group.name}`, { value: appRole.roleId, staticId: true });
    }
  }
}
