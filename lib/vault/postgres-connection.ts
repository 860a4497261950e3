import { Annotations, type ITerraformDependable } from "cdktf";
import { DatabaseSecretBackendConnection } from "@cdktf/provider-vault/lib/database-secret-backend-connection";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { requireUsable } from "../first-password";
import { freeId } from "../free-id";
import { idOf, isUnresolved, vaultName } from "../names";
import type { IPostgresDatabase } from "../postgres/database";
import type { IManagerRole } from "../postgres/manager-role";
import { ServerNames } from "../postgres/server-names";
import { checkStatements } from "../statements";
import type { WriteOnlySecret } from "../write-only-secret";
import { AllowedRoles } from "./allowed-roles";
import { checkLimits, type ConnectionLimits } from "./connection-limits";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { declareOnce } from "./declared-once";
import { DynamicRole, type DynamicRoleOptions } from "./dynamic-role";
import { engineKey, vaultKey } from "./engine-key";
import { issuedNamePrefix, issuedNameTemplate } from "./issued-names";
import { checkConnectionUrl, connectionUrl, type PostgresEndpoint } from "./postgres-endpoint";
import { ROOT_ROTATION } from "./root-rotation";
import { StaticRole, type StaticRoleOptions } from "./static-role";
import { checkPostgresUsernameTemplate } from "./username-template";

/** A connection of a secrets engine to a PostgreSQL database, declared here or existing. */
export interface IPostgresConnection extends IConstruct {
  /** Name in the engine. */
  readonly name: string;
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Login that the engine uses there, if known: without it, the base roles of new roles have to be granted by hand. */
  readonly manager?: IManagerRole;
  /** What has to stand before a role can be declared on it; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];
  /**
   * How the names of the users begin that it issues, and no other connection does; absent for an imported connection and
   * for a `usernameTemplate` of your own. Without it, revoking a user that is not there fails.
   */
  readonly namePrefix?: string;

  /**
   * Declares a role that issues dynamic credentials.
   *
   * @param name in the engine, and last part of the path that credentials are read from
   * @throws ConfigurationError as the constructor of {@link DynamicRole} does
   */
  addDynamicRole(name: string, options: DynamicRoleOptions): DynamicRole;

  /**
   * Declares a role that rotates the password of one login.
   *
   * @param name in the engine, which no dynamic role may have, and last part of the path that it is read from
   * @throws ConfigurationError as the constructor of {@link StaticRole} does
   */
  addStaticRole(name: string, options: StaticRoleOptions): StaticRole;

  /** Adds a role to those that the connection serves. Called by the role. */
  allow(role: string): void;

  /** @internal Template of its users' names, where it has one of its own and is declared here. */
  readonly usernameTemplate?: string;
}

/** Options of a connection to PostgreSQL that an engine is asked for. */
export interface PostgresConnectionOptions extends ConnectionLimits {
  /** Database that the engine connects to, and in which it hands over what dynamic users owned. */
  readonly database: IPostgresDatabase;
  /** Where the server is, seen from Vault. Exactly one of this and `connectionUrl`. */
  readonly endpoint?: PostgresEndpoint;
  /**
   * The whole URL, beginning with `postgresql://{{username}}:{{password}}@`, and with the name of `database` as its path. It is
   * taken as it is: put `connect_timeout=5` into it, or a new connection is waited for without a bound.
   */
  readonly connectionUrl?: string;
  /** Login that the engine uses. */
  readonly manager: IManagerRole;
  /** Password of an imported manager. @default - the manager's own */
  readonly password?: WriteOnlySecret;
  /**
   * Whether the engine logs in when the connection is written, so that a wrong host or password fails the deployment.
   *
   * @default true
   */
  readonly verify?: boolean;
  /**
   * Go template for the names of dynamic users; it has to use `random` or `uuid`, and no display name but hashed, since an
   * identity provider says what is in it: `{{.DisplayName | sha256 | truncate 8}}`.
   *
   * @default - `v-`, six characters that stand for server and database, and the role's name, 20 random characters and the time
   */
  readonly usernameTemplate?: string;
  /** What reaches the server on CREATE ROLE: a SCRAM verifier, or the password as it is. @default "scram-sha-256" */
  readonly passwordAuthentication?: "scram-sha-256" | "password";
  /** Roles that are declared elsewhere and may use the connection; a name, or a pattern such as `reports-*`. @default - none */
  readonly additionalAllowedRoles?: readonly string[];
  /** SQL that sets the login's new password when it is rotated. @default - what the engine does by itself */
  readonly rootRotationStatements?: readonly string[];
}

/** Options of {@link PostgresConnection}. */
export interface PostgresConnectionProps extends PostgresConnectionOptions {
  /** Secrets engine to configure it in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/** A connection that exists, for `PostgresConnection.fromName`. */
export interface PostgresConnectionAttributes {
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine. The connection has to allow the roles that are added to it: see `additionalAllowedRoles`. */
  readonly name: string;
  /** Login that it uses, so that it can be made ADMIN of the base roles of new roles. @default - unknown */
  readonly manager?: IManagerRole;
  /**
   * How the names begin of the users that it issues, where its template sees to that: `namePrefix` of the connection where
   * it is declared.
   *
   * @default - unknown: revoking a user that is not there fails
   */
  readonly namePrefix?: string;
}

abstract class PostgresConnectionBase extends Construct implements IPostgresConnection {
  abstract readonly name: string;
  abstract readonly engine: IDatabaseSecretsEngine;
  abstract readonly manager?: IManagerRole;
  abstract readonly ready: readonly ITerraformDependable[];

  addDynamicRole(name: string, options: DynamicRoleOptions): DynamicRole {
    this.engine.names.requireFree("role", vaultName("role", name));
    return new DynamicRole(this, freeId(this, "role", name), { ...options, name, connection: this });
  }

  addStaticRole(name: string, options: StaticRoleOptions): StaticRole {
    this.engine.names.requireFree("role", vaultName("role", name));
    return new StaticRole(this, freeId(this, "role", name), { ...options, name, connection: this });
  }

  abstract allow(role: string): void;
}

/** A connection to PostgreSQL. It serves the roles that are declared on it, and no others. */
export class PostgresConnection extends PostgresConnectionBase implements IPostgresConnection {
  /** Refers to a connection that is configured already. */
  static fromName(
    scope: Construct,
    id: string,
    attributes: PostgresConnectionAttributes,
  ): IPostgresConnection {
    return new ImportedConnection(scope, id, attributes);
  }

  readonly name: string;
  readonly engine: IDatabaseSecretsEngine;
  readonly manager: IManagerRole;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: DatabaseSecretBackendConnection;
  readonly namePrefix?: string;
  /** @internal */
  readonly usernameTemplate?: string;
  private readonly allowed: AllowedRoles;

  /**
   * @throws ConfigurationError for a name that is unusable or taken, both or neither of `endpoint` and
   *   `connectionUrl`, a URL with a login of its own or to another database, an imported manager without a password, limits that contradict
   *   each other, and a template whose names may repeat
   */
  constructor(scope: Construct, id: string, props: PostgresConnectionProps) {
    super(scope, id);
    this.name = vaultName("connection", props.name);
    this.engine = props.engine;
    this.manager = props.manager;
    this.engine.names.claim("connection", this.name);
    declareOnce(this, {
      ...{ namespace: this.engine.namespace, provider: this.engine.provider },
      kind: "connection",
      path: `${this.engine.path}/${this.name}`,
    });
    const names = ServerNames.bind(this, props.database);
    names.serve(this, engineKey(this.engine), this.name);
    if (props.endpoint !== undefined) {
      const { host, port = 5432 } = props.endpoint;
      if (!isUnresolved(host) && !isUnresolved(port))
        names.serve(this, vaultKey(this.engine), `${host}:${port}`);
    }
    const others = names.ownPassword(this.manager.name, "connection", this);
    warnOfSharedManager(this, others.find(({ kind }) => kind === "connection")?.by);
    this.allowed = new AllowedRoles(props.additionalAllowedRoles);
    const password = passwordOf(props);
    const { usernameTemplate } = props;
    this.usernameTemplate = usernameTemplate;
    const from = { ...props, database: props.database.name };
    this.namePrefix = usernameTemplate === undefined ? issuedNamePrefix(from) : undefined;
    // The provider takes a new name for an update and leaves the old connection behind (terraform-provider-vault#1502);
    // with the name in its address, a renamed connection is another resource.
    this.resource = new DatabaseSecretBackendConnection(this, `config-${idOf(this.name)}`, {
      backend: this.engine.path,
      name: this.name,
      allowedRoles: this.allowed.list,
      verifyConnection: props.verify ?? true,
      rootRotationStatements: checkStatements(
        props.manager.name,
        "root rotation",
        props.rootRotationStatements ?? ROOT_ROTATION.postgres,
      ),
      namespace: this.engine.namespace,
      postgresql: {
        connectionUrl: urlOf(props),
        username: props.manager.name,
        passwordWo: password.value,
        passwordWoVersion: password.version,
        passwordAuthentication: props.passwordAuthentication ?? "scram-sha-256",
        usernameTemplate:
          usernameTemplate === undefined
            ? issuedNameTemplate(from)
            : checkPostgresUsernameTemplate(usernameTemplate),
        ...checkLimits(props.name, props),
      },
      provider: this.engine.provider,
    });
    dependOn(
      this.resource,
      ...this.engine.ready,
      props.database.resource,
      ...props.manager.enter(props.database),
    );
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }

  allow(role: string): void {
    this.allowed.add(role);
  }
}

class ImportedConnection extends PostgresConnectionBase {
  readonly name: string;
  readonly engine: IDatabaseSecretsEngine;
  readonly manager?: IManagerRole;
  readonly namePrefix?: string;
  readonly ready = [];

  constructor(scope: Construct, id: string, attributes: PostgresConnectionAttributes) {
    super(scope, id);
    this.namePrefix = attributes.namePrefix;
    this.name = vaultName("connection", attributes.name);
    this.engine = attributes.engine;
    this.manager = attributes.manager;
    if (this.manager === undefined) {
      ServerNames.bindConnection(this, engineKey(this.engine), this.name);
    } else {
      ServerNames.bind(this, this.manager).serve(this, engineKey(this.engine), this.name);
    }
  }

  allow(): void {
    // Whoever declares the connection allows its roles.
  }
}

function passwordOf(props: PostgresConnectionProps): WriteOnlySecret {
  const password = props.password ?? props.manager.password;
  if (password === undefined) {
    throw new ConfigurationError(
      `The connection ${show(props.name)} has no password for its imported manager ${show(props.manager.name)}.`,
      'Pass password, such as WriteOnlySecret.fromVariable(this, "manager_password").',
    );
  }
  requireUsable(password, "postgres");
  return password;
}

function urlOf(props: PostgresConnectionProps): string {
  if ((props.endpoint === undefined) === (props.connectionUrl === undefined)) {
    throw new ConfigurationError(
      `The connection ${show(props.name)} has ${props.endpoint ? "both an endpoint and a URL" : "no endpoint"}.`,
      "Pass exactly one of endpoint and connectionUrl.",
    );
  }
  if (props.endpoint !== undefined) return connectionUrl(props.endpoint, props.database.name);
  return checkConnectionUrl(props.connectionUrl ?? "", {
    database: props.database.name,
    username: props.manager.name,
  });
}

/** The first connection of each manager, whose name may be Terraform's alone to know. */
const firstOf = new WeakMap<IManagerRole, IConstruct>();

/**
 * Each connection keeps a password of its own: when one is rotated, the others can issue and revoke nothing any more.
 *
 * @param other connection with a login of that name on the same server, in any stack of the app
 */
function warnOfSharedManager(connection: PostgresConnection, other: IConstruct | undefined): void {
  const { manager, node } = connection;
  const first = other ?? firstOf.get(manager);
  if (first === undefined) {
    firstOf.set(manager, connection);
    return;
  }
  Annotations.of(connection).addWarning(
    `The connections at ${show(first.node.path)} and ${show(node.path)} log in as ${show(manager.name)}, each with a password ` +
      "that it keeps: rotating the one of either (rotate-root) shuts the other out, which then issues and revokes nothing. " +
      "Give each connection a ManagerRole of its own.",
  );
}
