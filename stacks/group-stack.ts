import { Annotations, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { PostgresDatabase } from "../lib/postgres/database";
import { ManagerRole } from "../lib/postgres/manager-role";
import { AppRoleAuth } from "../lib/vault/app-role-auth";
import { DatabaseSecretsEngine } from "../lib/vault/database-secrets-engine";
import { issuedNamePrefix } from "../lib/vault/issued-names";
import { PostgresConnection } from "../lib/vault/postgres-connection";
import { rolesOf } from "./check-groups";
import { requireFreeStack } from "./claim-environment";
import { DeclaredRoles } from "./declared-roles";
import type { Environment, EnvironmentGroup } from "./environment";
import { StateOwner } from "../lib/state-owner";
import { groupStackName, namesOf } from "./environment-names";
import { InheritedRoles } from "./inherited-roles";
import { longestTtls } from "./longest-ttls";
import { StateBackend } from "./state-backend";
import { addOutput, addProviders, engineEndpoint } from "./stack-parts";

/**
 * The roles and applications of one group of an environment, with a state of their own. Database, engine, connection and
 * auth method are those of the environment's own stack, which is deployed first; they are known by name.
 *
 * Its resources have the addresses that they have in an environment of one stack.
 */
export class GroupStack extends TerraformStack {
  constructor(scope: Construct, environment: Environment, name: string, group: EnvironmentGroup) {
    const id = groupStackName(environment.name, name);
    requireFreeStack(scope, id, `group "${name}" of environment "${environment.name}"`);
    super(scope, id);
    (environment.state ?? StateBackend.local()).bind(this, name);
    const vaultProvider = addProviders(this, environment);
    const names = namesOf(environment);
    new StateOwner(this, "StateOwner", {
      owner: `${names.owner}/${name}`,
      vaultProvider,
    });

    const database = PostgresDatabase.fromName(this, "Database", names.database);
    const longest = longestTtls(environment);
    const engine = DatabaseSecretsEngine.fromPath(this, "Secrets", {
      ...{ path: names.engine, maxLeaseTtl: longest.engine },
    });
    const connection = PostgresConnection.fromName(engine, names.database, {
      engine,
      name: names.database,
      manager: ManagerRole.fromName(this, "Manager", names.manager),
      namePrefix: issuedNamePrefix({
        name: names.database,
        database: names.database,
        endpoint: engineEndpoint(environment),
      }),
    });
    const declared = new DeclaredRoles({
      description: `group "${name}" of environment "${environment.name}"`,
      prefix: names.prefix,
      database,
      connection,
      inherited: new InheritedRoles(environment, database, connection),
    });
    const { roles = {}, staticRoles, applications = {} } = group;
    if (rolesOf(group).length + Object.keys(applications).length === 0) {
      Annotations.of(this).addWarning(
        `The group "${name}" of environment "${environment.name}" has neither roles nor applications. Deploy its stack, which takes ` +
          "what has moved elsewhere out of its state; then destroy the stack and leave the group out.",
      );
    }
    declared.addRoles({ roles, staticRoles, applications });
    declared.addApplications(
      { roles, staticRoles, applications },
      AppRoleAuth.fromPath(this, "AppRoles", { path: names.auth, maxLeaseTtl: longest.auth }),
    );

    addOutput<string>(this, "environment", "The environment that this is a group of", environment.name);
    declared.output(this);
  }
}
