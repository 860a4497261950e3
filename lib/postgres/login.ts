import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Construct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { dependOn } from "../dependencies";
import { show } from "../errors";
import { postgresRole, postgresRoleName } from "../names";
import { numberText } from "../tokens";
import type { WriteOnlySecret } from "../write-only-secret";
import type { IBaseRole } from "./base-role";
import { checkConnectionLimit } from "./connection-limit";
import { requireOneServer } from "./one-server";
import type { IPostgresRole } from "./postgres-role";
import { ServerNames } from "./server-names";

/** A login of PostgreSQL that lasts. */
export interface ILogin extends IPostgresRole {
  /** Absent where a static role sets it, and for an imported login. */
  readonly password?: WriteOnlySecret;
  /** What has to stand before the login is of use; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];
}

/** Options of a login that a database is asked for. */
export interface LoginOptions {
  /** NOLOGIN role whose rights the login has. */
  readonly baseRole: IBaseRole;
  /**
   * Name in PostgreSQL, where roles belong to the whole server: at most 63 bytes.
   *
   * @default - name of the database, `_`, and the id
   */
  readonly name?: string;
  /** Most sessions at a time; -1 for no limit. @default -1 */
  readonly connectionLimit?: number;
  /**
   * Password of a login that no static role manages, such as one to fall back to. It is set when the login is made and
   * when its version changes. When it is taken away, PostgreSQL keeps the last: `ALTER ROLE … PASSWORD NULL` ends it.
   *
   * @default - none: nobody can log in until a static role sets one
   */
  readonly password?: WriteOnlySecret;
}

/** Options of {@link Login}. */
export interface LoginProps extends LoginOptions {
  /** Name in PostgreSQL, where roles belong to the whole server: at most 63 bytes. */
  readonly name: string;
  /** Provider to declare it with. @default - the stack's postgresql provider */
  readonly provider?: TerraformProvider;
}

/**
 * A login that is a member of a base role and nothing else. Without a password nobody can log in with it until a static
 * role sets one. Made by `database.addLogin(…)`.
 */
export class Login extends Construct implements ILogin {
  /** Refers to a login that is managed elsewhere, by its name in PostgreSQL. */
  static fromName(scope: Construct, id: string, name: string): ILogin {
    return new ImportedLogin(scope, id, name);
  }

  readonly name: string;
  readonly password?: WriteOnlySecret;
  readonly resource: Role;
  private readonly baseRole: IBaseRole;

  /**
   * @throws ConfigurationError for a name that PostgreSQL would shorten or has reserved, and a connectionLimit that
   *   is no whole number, -1 or more
   */
  constructor(scope: Construct, id: string, props: LoginProps) {
    super(scope, id);
    this.name = postgresRoleName("login", props.name);
    const names = ServerNames.bind(this, this, props.provider);
    names.declare("role", "login", this.name, this);
    if (props.password !== undefined) names.ownPassword(this.name, "login", this);
    this.baseRole = props.baseRole;
    this.password = props.password;
    this.resource = new Role(this, "Resource", {
      name: this.name,
      login: true,
      superuser: false,
      inherit: true,
      skipReassignOwned: true, // as for a base role
      roles: [props.baseRole.name],
      // What an owner makes belongs to the base role from the start, as with dynamic credentials.
      assumeRole: props.baseRole.level === "owner" ? props.baseRole.name : undefined,
      connectionLimit: checkConnectionLimit(`login ${show(this.name)}`, props.connectionLimit),
      passwordWo: props.password?.value,
      passwordWoVersion: props.password && numberText(props.password.version),
      provider: props.provider,
    });
    requireOneServer(this.resource, props.baseRole);
    dependOn(this.resource, props.baseRole.resource);
    const { name, baseRole } = this;
    const password = props.password !== undefined;
    describeAccess(this, () => ({ kind: "login", name, existing: false, baseRole, password }));
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource, ...this.baseRole.ready];
  }
}

class ImportedLogin extends Construct implements ILogin {
  readonly name: string;
  readonly ready = [];

  constructor(scope: Construct, id: string, name: string) {
    super(scope, id);
    this.name = postgresRole("login", name);
    ServerNames.of(this).refer("role", "login", this.name, this);
    describeAccess(this, () => ({ kind: "login", name, existing: true, password: false }));
  }
}
