import type { ITerraformDependable } from "cdktf";
import { DatabaseSecretBackendRole } from "@cdktf/provider-vault/lib/database-secret-backend-role";
import type { Construct } from "constructs";
import { dependOn } from "../dependencies";
import { describeAccess } from "../access-picture/describe-access";
import type { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { vaultName } from "../names";
import type { MysqlAccess } from "../mysql";
import { checkMysqlStatements, mysqlCreation, mysqlRevocation } from "../statements";
import { withStandIns } from "../tokens";
import { CredsRole, ImportedCredsRole, type DynamicRoleAttributes, type IDynamicRole } from "./creds-role";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { declareOnce } from "./declared-once";
import type { IMysqlConnection } from "./mysql-connection";
import { checkTtls, type RoleTtls } from "./role-ttls";
import { checkUserNames } from "./username-template";
import { WholeRole } from "./whole-role";

/** Options of a dynamic role that a connection to MySQL or MariaDB is asked for. */
export interface MysqlDynamicRoleOptions extends RoleTtls {
  /** What the credentials may do. Exactly one of this and `creationStatements`. */
  readonly access?: MysqlAccess;
  /** From where users may log in, as MySQL writes hosts: `10.1.%`, `10.1.0.0/255.255.0.0`, `%` for anywhere. @default "%" */
  readonly host?: string;
  /** Whether users may log in over TLS only. @default - unless the connection's endpoint disables TLS */
  readonly requireTls?: boolean;
  /** Replaces the preset; has to use `{{name}}` and `{{password}}`. @default - a user with the grants of `access` */
  readonly creationStatements?: readonly string[];
  /**
   * Replaces the preset; has to use `{{name}}`, and to end what earlier versions of the role made: `DROP USER IF EXISTS`
   * succeeds although the account has another host.
   *
   * @default - ends every account of that name and its sessions
   */
  readonly revocationStatements?: readonly string[];
  /**
   * Allows SQL that gives all rights on the server, privileges of the whole server such as FILE, CREATE USER and RELOAD, or
   * rights that can be handed on.
   *
   * @default false
   */
  readonly allowSuperuser?: boolean;
  /**
   * Allows SQL that gives the right to make views, triggers, routines and events. They name the credential's user as their
   * definer, and would fail for everybody without it: revocation fails until each has another definer, or is dropped.
   *
   * @default false
   */
  readonly allowDefiners?: boolean;
  /**
   * Allows SQL that grants on all databases whose names are like a pattern: in `GRANT … ON my_db.*`, `_` stands for any one
   * character, and `%` for any number of them. Unescaped they are refused otherwise. Where MySQL's `partial_revokes` is on
   * they stand for themselves, and so have to be allowed.
   *
   * @default false
   */
  readonly allowDatabasePatterns?: boolean;
}

/** Options of {@link MysqlDynamicRole}. */
export interface MysqlDynamicRoleProps extends MysqlDynamicRoleOptions {
  /** Connection that makes and drops the users. */
  readonly connection: IMysqlConnection;
  /** In the engine, and last part of the path that credentials are read from: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/**
 * A role that makes a MySQL or MariaDB user for each credential. When the credential is revoked, the user is dropped and
 * its sessions are ended.
 *
 * Users do not expire by themselves, as those of PostgreSQL do: it is the engine that ends them. While it is down, a user
 * outlives its lease. Nothing is to be done in the server when a lease is renewed.
 *
 * Whatever changes in the role, its present revocation ends the users of its earlier versions: it finds them by name,
 * wherever they may log in from. It fails, and the lease stays, where a session does not end, where an object names
 * the user as its definer, where a session has prepared a transaction, or where there is no such user and its name does
 * not show that it was made on this server. Until then the user is locked.
 */
export class MysqlDynamicRole extends CredsRole implements IDynamicRole {
  /** Refers to a role that is managed elsewhere; `grantRead` declares a policy of this stack's own for each grantee. */
  static fromName(scope: Construct, id: string, attributes: DynamicRoleAttributes): IDynamicRole {
    return new ImportedCredsRole(scope, id, attributes);
  }

  readonly name: string;
  /** How long a credential lives unless renewed. */
  readonly defaultTtl: Duration;
  /** How long a credential lives however often renewed. */
  readonly maxTtl: Duration;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: DatabaseSecretBackendRole;
  protected readonly engine: IDatabaseSecretsEngine;
  private readonly whole: WholeRole;

  /**
   * @throws ConfigurationError for a name that is unusable or taken, a TTL of 0, maxTtl under defaultTtl, both or
   *   neither of `access` and `creationStatements`, and statements that lack a placeholder, give all rights
   *   without `allowSuperuser`, or grant on a pattern of databases without `allowDatabasePatterns`
   */
  constructor(scope: Construct, id: string, props: MysqlDynamicRoleProps) {
    super(scope, id);
    this.name = vaultName("role", props.name);
    this.engine = props.connection.engine;
    this.engine.names.claim("role", this.name);
    const ttls = checkTtls(this.name, props);
    this.defaultTtl = ttls.defaultTtl;
    this.maxTtl = ttls.maxTtl;
    this.resource = new DatabaseSecretBackendRole(this, "Resource", {
      backend: this.engine.path,
      name: this.name,
      dbName: props.connection.name,
      ...statementsOf(props),
      defaultTtl: this.defaultTtl.toSeconds(),
      maxTtl: this.maxTtl.toSeconds(),
      namespace: this.engine.namespace,
      provider: this.engine.provider,
    });
    // A server of this kind refuses a name that is too long, and cuts none.
    checkUserNames(this, this.name, props.connection.usernameTemplate, Infinity);
    props.connection.allow(this.name);
    declareOnce(this, {
      ...{ namespace: this.engine.namespace, provider: this.engine.provider },
      kind: "role",
      path: `${this.engine.path}/${this.name}`,
    });
    this.engine.ttls.add(this, `maxTtl of the role ${show(this.name)}`, () => this.resource.maxTtlInput);
    dependOn(this.resource, ...props.connection.ready);
    this.whole = new WholeRole(this, this.resource);
    describeAccess(this, () => ({
      ...{ kind: "role", type: "dynamic", name: this.name, existing: false },
      path: this.credsPath,
      namespace: this.engine.namespace,
      defaultTtl: this.defaultTtl.toSeconds(),
      maxTtl: this.maxTtl.toSeconds(),
      revocation: props.revocationStatements ? "custom" : "terminate",
      ownSql: [
        ...(props.creationStatements ? (["creation"] as const) : []),
        ...(props.revocationStatements ? (["revocation"] as const) : []),
      ],
      superuserAllowed: props.allowSuperuser,
      ...(props.access && {
        level: props.access.level,
        grants: props.access.grants.map(({ database, table, privileges }) => ({
          ...{ database, on: "table", privileges },
          ...(table !== undefined && { objects: [table] }),
        })),
        from: props.host ?? "%",
        tls: props.requireTls ?? props.connection.requiresTls,
      }),
    }));
  }

  protected get ready(): readonly ITerraformDependable[] {
    return [this.resource, this.whole];
  }
}

function statementsOf(props: MysqlDynamicRoleProps) {
  const { name, access, connection, creationStatements, revocationStatements } = props;
  const allowed = {
    superuser: props.allowSuperuser,
    definers: props.allowDefiners,
    patterns: props.allowDatabasePatterns,
  };
  if ((access === undefined) === (creationStatements === undefined)) {
    throw new ConfigurationError(
      `The role ${show(name)} has ${access ? "both an access and" : "neither an access nor"} creation statements.`,
      'Pass exactly one of access, such as MysqlAccess.readOnly({ databases: ["orders"] }), and creationStatements.',
    );
  }
  const host = checkHost(name, props.host ?? "%");
  const requireTls = props.requireTls ?? connection.requiresTls;
  return {
    creationStatements: creationStatements
      ? checkMysqlStatements(name, "creation", creationStatements, allowed)
      : mysqlCreation(host, access?.grants ?? [], requireTls, connection.server),
    revocationStatements: revocationStatements
      ? checkMysqlStatements(name, "revocation", revocationStatements, allowed)
      : mysqlRevocation(connection.server, host, connection.userNameMark),
  };
}

function checkHost(role: string, host: string): string {
  if (!/^[A-Za-z0-9._%:/-]{1,60}$/.test(withStandIns(host))) {
    throw new ConfigurationError(
      `The users of the role ${show(role)} are to log in from the host ${show(host)}.`,
      'Use a name, an address, or a pattern of MySQL\'s, such as "10.1.%", or "%" for anywhere.',
    );
  }
  return host;
}
