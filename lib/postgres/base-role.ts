import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { DefaultPrivileges } from "@cdktf/provider-postgresql/lib/default-privileges";
import { Grant } from "@cdktf/provider-postgresql/lib/grant";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { Construct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { knownList, knownText } from "../access-picture/known";
import type { DatabaseGrant } from "../access-picture/report";
import { Forgotten } from "../forgotten";
import { freeId } from "../free-id";
import { postgresRole, postgresRoleName } from "../names";
import { byObject, grantId, type Access, type AccessGrant, type AccessLevel } from "./access";
import type { GrantChain } from "./grant-chain";
import { requireOneServer } from "./one-server";
import type { IPostgresRole } from "./postgres-role";
import { ServerNames } from "./server-names";

/** A NOLOGIN role of PostgreSQL that holds the rights which dynamic users get by membership. */
export interface IBaseRole extends IPostgresRole {
  /** Level of its access; `custom` for an imported one unless said otherwise. */
  readonly level: AccessLevel;
  /** Schemas that its access covers. */
  readonly schemas: readonly string[];
  /** What has to stand before the role can be handed out: the role and all its grants. */
  readonly ready: readonly ITerraformDependable[];
}

/** Options of a base role that a database is asked for. */
export interface BaseRoleOptions {
  /** What the role may do in its database. */
  readonly access: Access;
  /**
   * Name in PostgreSQL, where roles belong to the whole server: at most 63 bytes.
   *
   * @default - name of the database, `_`, and the id
   */
  readonly name?: string;
  /**
   * Roles that are not declared with this database but make objects in its schemas: what they make later is covered too.
   *
   * @default - the base roles of the database with owner access to the same schemas
   */
  readonly objectOwners?: readonly IBaseRole[];
}

/** What a base role is made of; `addBaseRole` of a database fills it in. */
export interface BaseRoleProps extends BaseRoleOptions {
  /** Name of the database that the access is about. */
  readonly database: string;
  readonly name: string;
  /** Orders the grants of the database. */
  readonly chain: GrantChain;
  readonly provider?: TerraformProvider;
}

/** A base role that exists, for `BaseRole.fromName`. */
export interface BaseRoleAttributes {
  /** Name in PostgreSQL. */
  readonly name: string;
  /** Level of its access. @default "custom" */
  readonly level?: AccessLevel;
  /** Schemas that its access covers. @default - none */
  readonly schemas?: readonly string[];
}

/** A base role with its grants. Made by `database.addBaseRole(…)`. */
export class BaseRole extends Construct implements IBaseRole {
  /** Refers to a role that is managed elsewhere, by its name in PostgreSQL; it has to be NOLOGIN. */
  static fromName(scope: Construct, id: string, attributes: string | BaseRoleAttributes): IBaseRole {
    return new ImportedBaseRole(
      scope,
      id,
      typeof attributes === "string" ? { name: attributes } : attributes,
    );
  }

  readonly name: string;
  readonly level: AccessLevel;
  readonly schemas: readonly string[];
  readonly resource: Role;
  private readonly props: BaseRoleProps;
  private readonly grants: Grant[] = [];
  /** Names of the roles whose later objects a grant covers. */
  private readonly laterObjects = new Map<AccessGrant, readonly string[]>();

  /** @internal `addBaseRole` of a database calls it. */
  constructor(scope: Construct, id: string, props: BaseRoleProps) {
    super(scope, id);
    this.props = props;
    this.name = postgresRoleName("base role", props.name);
    const names = ServerNames.of(this, props.provider);
    names.declare("role", "base role", this.name, this);
    this.level = props.access.level;
    this.schemas = props.access.schemas;
    this.resource = new Role(this, "Resource", {
      name: this.name,
      login: false,
      // Terraform's own login would get what its members made: code of theirs that acts with its rights.
      skipReassignOwned: true,
      provider: props.provider,
    });
    const declared = props.access.grants.map((grant) => ({ grant, each: byObject(grant) }));
    const isSplit = ({ each }: (typeof declared)[number]) => each.length > 1;
    for (const { grant } of declared.filter((one) => !isSplit(one)))
      this.grant(grant, `grant-${grantId(grant)}`);
    for (const { grant, each } of declared.filter(isSplit)) {
      // Earlier versions declared one for the whole list, whose deletion would revoke what these give.
      new Forgotten(this, `grant-${grantId(grant)}`, "postgresql_grant");
      for (const one of each) {
        const [object = ""] = one.objects ?? [];
        this.grant(one, freeId(this, `grant on a ${one.on}`, object, `grant-${grantId(one)}`));
      }
    }
    props.objectOwners?.forEach((owner) => this.coverObjectsOf(owner));
    describeAccess(this, () => ({
      ...{ kind: "base-role", name: this.name, existing: false, database: knownText(props.database) },
      level: this.level,
      schemas: this.schemas,
      grants: props.access.grants.map((grant) => this.describe(grant)),
    }));
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource, ...this.grants];
  }

  /** Declares default privileges, so that this role's access covers what the owner makes later. */
  coverObjectsOf(owner: IBaseRole): void {
    for (const grant of this.props.access.grants) {
      const wholeSchema = grant.on !== "database" && grant.on !== "schema" && grant.objects === undefined;
      if (!wholeSchema || grant.schema === undefined) continue;
      const id = `default-${grantId(grant)}-of-${owner.node.id}`;
      const resource = new DefaultPrivileges(this, freeId(this, "owner of objects", owner.name, id), {
        database: this.props.database,
        owner: owner.name,
        role: this.name,
        schema: grant.schema,
        objectType: grant.on,
        privileges: [...grant.privileges],
        provider: this.props.provider,
      });
      requireOneServer(resource, owner);
      this.props.chain.add(resource, this.resource, owner.resource);
      this.laterObjects.set(grant, [...(this.laterObjects.get(grant) ?? []), owner.name]);
    }
  }

  private grant(grant: AccessGrant, id: string): void {
    const { database, provider, chain } = this.props;
    const resource = new Grant(this, id, {
      ...{ database, provider, role: this.name, objectType: grant.on, schema: grant.schema },
      objects: grant.objects && [...grant.objects],
      privileges: [...grant.privileges],
    });
    if (grant.on === "database") {
      const names = ServerNames.of(this, provider);
      names.declareGrantOn(database, this.name, grant.privileges, resource);
    }
    chain.add(resource, this.resource);
    this.grants.push(resource);
  }

  private describe(grant: AccessGrant): DatabaseGrant {
    const owners = this.laterObjects.get(grant);
    return {
      ...{ database: knownText(this.props.database), on: grant.on },
      ...(grant.schema !== undefined && { schema: knownText(grant.schema) }),
      ...(grant.objects && { objects: knownList(grant.objects) }),
      privileges: knownList(grant.privileges),
      ...(owners && { laterObjectsOf: owners.map(knownText) }),
    };
  }
}

class ImportedBaseRole extends Construct implements IBaseRole {
  readonly name: string;
  readonly level: AccessLevel;
  readonly schemas: readonly string[];
  readonly ready = [];

  constructor(scope: Construct, id: string, attributes: BaseRoleAttributes) {
    super(scope, id);
    this.name = postgresRole("base role", attributes.name);
    ServerNames.of(this).refer("role", "base role", this.name, this);
    this.level = attributes.level ?? "custom";
    this.schemas = attributes.schemas ?? [];
    const { name, level, schemas } = this;
    describeAccess(this, () => ({ kind: "base-role", name, existing: true, level, schemas, grants: [] }));
  }
}
