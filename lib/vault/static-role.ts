import { Fn, TerraformResource, TerraformStack, type ITerraformDependable } from "cdktf";
import { DatabaseSecretBackendStaticRole } from "@cdktf/provider-vault/lib/database-secret-backend-static-role";
import type { Construct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { Duration } from "../duration";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { vaultName } from "../names";
import { Login, type ILogin } from "../postgres/login";
import { ServerNames } from "../postgres/server-names";
import { checkStatements, rotation } from "../statements";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { declareOnce } from "./declared-once";
import { warnOfPowers } from "./own-powers";
import type { IPostgresConnection } from "./postgres-connection";
import { ReadableRole, type IReadableRole } from "./readable-role";

/** A role that rotates the password of one login, declared here or existing. */
export interface IStaticRole extends IReadableRole {
  /** API path that shows the login's name and present password: `<engine>/static-creds/<name>`. */
  readonly credsPath: string;
  /** API path that sets a new password at once when it is written to: `<engine>/rotate-role/<name>`. */
  readonly rotatePath: string;
}

/** Options of a static role that a connection is asked for. */
export interface StaticRoleOptions {
  /** Login whose password the engine manages, such as `database.addLogin(…)`. Exactly one of this and `username`. */
  readonly login?: ILogin;
  /**
   * Name of a login that exists. Its password changes at once when the role is made: whoever uses the old one is refused
   * from then on.
   */
  readonly username?: string;
  /**
   * How long a password holds until the engine sets another: 5 seconds or more. The old one is refused from that moment;
   * sessions that are open go on.
   *
   * @default Duration.hours(24)
   */
  readonly rotationPeriod?: Duration;
  /**
   * SQL that sets a password; has to use `{{name}}` and `{{password}}`.
   *
   * @default - ALTER ROLE … PASSWORD, which waits half a second at most for a lock
   */
  readonly rotationStatements?: readonly string[];
  /**
   * Whether the connection's manager is made ADMIN of the login, as it has to be on PostgreSQL 16 and later. Terraform's
   * login has to be ADMIN of it itself for that; set false where a DBA has granted it.
   *
   * @default true
   */
  readonly grantAdmin?: boolean;
}

/** Options of {@link StaticRole}. */
export interface StaticRoleProps extends StaticRoleOptions {
  /** Connection that sets the passwords. */
  readonly connection: IPostgresConnection;
  /** In the engine, and last part of the path that it is read from: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/** A static role that exists, for `StaticRole.fromName`. */
export interface StaticRoleAttributes {
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine. */
  readonly name: string;
}

abstract class StaticRoleBase extends ReadableRole implements IStaticRole {
  get credsPath(): string {
    return `${this.engine.path}/static-creds/${this.name}`;
  }

  get rotatePath(): string {
    return `${this.engine.path}/rotate-role/${this.name}`;
  }
}

/**
 * A role that keeps the password of one login: for applications that cannot change their user, such as those with a name
 * in their configuration. There is no lease to revoke; a rotation shuts out whoever has the old password.
 *
 * When the role is removed, a login of before stays in PostgreSQL with its last password, and so does one that is still declared. With
 * its own declaration a login is dropped; sessions that it has open go on, those of an owner with all rights of its base role.
 */
export class StaticRole extends StaticRoleBase implements IStaticRole {
  /** Refers to a role that is managed elsewhere; `grantRead` declares a policy of this stack's own for each grantee. */
  static fromName(scope: Construct, id: string, attributes: StaticRoleAttributes): IStaticRole {
    return new ImportedStaticRole(scope, id, attributes);
  }

  readonly name: string;
  /** Name of the login in PostgreSQL. */
  readonly username: string;
  /** How long a password holds until the engine sets another. */
  readonly rotationPeriod: Duration;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: DatabaseSecretBackendStaticRole;
  protected readonly engine: IDatabaseSecretsEngine;

  /**
   * @throws ConfigurationError for a name that is unusable or taken, both or neither of `login` and `username`, a
   *   login with a password of its own, that of the connection or that of Terraform, a period under 5 seconds, and
   *   statements that lack a placeholder
   */
  constructor(scope: Construct, id: string, props: StaticRoleProps) {
    super(scope, id);
    const { connection } = props;
    this.name = vaultName("role", props.name);
    this.engine = connection.engine;
    // An engine refuses a static and a dynamic role of one name.
    this.engine.names.claim("role", this.name);
    const names = ServerNames.bind(this, connection);
    const login = loginOf(this, props);
    this.username = login.name;
    names.ownPassword(this.username, "static role", this);
    // What an imported one is to, the connection alone tells.
    if (login.resource !== undefined) ServerNames.of(login).ownPassword(this.username, "static role", this);
    this.rotationPeriod = checkPeriod(this.name, props.rotationPeriod ?? Duration.hours(24));
    this.resource = new DatabaseSecretBackendStaticRole(this, "Resource", {
      backend: this.engine.path,
      name: this.name,
      dbName: connection.name,
      username: madeAnewWith(this, login),
      rotationPeriod: this.rotationPeriod.toSeconds(),
      // Left out, an engine keeps what somebody has set by hand, and Terraform does not see it.
      credentialType: "password",
      rotationStatements: checkStatements(this.name, "rotation", props.rotationStatements ?? rotation()),
      namespace: this.engine.namespace,
      provider: this.engine.provider,
    });
    warnOfPowers(this, this.name, props.rotationStatements);
    connection.allow(this.name);
    declareOnce(this, {
      ...{ namespace: this.engine.namespace, provider: this.engine.provider },
      kind: "role",
      path: `${this.engine.path}/${this.name}`,
    });
    const grantAdmin = props.grantAdmin ?? true;
    if (grantAdmin && connection.manager === undefined) {
      this.warnOfUnknownManager(connection.name, this.username);
    }
    dependOn(
      this.resource,
      ...connection.ready,
      ...login.ready,
      grantAdmin ? connection.manager?.handOut(login) : undefined,
    );
    describeAccess(this, () => ({
      ...{ kind: "role", type: "static", name: this.name, existing: false, login },
      path: this.credsPath,
      namespace: this.engine.namespace,
      rotationPeriod: this.rotationPeriod.toSeconds(),
      ownSql: props.rotationStatements ? ["rotation"] : [],
    }));
  }

  protected get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedStaticRole extends StaticRoleBase {
  readonly name: string;
  protected readonly engine: IDatabaseSecretsEngine;
  protected readonly ready = [];
  protected override readonly managedElsewhere = true;

  constructor(scope: Construct, id: string, attributes: StaticRoleAttributes) {
    super(scope, id);
    this.name = vaultName("role", attributes.name);
    this.engine = attributes.engine;
    const { name, credsPath: path, engine } = this;
    const known = { name, path, namespace: engine.namespace };
    describeAccess(this, () => ({ kind: "role", type: "static", ...known, existing: true }));
  }
}

function loginOf(scope: Construct, props: StaticRoleProps): ILogin {
  if ((props.login === undefined) === (props.username === undefined)) {
    throw new ConfigurationError(
      `The static role ${show(props.name)} has ${props.login ? "both a login and a username" : "no login"}.`,
      "Pass exactly one of login, such as database.addLogin(…), and username.",
    );
  }
  const name = props.login?.name ?? props.username ?? "";
  if (name === props.connection.manager?.name) {
    throw new ConfigurationError(
      `The static role ${show(props.name)} manages ${show(name)}, the login of its own connection.`,
      "The engine would lock itself out. Its own password is rotated by rotate-root.",
    );
  }
  const login = props.login ?? Login.fromName(scope, "Login", name);
  if (login.password !== undefined) {
    throw new ConfigurationError(
      `The static role ${show(props.name)} manages ${show(login.name)}, which has a password of its own.`,
      "The engine sets another as soon as the role is made: leave the password of the login out.",
    );
  }
  return login;
}

/**
 * The name of a login, which Terraform does not know while it makes the login anew, such as one that was dropped by hand: so the
 * static role is made anew with it. The login has no password then, and the engine sets one when a static role is made, else not
 * until the next rotation. `replace_triggered_by` would not do: of what is created, it replaces nothing in Terraform, and in
 * OpenTofu 1.12 also where something is new to the state, as after an upgrade.
 */
function madeAnewWith(scope: Construct, { name, resource }: ILogin): string {
  if (!TerraformResource.isTerraformResource(resource)) return name;
  if (resource.cdktfStack !== TerraformStack.of(scope)) return name;
  return `${name}${Fn.substr(resource.interpolationForAttribute("id").toString(), 0, 0)}`;
}

/** The engine looks for what is due every 5 seconds. */
const SHORTEST = Duration.seconds(5);

function checkPeriod(role: string, period: Duration): Duration {
  if (SHORTEST.isLongerThan(period)) {
    throw new ConfigurationError(
      `The static role ${show(role)} has the rotation period ${show(period.toString())}.`,
      `Set a rotationPeriod of ${SHORTEST.toString()} or longer.`,
    );
  }
  return period;
}
