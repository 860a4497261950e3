import { Annotations, TerraformStack, type ITerraformDependable } from "cdktf";
import { DatabaseSecretBackendRole } from "@cdktf/provider-vault/lib/database-secret-backend-role";
import type { Construct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import type { OwnSql } from "../access-picture/report";
import type { Duration } from "../duration";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { vaultName } from "../names";
import type { IBaseRole } from "../postgres/base-role";
import type { IManagerRole } from "../postgres/manager-role";
import { isUnresolved } from "../tokens";
import { checkConnectionLimit } from "../postgres/connection-limit";
import { leaveAdmin } from "../postgres/manager-role";
import { checkStatements, renewal } from "../statements";
import { CredsRole, ImportedCredsRole, type DynamicRoleAttributes, type IDynamicRole } from "./creds-role";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { declareOnce } from "./declared-once";
import { warnOfPowers } from "./own-powers";
import type { IPostgresConnection } from "./postgres-connection";
import { Revocation } from "./revocation";
import { checkTtls, type RoleTtls } from "./role-ttls";
import { checkUserNames } from "./username-template";
import { WholeRole } from "./whole-role";

/** Options of a dynamic role that a connection to PostgreSQL is asked for. */
export interface DynamicRoleOptions extends RoleTtls {
  /**
   * NOLOGIN role whose rights the credentials have, and that gets what they own. Without it, `creationStatements` say it all, and
   * the revocation of a credential that owns something fails; it also fails where they make users members of no role.
   */
  readonly baseRole?: IBaseRole;
  /**
   * What becomes of sessions when a credential is revoked. Where `creationStatements` are your own, they have to set the
   * timeouts of `drain` as well.
   *
   * @default Revocation.terminate()
   */
  readonly revocation?: Revocation;
  /**
   * Most sessions at a time of one credential, 1 or more, or -1 for no limit. Without one, a single credential can fill the server, and
   * keep the engine out that would end it. Part of the preset: your own `creationStatements` set their own.
   *
   * @default -1
   */
  readonly connectionLimit?: number;
  /** Replaces the preset; has to use `{{name}}` and `{{password}}`. @default - a login that is a member of baseRole */
  readonly creationStatements?: readonly string[];
  /** Replaces the preset; has to use `{{name}}` and `{{expiration}}`. @default - moves VALID UNTIL */
  readonly renewStatements?: readonly string[];
  /** Replaces the preset and `revocation`; has to use `{{name}}`. @default - as `revocation` says */
  readonly revocationStatements?: readonly string[];
  /**
   * Whether the connection's manager is made ADMIN of the base role here, as it has to be to hand it out. One stack grants
   * that for each manager and base role: whichever is destroyed takes it from all. It is granted while no credential of the
   * base role lives, for Terraform's provider revokes before it grants, and PostgreSQL 16 and later answer `dependent
   * privileges exist`.
   *
   * What the stack has granted before stays on the server, and is taken out of its state, where this is or becomes false.
   *
   * @default - true; false where connection, manager and base role are all managed elsewhere, for whoever declares the
   *   manager or the base role grants it
   */
  readonly grantAdmin?: boolean;
  /**
   * Allows SQL that makes superusers, or gives another power that no revocation can be sure to have stopped: CREATEROLE,
   * REPLICATION, BYPASSRLS, ADMIN or GRANT OPTION, and the roles `pg_execute_server_program`, `pg_read_server_files` and
   * `pg_write_server_files`.
   *
   * @default false
   */
  readonly allowSuperuser?: boolean;
}

/** Options of {@link DynamicRole}. */
export interface DynamicRoleProps extends DynamicRoleOptions {
  /** Connection that makes and drops the logins. */
  readonly connection: IPostgresConnection;
  /** In the engine, and last part of the path that credentials are read from: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/** A role that makes a PostgreSQL login for each credential, and drops it when the credential is revoked. */
export class DynamicRole extends CredsRole implements IDynamicRole {
  /** Refers to a role that is managed elsewhere; `grantRead` declares a policy of this stack's own for each grantee. */
  static fromName(scope: Construct, id: string, attributes: DynamicRoleAttributes): IDynamicRole {
    return new ImportedCredsRole(scope, id, attributes);
  }

  readonly name: string;
  /** NOLOGIN role whose rights the credentials have; absent where `creationStatements` say it all. */
  readonly baseRole?: IBaseRole;
  /** How long a credential lives unless renewed. */
  readonly defaultTtl: Duration;
  /** How long a credential lives however often renewed. */
  readonly maxTtl: Duration;
  /** What revocation does with sessions; `custom` where the statements are the user's own. */
  readonly revocationMode: "terminate" | "drain" | "custom";
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: DatabaseSecretBackendRole;
  protected readonly engine: IDatabaseSecretsEngine;
  private readonly whole: WholeRole;

  /**
   * @throws ConfigurationError for a name that is unusable or taken, a TTL of 0, maxTtl under defaultTtl, and
   *   statements that lack a placeholder, or make superusers and their kind without `allowSuperuser`
   */
  constructor(scope: Construct, id: string, props: DynamicRoleProps) {
    super(scope, id);
    this.name = vaultName("role", props.name);
    this.engine = props.connection.engine;
    this.engine.names.claim("role", this.name);
    this.baseRole = props.baseRole;
    const ttls = checkTtls(this.name, props);
    this.defaultTtl = ttls.defaultTtl;
    this.maxTtl = ttls.maxTtl;
    const revocation = props.revocation ?? Revocation.terminate();
    this.revocationMode = props.revocationStatements ? "custom" : revocation.mode;
    this.resource = new DatabaseSecretBackendRole(this, "Resource", {
      backend: this.engine.path,
      name: this.name,
      dbName: props.connection.name,
      ...statementsOf(props, revocation),
      defaultTtl: this.defaultTtl.toSeconds(),
      maxTtl: this.maxTtl.toSeconds(),
      namespace: this.engine.namespace,
      provider: this.engine.provider,
    });
    checkUserNames(this, this.name, props.connection.usernameTemplate);
    const { creationStatements = [], renewStatements = [] } = props;
    if (props.allowSuperuser !== true)
      warnOfPowers(this, this.name, [...creationStatements, ...renewStatements]);
    props.connection.allow(this.name);
    declareOnce(this, {
      ...{ namespace: this.engine.namespace, provider: this.engine.provider },
      kind: "role",
      path: `${this.engine.path}/${this.name}`,
    });
    this.engine.ttls.add(this, `maxTtl of the role ${show(this.name)}`, () => this.resource.maxTtlInput);
    dependOn(
      this.resource,
      ...props.connection.ready,
      ...(props.baseRole?.ready ?? []),
      this.adminGrant(props),
    );
    this.whole = new WholeRole(this, this.resource);
    describeAccess(this, () => ({
      ...{ kind: "role", type: "dynamic", name: this.name, existing: false },
      path: this.credsPath,
      namespace: this.engine.namespace,
      baseRole: props.baseRole,
      defaultTtl: this.defaultTtl.toSeconds(),
      maxTtl: this.maxTtl.toSeconds(),
      revocation: this.revocationMode,
      ownSql: ownSqlOf(props),
      superuserAllowed: props.allowSuperuser,
    }));
  }

  protected get ready(): readonly ITerraformDependable[] {
    return [this.resource, this.whole];
  }

  /** What lets the engine hand out the base role, where this stack grants it. */
  private adminGrant({
    baseRole,
    connection,
    grantAdmin,
  }: DynamicRoleProps): ITerraformDependable | undefined {
    const { manager, name } = connection;
    if (baseRole === undefined) return undefined;
    if (manager === undefined) {
      if (grantAdmin !== false) this.warnOfUnknownManager(name, baseRole.name);
      return undefined;
    }
    const elsewhere = manager.resource === undefined && connection.ready.length === 0;
    if (grantAdmin ?? (!elsewhere || isOfOneStack(manager, baseRole))) return manager.handOut(baseRole);
    leaveAdmin(manager, baseRole);
    if (grantAdmin === undefined) {
      Annotations.of(this).addWarning(
        `The base role ${show(baseRole.name)} and the login ${show(manager.name)} of the connection ${show(name)} are managed ` +
          "elsewhere, so that the login is not made ADMIN of the base role here. Whoever declares one of them does that, or a DBA: " +
          "then pass grantAdmin: false. If nobody else does, pass grantAdmin: true.",
      );
    }
    return undefined;
  }
}

/** Whether a base role is declared in the stack that would grant it. */
function isOfOneStack(manager: IManagerRole, { node, resource }: IBaseRole): boolean {
  return resource !== undefined && node.scopes.includes(TerraformStack.of(manager));
}

function ownSqlOf(props: DynamicRoleProps): OwnSql[] {
  return [
    ...(props.creationStatements ? (["creation"] as const) : []),
    ...(props.renewStatements ? (["renewal"] as const) : []),
    ...(props.revocationStatements ? (["revocation"] as const) : []),
  ];
}

function statementsOf(props: DynamicRoleProps, revocation: Revocation) {
  const { name, baseRole, allowSuperuser } = props;
  if (baseRole === undefined && props.creationStatements === undefined) {
    throw new ConfigurationError(
      `The role ${show(name)} has neither a base role nor creation statements.`,
      "Pass baseRole, such as database.addBaseRole(…), or creationStatements of your own.",
    );
  }
  if (props.revocation !== undefined && props.revocationStatements !== undefined) {
    throw new ConfigurationError(
      `The role ${show(name)} has both a revocation mode and revocation statements.`,
      "Pass one of them: the statements replace what the mode would do.",
    );
  }
  const { namePrefix, manager } = props.connection;
  const engineLogin = manager === undefined || isUnresolved(manager.name) ? undefined : manager.name;
  const connectionLimit = checkConnectionLimit(`role ${show(name)}`, props.connectionLimit, 1);
  const preset =
    baseRole && revocation.statementsFor(baseRole.name, baseRole.level, { namePrefix, connectionLimit });
  const own = (kind: "creation" | "renewal" | "revocation", statements: readonly string[] | undefined) =>
    statements && checkStatements(name, kind, statements, allowSuperuser, engineLogin);
  return {
    creationStatements: own("creation", props.creationStatements) ?? preset?.creation ?? [],
    renewStatements: own("renewal", props.renewStatements) ?? preset?.renewal ?? renewal(),
    revocationStatements:
      own("revocation", props.revocationStatements) ?? revocation.revocationTo(baseRole?.name, namePrefix),
  };
}
