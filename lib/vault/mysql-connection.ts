import type { ITerraformDependable } from "cdktf";
import { DatabaseSecretBackendConnection } from "@cdktf/provider-vault/lib/database-secret-backend-connection";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { requireUsable } from "../first-password";
import { freeId } from "../free-id";
import { idOf, vaultName } from "../names";
import { checkMysqlStatements, type MysqlServerKind } from "../statements";
import { withStandIns } from "../tokens";
import type { WriteOnlySecret } from "../write-only-secret";
import { AllowedRoles } from "./allowed-roles";
import { checkLimits, type ConnectionLimits } from "./connection-limits";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { declareOnce } from "./declared-once";
import { MysqlDynamicRole, type MysqlDynamicRoleOptions } from "./mysql-dynamic-role";
import { checkMysqlConnectionUrl, mysqlServer, type MysqlEndpoint } from "./mysql-endpoint";
import { mysqlUserNames } from "./mysql-user-names";
import { ROOT_ROTATION } from "./root-rotation";

/** A connection of a secrets engine to a MySQL or MariaDB server, declared here or existing. */
export interface IMysqlConnection extends IConstruct {
  /** Name in the engine. */
  readonly name: string;
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Which server it is. */
  readonly server: MysqlServerKind;
  /** Whether users are to log in over TLS unless their role says otherwise. */
  readonly requiresTls: boolean;
  /** Beginning of the user names that are made on its server, and on no other; undefined where names do not show it. */
  readonly userNameMark?: string;
  /** What has to stand before a role can be declared on it; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];

  /**
   * Declares a role that issues dynamic credentials.
   *
   * @param name in the engine, and last part of the path that credentials are read from
   * @throws ConfigurationError as the constructor of {@link MysqlDynamicRole} does
   */
  addDynamicRole(name: string, options: MysqlDynamicRoleOptions): MysqlDynamicRole;

  /** Adds a role to those that the connection serves. Called by the role. */
  allow(role: string): void;

  /** @internal Template of its users' names, where it has one of its own and is declared here. */
  readonly usernameTemplate?: string;
}

/** Options of a connection to MySQL or MariaDB that an engine is asked for. */
export interface MysqlConnectionOptions extends ConnectionLimits {
  /**
   * Which server it is: they end users in different ways. The SQL for `mariadb` has been tried on MariaDB 10.11. The SQL for
   * `mysql`, which needs the procedures of docs/rights/mysql-end-sessions.sql, has been tried on MariaDB too, but on no MySQL
   * yet.
   */
  readonly server: MysqlServerKind;
  /** Where the server is, seen from Vault. Exactly one of this and `connectionUrl`. */
  readonly endpoint?: MysqlEndpoint;
  /** The whole URL of the engine's driver, beginning with `{{username}}:{{password}}@`. */
  readonly connectionUrl?: string;
  /** Login that the engine uses, made as docs/rights/mysql-manager.sql says: letters, digits, `_`, `-`, `.`. */
  readonly username: string;
  /** Its password; rotate the connection's root credential after the first deployment, then only the engine knows it. */
  readonly password: WriteOnlySecret;
  /**
   * Whether the engine logs in when the connection is written, so that a wrong host or password fails the deployment.
   *
   * @default true
   */
  readonly verify?: boolean;
  /**
   * Go template for the names of dynamic users, of at most 32 characters on MySQL and 80 on MariaDB; it has to use `random`
   * or `uuid`, before anything that `truncate` may cut off, and may use `.DisplayName` as `.DisplayName | sha256` only. With
   * the default, names show on which server they were made, so that the revocation of a user that is not there can tell
   * whether it is gone; with any other, it fails.
   *
   * @default - `v-<server>-<role>-<random>-<time>`, of 32, where `<server>` are 6 characters of a hash of host and port
   */
  readonly usernameTemplate?: string;
  /** Roles that are declared elsewhere and may use the connection; a name, or a pattern such as `reports-*`. @default - none */
  readonly additionalAllowedRoles?: readonly string[];
  /** SQL that sets the login's new password when it is rotated. @default - what the engine does by itself, for a login at the host `%` */
  readonly rootRotationStatements?: readonly string[];
}

/** Options of {@link MysqlConnection}. */
export interface MysqlConnectionProps extends MysqlConnectionOptions {
  /** Secrets engine to configure it in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/** A connection that exists, for `MysqlConnection.fromName`. */
export interface MysqlConnectionAttributes {
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine. The connection has to allow the roles that are added to it: see `additionalAllowedRoles`. */
  readonly name: string;
  /** Which server it is: they end sessions in different ways. */
  readonly server: MysqlServerKind;
}

abstract class MysqlConnectionBase extends Construct implements IMysqlConnection {
  abstract readonly name: string;
  abstract readonly engine: IDatabaseSecretsEngine;
  abstract readonly server: MysqlServerKind;
  abstract readonly requiresTls: boolean;
  abstract readonly userNameMark?: string;
  abstract readonly ready: readonly ITerraformDependable[];

  addDynamicRole(name: string, options: MysqlDynamicRoleOptions): MysqlDynamicRole {
    this.engine.names.requireFree("role", vaultName("role", name));
    return new MysqlDynamicRole(this, freeId(this, "role", name), { ...options, name, connection: this });
  }

  abstract allow(role: string): void;
}

/** A connection to MySQL or MariaDB. It serves the roles that are declared on it, and no others. */
export class MysqlConnection extends MysqlConnectionBase implements IMysqlConnection {
  /** Refers to a connection that is configured already. */
  static fromName(scope: Construct, id: string, attributes: MysqlConnectionAttributes): IMysqlConnection {
    return new ImportedConnection(scope, id, attributes);
  }

  readonly name: string;
  readonly engine: IDatabaseSecretsEngine;
  readonly server: MysqlServerKind;
  readonly requiresTls: boolean;
  readonly userNameMark?: string;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: DatabaseSecretBackendConnection;
  /** @internal */
  readonly usernameTemplate?: string;
  private readonly allowed: AllowedRoles;

  /**
   * @throws ConfigurationError for a name that is unusable or taken, both or neither of `endpoint` and
   *   `connectionUrl`, a URL with a login of its own, limits that contradict each other, and a template whose names
   *   may repeat
   */
  constructor(scope: Construct, id: string, props: MysqlConnectionProps) {
    super(scope, id);
    this.name = vaultName("connection", props.name);
    this.engine = props.engine;
    this.server = props.server;
    this.requiresTls = props.endpoint?.tls !== "disable";
    const userNames = mysqlUserNames(props);
    this.usernameTemplate = props.usernameTemplate;
    this.userNameMark = userNames.mark;
    requireUsable(props.password, "mysql");
    this.engine.names.claim("connection", this.name);
    declareOnce(this, {
      ...{ namespace: this.engine.namespace, provider: this.engine.provider },
      kind: "connection",
      path: `${this.engine.path}/${this.name}`,
    });
    this.allowed = new AllowedRoles(props.additionalAllowedRoles);
    // The name is in the address, as with PostgreSQL: a renamed connection is another resource.
    this.resource = new DatabaseSecretBackendConnection(this, `config-${idOf(this.name)}`, {
      backend: this.engine.path,
      name: this.name,
      allowedRoles: this.allowed.list,
      verifyConnection: props.verify ?? true,
      rootRotationStatements: checkMysqlStatements(
        props.username,
        "root rotation",
        props.rootRotationStatements ?? ROOT_ROTATION.mysql,
      ),
      namespace: this.engine.namespace,
      mysql: {
        ...serverOf(props),
        username: checkUsername(props.username),
        passwordWo: props.password.value,
        passwordWoVersion: props.password.version,
        usernameTemplate: userNames.template,
        ...checkLimits(props.name, props),
      },
      provider: this.engine.provider,
    });
    dependOn(this.resource, ...this.engine.ready);
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }

  allow(role: string): void {
    this.allowed.add(role);
  }
}

class ImportedConnection extends MysqlConnectionBase {
  readonly name: string;
  readonly engine: IDatabaseSecretsEngine;
  readonly server: MysqlServerKind;
  readonly requiresTls = true;
  readonly userNameMark = undefined;
  readonly ready = [];

  constructor(scope: Construct, id: string, attributes: MysqlConnectionAttributes) {
    super(scope, id);
    this.name = vaultName("connection", attributes.name);
    this.engine = attributes.engine;
    this.server = attributes.server;
  }

  allow(): void {
    // Whoever declares the connection allows its roles.
  }
}

function serverOf(props: MysqlConnectionProps) {
  if ((props.endpoint === undefined) === (props.connectionUrl === undefined)) {
    throw new ConfigurationError(
      `The connection ${show(props.name)} has ${props.endpoint ? "both an endpoint and a URL" : "no endpoint"}.`,
      "Pass exactly one of endpoint and connectionUrl.",
    );
  }
  if (props.endpoint !== undefined) return mysqlServer(props.endpoint);
  return { connectionUrl: checkMysqlConnectionUrl(props.connectionUrl ?? "") };
}

function checkUsername(username: string): string {
  if (!/^[A-Za-z0-9_.-]{1,80}$/.test(withStandIns(username))) {
    throw new ConfigurationError(
      `The MySQL login ${show(username)} is not usable.`,
      'The engine puts it into a URL: use letters, digits, "_", "-" and ".".',
    );
  }
  return username;
}
