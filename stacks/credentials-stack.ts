import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { PostgresDatabase } from "../lib/postgres/database";
import { ManagerRole } from "../lib/postgres/manager-role";
import { AppRoleAuth } from "../lib/vault/app-role-auth";
import { DatabaseSecretsEngine } from "../lib/vault/database-secrets-engine";
import { keepPath } from "../lib/vault/kept-path";
import { StateOwner } from "../lib/state-owner";
import { WriteOnlySecret } from "../lib/write-only-secret";
import { claimEnvironment } from "./claim-environment";
import { checkGroups, groupsOf, rolesOf } from "./check-groups";
import { checkSchemas, DEFAULT_SCHEMAS } from "./check-schemas";
import { DeclaredElsewhere } from "./declared-elsewhere";
import { DeclaredRoles } from "./declared-roles";
import { connectionSettings, declaredUrl } from "./declared-settings";
import type { Environment } from "./environment";
import { namesOf } from "./environment-names";
import { longestTtls } from "./longest-ttls";
import { GroupStack } from "./group-stack";
import type { PostgresOutput, VaultOutput } from "./outputs";
import { StateBackend } from "./state-backend";
import { addOutput, addProviders, engineEndpoint } from "./stack-parts";

/** Of an environment, another path of a mount says that the state is another's: one that was written before it had an owner. */
function keepPathOf(owner: string, what: string, { resource }: DatabaseSecretsEngine | AppRoleAuth): void {
  keepPath(
    resource,
    `The Terraform state has the ${what} \${self.id}, and that of ${owner} is \${self.path}`,
    "Where two applications keep their state in one place, give each a key, schema or folder of its own. Where one was " +
      'renamed, see "Renaming" in docs/environment.md.',
  );
}

/**
 * Everything of one environment: database, roles and manager in PostgreSQL; engine, roles, policies and AppRoles in Vault.
 *
 * The roles and applications of each of its groups are in a stack of their own beside this one, which is made here too.
 */
export class CredentialsStack extends TerraformStack {
  /** A stack for each group, in order of deployment. */
  readonly groups: readonly GroupStack[];

  /**
   * @throws ConfigurationError for a name that is unusable or there twice, in the environment or in the app, and for an
   *   application or a static role that names a role which is not there, or is of another group, and for a role with access
   *   to a schema that is not there
   */
  constructor(scope: Construct, environment: Environment) {
    const names = namesOf(environment);
    claimEnvironment(scope, environment, names);
    super(scope, names.stack);
    checkGroups(environment, names);
    checkSchemas(environment);
    (environment.state ?? StateBackend.local()).bind(this);
    const vaultProvider = addProviders(this, environment);
    new StateOwner(this, "StateOwner", {
      owner: names.owner,
      vaultProvider,
    });

    const database = new PostgresDatabase(this, "Database", {
      name: names.database,
      deletionProtection: environment.deletionProtection,
      template: environment.databaseTemplate,
    });
    (environment.schemas ?? DEFAULT_SCHEMAS).forEach((schema) => database.addSchema(schema));
    const manager = new ManagerRole(this, "Manager", {
      name: names.manager,
      password: WriteOnlySecret.fromVariable(this, "manager_password", {
        description:
          "First password of the login that the secrets engine uses; sent once, when the login is made",
      }),
    });

    const longest = longestTtls(environment);
    const engine = new DatabaseSecretsEngine(this, "Secrets", {
      path: names.engine,
      description: `PostgreSQL credentials of ${environment.application} (${environment.name})`,
      maxLeaseTtl: longest.engine,
    });
    keepPathOf(names.owner, "secrets engine", engine);
    const server = environment.postgres;
    const connection = engine.addPostgresConnection(names.database, {
      database,
      manager,
      endpoint: engineEndpoint(environment),
      maxOpenConnections: server.maxOpenConnections,
      additionalAllowedRoles: [
        ...(environment.additionalAllowedRoles ?? []),
        ...groupsOf(environment).flatMap(([, group]) => rolesOf(group)),
      ],
    });
    const declared = new DeclaredRoles({
      description: `environment "${environment.name}"`,
      prefix: names.prefix,
      database,
      connection,
    });
    declared.addRoles(environment);

    const auth = new AppRoleAuth(this, "AppRoles", {
      path: names.auth,
      description: `Applications of ${environment.application} (${environment.name})`,
      maxLeaseTtl: longest.auth,
      lockout: environment.vault.lockout,
    });
    keepPathOf(names.owner, "AppRole method", auth);
    declared.addApplications(environment, auth);

    addOutput<string>(this, "environment", "The environment, which is named to vault-postgres", names.stack);
    addOutput<VaultOutput>(this, "vault", "The Vault side: where the engine and the AppRoles are", {
      address: environment.vault.address,
      ...(environment.vault.namespace !== undefined && { namespace: environment.vault.namespace }),
      mount: engine.path,
      connection: connection.name,
      connection_url: declaredUrl(connection.resource),
      connection_settings: connectionSettings(connection.resource),
      approle_mount: auth.path,
    });
    addOutput<PostgresOutput>(this, "postgres", "The PostgreSQL side: where applications connect to", {
      host: server.host,
      port: server.port ?? 5432,
      database: database.name,
      sslmode: server.sslMode ?? "verify-full",
      manager: manager.name,
    });
    declared.output(this);

    this.groups = this.addGroups(scope, environment, declared);
  }

  private addGroups(
    scope: Construct,
    environment: Environment,
    declared: DeclaredRoles,
  ): readonly GroupStack[] {
    const stacks = groupsOf(environment).map(([name, group]) => {
      declared.letRead(group);
      return new GroupStack(scope, environment, name, group);
    });
    // One after the other: PostgreSQL refuses two sessions that change the rights on one schema at a time.
    stacks.forEach((stack, index) => {
      stack.addDependency(this);
      if (index > 0) stack.addDependency(stacks[index - 1]!);
    });
    if (stacks.length > 0) {
      DeclaredElsewhere.amongAll([this, ...stacks]);
      const names = stacks.map((stack) => stack.node.id);
      addOutput<readonly string[]>(
        this,
        "group_stacks",
        "Stacks of the groups, in order of deployment",
        names,
      );
    }
    return stacks;
  }
}
