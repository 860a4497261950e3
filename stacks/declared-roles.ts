import { Token, type TerraformStack } from "cdktf";
import { ConfigurationError } from "../lib/errors";
import type { BaseRole, IBaseRole } from "../lib/postgres/base-role";
import type { IPostgresDatabase } from "../lib/postgres/database";
import type { AppRole } from "../lib/vault/app-role";
import type { IAppRoleAuth } from "../lib/vault/app-role-auth";
import type { DynamicRole } from "../lib/vault/dynamic-role";
import type { IPostgresConnection } from "../lib/vault/postgres-connection";
import type { StaticRole } from "../lib/vault/static-role";
import { appRoleSettings, declaredCredential, membershipsOf, policyDigests } from "./declared-settings";
import type { EnvironmentGroup, RolesAndApplications } from "./environment";
import type { InheritedRoles } from "./inherited-roles";
import type { AppRoleOutput, RoleOutput, StatementDigests, StaticRoleOutput } from "./outputs";
import { keepLogins } from "./kept-logins";
import { addOutput } from "./stack-parts";
import { statementsDigest } from "./statements-digest";

/** Where roles and applications are declared: in an environment's own stack, or in that of a group. */
export interface Place {
  /** For messages, such as `environment "dev"`. */
  readonly description: string;
  /** Begins the names of AppRoles. */
  readonly prefix: string;
  readonly database: IPostgresDatabase;
  readonly connection: IPostgresConnection;
  /** Roles of the environment's own stack, where this is a group's. */
  readonly inherited?: InheritedRoles;
}

interface DeclaredRole {
  readonly base: BaseRole;
  readonly role: DynamicRole;
}

interface DeclaredStaticRole {
  /** Absent where the login was there before. */
  readonly base?: IBaseRole;
  readonly role: StaticRole;
}

interface DeclaredApplication {
  readonly approle: AppRole;
  readonly roles: readonly string[];
}

/** The roles and applications that a stack declares, by name. */
export class DeclaredRoles {
  private readonly roles = new Map<string, DeclaredRole>();
  private readonly staticRoles = new Map<string, DeclaredStaticRole>();
  private readonly applications = new Map<string, DeclaredApplication>();

  constructor(private readonly place: Place) {}

  addRoles({ roles, staticRoles = {} }: RolesAndApplications): void {
    const { database, connection, inherited } = this.place;
    for (const [name, { access, ...options }] of Object.entries(roles)) {
      const base = database.addBaseRole(name, { access, objectOwners: inherited?.ownersOf(access.schemas) });
      this.roles.set(name, { base, role: connection.addDynamicRole(name, { ...options, baseRole: base }) });
    }
    for (const [name, { role: joined, ...options }] of Object.entries(staticRoles)) {
      const base = joined === undefined ? undefined : this.baseRole(name, joined);
      const login = base && database.addLogin(name, { baseRole: base });
      this.staticRoles.set(name, { base, role: connection.addStaticRole(name, { ...options, login }) });
    }
    keepLogins(database, staticRoles);
  }

  addApplications({ applications }: RolesAndApplications, auth: IAppRoleAuth): void {
    const { description, prefix, inherited } = this.place;
    for (const [name, { roles: readable, ...limits }] of Object.entries(applications)) {
      const approle = auth.addRole(`${prefix}-${name}`, limits);
      for (const role of readable) {
        const granted = this.roleNamed(role) ?? inherited?.roleNamed(role);
        if (granted === undefined) {
          const there = [...this.roles.keys(), ...this.staticRoles.keys(), ...(inherited?.names ?? [])];
          throw new ConfigurationError(
            `The application "${name}" of ${description} reads the role "${role}", which is not there.`,
            `Use one of ${there.join(", ")}, or add it to roles or staticRoles.`,
          );
        }
        granted.grantRead(approle);
      }
      this.applications.set(approle.name, { approle, roles: readable });
    }
  }

  roleNamed(name: string): DynamicRole | StaticRole | undefined {
    return (this.roles.get(name) ?? this.staticRoles.get(name))?.role;
  }

  /**
   * Declares the policies of those roles here that a group's applications read. The group knows them by name; a policy of
   * its own would go with the group, and another group's applications lose it.
   */
  letRead({ applications = {} }: EnvironmentGroup): void {
    for (const { roles } of Object.values(applications)) {
      for (const role of roles) void this.roleNamed(role)?.readPolicy;
    }
  }

  /** Writes what the command-line tools need. */
  output(stack: TerraformStack): void {
    addOutput<Record<string, RoleOutput>>(
      stack,
      "roles",
      "Credentials that can be issued, by role",
      Object.fromEntries([...this.roles].map(([name, { base, role }]) => [name, describeRole(base, role)])),
    );
    if (this.staticRoles.size > 0) {
      addOutput<Record<string, StaticRoleOutput>>(
        stack,
        "static_roles",
        "Logins whose password the engine keeps, by static role",
        Object.fromEntries(
          [...this.staticRoles].map(([name, { base, role }]) => [name, describeStaticRole(role, base)]),
        ),
      );
    }
    addOutput<Record<string, AppRoleOutput>>(
      stack,
      "approles",
      "Applications, by AppRole",
      Object.fromEntries(
        [...this.applications].map(([name, app]) => [name, describeAppRole(app.approle, app.roles)]),
      ),
    );
    addOutput<Readonly<Record<string, string>>>(
      stack,
      "policies",
      "Digests of the policies that this stack declares, by name",
      policyDigests(stack),
    );
  }

  private baseRole(name: string, joined: string): IBaseRole {
    const { description, inherited } = this.place;
    const base = this.roles.get(joined)?.base ?? inherited?.baseRole(joined);
    if (base === undefined) {
      const there = [...this.roles.keys(), ...(inherited?.dynamicNames ?? [])];
      throw new ConfigurationError(
        `The static role "${name}" of ${description} joins the role "${joined}", which is not there.`,
        `Use one of ${there.join(", ")}, or username for a login that exists.`,
      );
    }
    return base;
  }
}

function describeRole(base: BaseRole, role: DynamicRole): RoleOutput {
  return {
    creds_path: role.credsPath,
    base_role: base.name,
    base_role_member_of: membershipsOf(base),
    access: base.level,
    schemas: base.schemas,
    revocation: role.revocationMode,
    default_ttl: role.defaultTtl.toSeconds(),
    max_ttl: role.maxTtl.toSeconds(),
    statements: digestsOf(role),
    credential: declaredCredential(role.resource),
  };
}

function digestsOf({ resource }: DynamicRole): StatementDigests {
  const { creationStatementsInput, renewStatementsInput, revocationStatementsInput } = resource;
  return {
    creation: digestOf(creationStatementsInput),
    renewal: digestOf(renewStatementsInput),
    revocation: digestOf(revocationStatementsInput),
  };
}

/** What only Terraform knows has no digest here. */
function digestOf(list: readonly string[] | undefined): string | undefined {
  return list === undefined || list.some((sql) => Token.isUnresolved(sql))
    ? undefined
    : statementsDigest(list);
}

function describeStaticRole(role: StaticRole, base?: IBaseRole): StaticRoleOutput {
  return {
    creds_path: role.credsPath,
    rotate_path: role.rotatePath,
    username: role.username,
    rotation_period: role.rotationPeriod.toSeconds(),
    statements: { rotation: digestOf(role.resource.rotationStatementsInput) },
    credential: declaredCredential(role.resource),
    ...(base && { base_role: base.name, access: base.level, schemas: base.schemas }),
  };
}

function describeAppRole(approle: AppRole, roles: readonly string[]): AppRoleOutput {
  return {
    role_id: approle.roleId,
    login_path: approle.loginPath,
    secret_id_path: approle.secretIdPath,
    roles,
    settings: appRoleSettings(approle.resource),
  };
}
