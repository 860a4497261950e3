import { BaseRole, type IBaseRole } from "../lib/postgres/base-role";
import type { IPostgresDatabase } from "../lib/postgres/database";
import type { AppRole } from "../lib/vault/app-role";
import { DynamicRole } from "../lib/vault/dynamic-role";
import { Policy } from "../lib/vault/policy";
import type { IPostgresConnection } from "../lib/vault/postgres-connection";
import { StaticRole } from "../lib/vault/static-role";
import type { Environment } from "./environment";

/** The roles of an environment's own stack, as the stacks of its groups know them: by name. */
export class InheritedRoles {
  /** Names of those that have a base role. */
  readonly dynamicNames: readonly string[];
  /** Names of all. */
  readonly names: readonly string[];

  constructor(
    private readonly environment: Environment,
    private readonly database: IPostgresDatabase,
    private readonly connection: IPostgresConnection,
  ) {
    this.dynamicNames = Object.keys(environment.roles);
    this.names = [...this.dynamicNames, ...Object.keys(environment.staticRoles ?? {})];
  }

  /** Base role of a role; undefined if there is none of that name. */
  baseRole(name: string): IBaseRole | undefined {
    if (!this.dynamicNames.includes(name)) return undefined;
    const known = this.database.node.tryFindChild(name) as IBaseRole | undefined;
    const { level, schemas } = this.environment.roles[name]!.access;
    const attributes = { name: `${this.database.name}_${name}`, level, schemas };
    return known ?? BaseRole.fromName(this.database, name, attributes);
  }

  /** Base roles that make tables in one of the schemas, which other roles' rights have to cover. */
  ownersOf(schemas: readonly string[]): readonly IBaseRole[] {
    return Object.entries(this.environment.roles)
      .filter(
        ([, { access }]) =>
          access.level === "owner" && access.schemas.some((schema) => schemas.includes(schema)),
      )
      .map(([name]) => this.baseRole(name)!);
  }

  /** What can be read; its policy is declared in the environment's own stack. Undefined if there is none of that name. */
  roleNamed(name: string): { grantRead(approle: AppRole): void } | undefined {
    if (!this.names.includes(name)) return undefined;
    return {
      grantRead: (approle) => {
        const known = this.connection.node.tryFindChild(name) as DynamicRole | StaticRole | undefined;
        const attributes = { engine: this.connection.engine, name };
        const kind = this.dynamicNames.includes(name) ? DynamicRole : StaticRole;
        const role = known ?? kind.fromName(this.connection, name, attributes);
        const policy = role.node.tryFindChild("ReadPolicy") as Policy | undefined;
        approle.addPolicy(
          policy ?? Policy.fromName(role, "ReadPolicy", role.credsPath.toLowerCase()),
          role.credsPath,
        );
      },
    };
  }
}
