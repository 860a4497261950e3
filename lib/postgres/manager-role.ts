import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { GrantRole } from "@cdktf/provider-postgresql/lib/grant-role";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Construct, type IConstruct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { dependOn } from "../dependencies";
import { Forgotten } from "../forgotten";
import { requireUsable } from "../first-password";
import { freeId } from "../free-id";
import { isUnresolved, postgresRole, postgresRoleName } from "../names";
import { numberText } from "../tokens";
import type { IPostgresDatabase } from "./database";
import { requireOneServer } from "./one-server";
import type { IPostgresRole } from "./postgres-role";
import { ServerNames } from "./server-names";
import type { WriteOnlySecret } from "../write-only-secret";

/** The login with which the secrets engine makes and drops dynamic users. */
export interface IManagerRole extends IConstruct {
  /** Name of the login. */
  readonly name: string;
  /** Its first password; absent for an imported login, whose password the connection has to be given. */
  readonly password?: WriteOnlySecret;
  /** The login itself; absent if it is managed elsewhere. */
  readonly resource?: ITerraformDependable;

  /**
   * Makes the login ADMIN of a role, so that it can hand out a base role or set the password of another login, and returns
   * what has to stand before it can. Repeated calls declare it once.
   */
  handOut(role: IPostgresRole): ITerraformDependable;

  /** Lets the login connect to a database, and returns what has to stand before it can. */
  enter(database: IPostgresDatabase): readonly ITerraformDependable[];
}

/** Options of {@link ManagerRole}. */
export interface ManagerRoleProps {
  /** Name of the login in PostgreSQL, at most 63 bytes. */
  readonly name: string;
  /**
   * First password; rotate the connection's root credential after the first deployment, then only the engine knows it. A
   * later version of it reaches the connection, not the login, whose password is changed by hand then.
   */
  readonly password: WriteOnlySecret;
  /** Provider to declare it with. @default - the stack's postgresql provider */
  readonly provider?: TerraformProvider;
}

const adminId = ({ name, node }: IPostgresRole) => `admin-${isUnresolved(name) ? node.addr : name}`;

/** Leaves a login ADMIN of a role if the stack has made it so before, and if nothing in the stack makes it so now. */
export function leaveAdmin(manager: IManagerRole, role: IPostgresRole): void {
  const id = adminId(role);
  if (manager instanceof ManagerRoleBase && manager.node.tryFindChild(id) === undefined) {
    new Forgotten(manager, id, GrantRole.tfResourceType);
  }
}

abstract class ManagerRoleBase extends Construct implements IManagerRole {
  abstract readonly name: string;
  abstract readonly password?: WriteOnlySecret;
  abstract readonly resource?: Role;
  protected abstract readonly provider?: TerraformProvider;
  private readonly adminOf: string[] = [];

  handOut(role: IPostgresRole): ITerraformDependable {
    const id = adminId(role);
    if (this.node.tryFindChild(id) instanceof Forgotten) this.node.tryRemoveChild(id);
    const existing = this.node.tryFindChild(id) as GrantRole | undefined;
    // Another role's, whose name differs by "/" and "--", is refused below.
    if (existing && (isUnresolved(role.name) || existing.grantRoleInput === role.name)) return existing;
    const grant = new GrantRole(this, freeId(this, "role to hand out", role.name, id), {
      role: this.name,
      grantRole: role.name,
      withAdminOption: true,
      // Since PostgreSQL 16 there is a membership for each who granted it, and the provider (1.26) reads any one of them
      // (terraform-provider-postgresql#667): one of a superuser's without ADMIN OPTION would have it replaced for ever.
      lifecycle: { ignoreChanges: ["with_admin_option"] },
      provider: this.provider,
    });
    ServerNames.of(this).declareAdmin(role.name, this.name, grant);
    requireOneServer(grant, role);
    dependOn(grant, this.resource, role.resource);
    this.adminOf.push(role.name);
    return grant;
  }

  /** What is told of declared and imported ones alike. */
  protected get description() {
    return { kind: "manager" as const, name: this.name, adminOf: this.adminOf };
  }

  abstract enter(database: IPostgresDatabase): readonly ITerraformDependable[];
}

/**
 * A login that is no superuser: it may create roles, is ADMIN of the base roles that it hands out and of the logins whose
 * passwords it sets, and may connect to the databases that it works in. Before PostgreSQL 16, CREATEROLE reaches every role
 * that is no superuser, `pg_execute_server_program` among them: guard its password like a superuser's there.
 *
 * Nothing of it is updated once it stands: on PostgreSQL 16 and later each dynamic user that it made shows as a membership
 * of its own, and any update by the provider would revoke those, after which it could not drop the users.
 */
export class ManagerRole extends ManagerRoleBase implements IManagerRole {
  /**
   * Refers to a login that is managed elsewhere. It needs CREATEROLE, and CONNECT on the databases that it works in.
   *
   * @param options provider to make it ADMIN of roles with; the stack's postgresql provider unless given
   */
  static fromName(
    scope: Construct,
    id: string,
    name: string,
    options: { readonly provider?: TerraformProvider } = {},
  ): IManagerRole {
    return new ImportedManagerRole(scope, id, name, options.provider);
  }

  readonly name: string;
  readonly password: WriteOnlySecret;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: Role;
  protected readonly provider?: TerraformProvider;
  private readonly entered = new Set<string>();

  /** @throws ConfigurationError for a name that PostgreSQL would shorten or has reserved */
  constructor(scope: Construct, id: string, props: ManagerRoleProps) {
    super(scope, id);
    this.name = postgresRoleName("manager", props.name);
    ServerNames.bind(this, this, props.provider).declare("role", "manager", this.name, this);
    this.password = props.password;
    requireUsable(this.password, "postgres");
    this.provider = props.provider;
    this.resource = new Role(this, "Resource", {
      name: this.name,
      login: true,
      superuser: false,
      createRole: true,
      skipReassignOwned: true, // as for a base role
      // What others can make in its databases is then found by no name in what it runs.
      searchPath: ["pg_catalog", "pg_temp"],
      passwordWo: props.password.value,
      passwordWoVersion: numberText(props.password.version),
      lifecycle: { ignoreChanges: "all" },
      provider: props.provider,
    });
    describeAccess(this, () => ({
      ...this.description,
      existing: false,
      connects: [...this.entered],
    }));
  }

  enter(database: IPostgresDatabase): readonly ITerraformDependable[] {
    this.entered.add(database.name);
    const grant = database.grantConnect(this, this.name, this.resource);
    requireOneServer(grant, this);
    return [this.resource, grant];
  }
}

class ImportedManagerRole extends ManagerRoleBase {
  readonly name: string;
  readonly password?: WriteOnlySecret;
  readonly resource?: Role;

  constructor(
    scope: Construct,
    id: string,
    name: string,
    protected readonly provider?: TerraformProvider,
  ) {
    super(scope, id);
    this.name = postgresRole("manager", name);
    ServerNames.bind(this, this, provider).refer("role", "manager", this.name, this);
    describeAccess(this, () => ({ ...this.description, existing: true, connects: [] }));
  }

  enter(): readonly ITerraformDependable[] {
    return [];
  }
}
