import {
  Op,
  type ITerraformDependable,
  type TerraformProvider,
  type TerraformResourceLifecycle,
} from "cdktf";
import { Database } from "@cdktf/provider-postgresql/lib/database";
import { Grant } from "@cdktf/provider-postgresql/lib/grant";
import { Schema } from "@cdktf/provider-postgresql/lib/schema";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { freeId } from "../free-id";
import { keepIgnoring } from "../keep-ignoring";
import {
  idOf,
  isUnresolved,
  postgresDatabaseName,
  postgresIdentifier,
  postgresRole,
  postgresSchemaName,
} from "../names";
import { terraformLine } from "../terraform-text";
import { checkConnectionLimit } from "./connection-limit";
import { BaseRole, type BaseRoleOptions } from "./base-role";
import { GrantChain } from "./grant-chain";
import { Login, type LoginOptions } from "./login";
import type { IPostgresRole } from "./postgres-role";
import { ServerNames } from "./server-names";

/** A database of PostgreSQL, declared here or existing. */
export interface IPostgresDatabase extends IConstruct {
  /** Name of the database. */
  readonly name: string;
  /** The database itself; absent if it is managed elsewhere. */
  readonly resource?: ITerraformDependable;
  /** Provider of everything that belongs to this database, if not the stack's default. */
  readonly provider?: TerraformProvider;

  /**
   * Declares a schema. Call it before `addBaseRole` with access to it.
   *
   * @throws ConfigurationError for a name that PostgreSQL would shorten or has reserved
   */
  addSchema(name: string, options?: SchemaOptions): void;

  /**
   * Declares a NOLOGIN role with access to this database.
   *
   * @param id also the last part of the role's default name
   * @throws ConfigurationError for an id that is taken, and a name that PostgreSQL would shorten or has reserved
   */
  addBaseRole(id: string, options: BaseRoleOptions): BaseRole;

  /**
   * Declares a login that lasts, for a static role to manage its password, or with a password of its own.
   *
   * @param id also the last part of the login's default name
   * @throws ConfigurationError for an id that is taken, and as the constructor of {@link Login} does
   */
  addLogin(id: string, options: LoginOptions): Login;

  /** Lets a role connect to this database, which PUBLIC may not. Repeated calls in one scope declare it once. */
  grantConnect(
    scope: Construct,
    role: string,
    ...needs: readonly ITerraformDependable[]
  ): ITerraformDependable;
}

/** Options of a schema that a database is asked for. */
export interface SchemaOptions {
  /**
   * Whether destroying the schema is allowed to drop what is in it. False makes PostgreSQL refuse while it is not empty.
   *
   * @default - the opposite of the database's deletionProtection; false for an imported database
   */
  readonly dropContents?: boolean;
}

/** Options of {@link PostgresDatabase}. */
export interface PostgresDatabaseProps {
  /**
   * Name of the database: 1 to 63 bytes. With another, all its schemas are dropped and made anew: move the data to a database
   * that is declared beside it instead.
   */
  readonly name: string;
  /**
   * Makes Terraform refuse to destroy or replace the database, and to rename it where schemas are declared in it. The provider
   * drops it with all its data and ends all its sessions otherwise; when it is renamed, it drops its schemas with all in them.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
  /**
   * Role that owns the database. It has every right on it, so do not name an application's base role here. When it is taken
   * away, the owner stays: name the login that Terraform uses instead.
   *
   * @default - the login that Terraform uses
   */
  readonly owner?: string;
  /** Character encoding, for when the database is made: another one later changes nothing. @default - the server's, usually UTF8 */
  readonly encoding?: string;
  /**
   * Collation and character type, such as `C` or `en_US.UTF-8`, for when the database is made: others later change nothing.
   *
   * @default - the template's
   */
  readonly locale?: string;
  /** Database to copy when this one is made: another one later changes nothing. @default "template0" */
  readonly template?: string;
  /** Most sessions at a time, all users together; -1 for no limit. @default -1 */
  readonly connectionLimit?: number;
  /** Provider to declare it with. @default - the stack's postgresql provider */
  readonly provider?: TerraformProvider;
}

abstract class PostgresDatabaseBase extends Construct implements IPostgresDatabase {
  abstract readonly name: string;
  abstract readonly resource?: ITerraformDependable;
  abstract readonly provider?: TerraformProvider;
  protected abstract readonly chain: GrantChain;
  protected abstract readonly dropContents: boolean;
  /** Of each schema. */
  protected abstract readonly schemaLifecycle?: TerraformResourceLifecycle;
  private readonly baseRoles: BaseRole[] = [];

  addSchema(name: string, options: SchemaOptions = {}): void {
    const id = `schema-${idOf(postgresSchemaName(name))}`;
    const schema = new Schema(this, freeId(this, "schema", name, id), {
      name,
      database: this.name,
      dropCascade: options.dropContents ?? this.dropContents,
      lifecycle: this.schemaLifecycle,
      provider: this.provider,
    });
    ServerNames.of(this).declareSchema(this.name, name, schema);
    this.chain.add(schema);
  }

  addBaseRole(id: string, options: BaseRoleOptions): BaseRole {
    if (this.baseRoles.some((role) => role.node.id === id)) {
      throw new ConfigurationError(
        `The database ${show(this.name)} has two base roles with the id ${show(id)}.`,
        "Give each its own id.",
      );
    }
    const role = new BaseRole(this, freeId(this, "base role", id), {
      ...options,
      name: options.name ?? `${this.name}_${id}`,
      database: this.name,
      chain: this.chain,
      provider: this.provider,
    });
    this.beforeDatabase(role);
    for (const other of this.baseRoles) {
      if (!other.schemas.some((schema) => role.schemas.includes(schema))) continue;
      if (other.level === "owner" && role.level !== "owner") role.coverObjectsOf(other);
      if (other.level !== "owner" && role.level === "owner") other.coverObjectsOf(role);
    }
    this.baseRoles.push(role);
    return role;
  }

  addLogin(id: string, options: LoginOptions): Login {
    if (this.node.tryFindChild(id)) {
      throw new ConfigurationError(
        `The database ${show(this.name)} has another role with the id ${show(id)}.`,
        "Give the login an id of its own.",
      );
    }
    const name = options.name ?? `${this.name}_${id}`;
    const login = new Login(this, freeId(this, "login", id), { ...options, name, provider: this.provider });
    this.beforeDatabase(login);
    return login;
  }

  grantConnect(
    scope: Construct,
    role: string,
    ...needs: readonly ITerraformDependable[]
  ): ITerraformDependable {
    const id = `connect-${isUnresolved(this.name) ? this.node.addr : this.name}`;
    const existing = scope.node.tryFindChild(id) as Grant | undefined;
    // Another database's, whose name differs by "/" and "--", is refused below.
    if (existing && (isUnresolved(this.name) || existing.databaseInput === this.name)) return existing;
    const grant = new Grant(scope, freeId(scope, "database", this.name, id), {
      database: this.name,
      role,
      objectType: "database",
      privileges: ["CONNECT"],
      provider: this.provider,
    });
    ServerNames.of(this).declareGrantOn(this.name, role, ["CONNECT"], grant);
    this.chain.add(grant, ...needs);
    return grant;
  }

  /** Orders a role before the database, where the database is declared too. */
  protected abstract beforeDatabase(role: IPostgresRole): void;
}

/**
 * A database that nobody enters without a grant: all rights of PUBLIC on it and on its schema `public` are revoked.
 *
 * On PostgreSQL 14 the schema belongs to the superuser: for Terraform's login to revoke rights on it, that login is a
 * superuser, or the database is a copy of a template whose schema belongs to `pg_database_owner`.
 */
export class PostgresDatabase extends PostgresDatabaseBase implements IPostgresDatabase {
  /**
   * Refers to a database that exists already, by its name. What PUBLIC may do there stays as it is: revoke it with
   * `REVOKE ALL ON DATABASE … FROM PUBLIC` and `REVOKE ALL ON SCHEMA public FROM PUBLIC`.
   *
   * @param options provider of what is declared in it; the stack's postgresql provider unless given
   */
  static fromName(
    scope: Construct,
    id: string,
    name: string,
    options: { readonly provider?: TerraformProvider } = {},
  ): IPostgresDatabase {
    return new ImportedDatabase(scope, id, name, options.provider);
  }

  readonly name: string;
  readonly provider?: TerraformProvider;
  readonly resource: Database;
  protected readonly chain: GrantChain;
  protected readonly dropContents: boolean;
  protected readonly schemaLifecycle?: TerraformResourceLifecycle;

  /**
   * @throws ConfigurationError for names that PostgreSQL would shorten or take for another, a database that every
   *   server has, and a connectionLimit that is no whole number, -1 or more
   */
  constructor(scope: Construct, id: string, props: PostgresDatabaseProps) {
    super(scope, id);
    this.name = newDatabaseName(props.name);
    this.provider = props.provider;
    ServerNames.bind(this, this, props.provider).declare("database", "database", this.name, this);
    const deletionProtection = props.deletionProtection ?? true;
    this.dropContents = !deletionProtection;
    const locale = props.locale && terraformLine("locale", props.locale);
    this.resource = new Database(this, "Resource", {
      name: this.name,
      owner: props.owner === undefined ? undefined : postgresRole("database owner", props.owner),
      encoding: props.encoding && terraformLine("encoding", props.encoding),
      lcCollate: locale,
      lcCtype: locale,
      template: props.template && postgresIdentifier("template database", props.template),
      connectionLimit: checkConnectionLimit(`database ${show(this.name)}`, props.connectionLimit),
      lifecycle: deletionProtection ? { preventDestroy: true } : undefined,
      provider: props.provider,
    });
    keepIgnoring(this.resource, SAID_WHEN_MADE);
    if (deletionProtection) this.schemaLifecycle = { precondition: [sameName(this.resource)] };
    this.chain = new GrantChain(this.resource);
    this.revokePublic("database");
    this.revokePublic("schema", "public");
  }

  /** A role is dropped after the database: what it owns there would block DROP ROLE. */
  protected beforeDatabase(role: IPostgresRole): void {
    dependOn(this.resource, role.resource);
  }

  private revokePublic(objectType: "database" | "schema", schema?: string): void {
    const grant = new Grant(this, `public-${objectType}`, {
      database: this.name,
      role: "public",
      objectType,
      schema,
      privileges: [],
      provider: this.provider,
    });
    this.chain.add(grant);
  }
}

class ImportedDatabase extends PostgresDatabaseBase {
  readonly name: string;
  readonly resource?: Database;
  protected readonly chain = new GrantChain();
  protected readonly dropContents = false;
  protected readonly schemaLifecycle = undefined;

  constructor(
    scope: Construct,
    id: string,
    name: string,
    readonly provider?: TerraformProvider,
  ) {
    super(scope, id);
    this.name = postgresDatabaseName(name);
    ServerNames.bind(this, this, provider).refer("database", "database", this.name, this);
  }

  protected beforeDatabase(): void {
    // The database stands already.
  }
}

/**
 * Terraform's provider renames a database as it stands, and replaces each schema in it: it would drop those with their tables, or
 * fail at that when it has taken all rights away. The id is the name as deployed.
 * No text of the user's stands here, since Terraform reads it.
 */
function sameName({ id, name }: Database) {
  return {
    condition: Op.eq(id, name),
    errorMessage:
      `The database ${id} would be renamed to ${name}: nothing is changed, for its schemas would be dropped and made anew. ` +
      "Put the name back; a database of another name is another one, to declare beside this one and to move the data to.",
  };
}

/**
 * What a database gets when it is made and keeps. Another value would have Terraform replace the database, which the provider shuts
 * for everybody before it tries to drop it, and leaves shut where it cannot.
 */
const SAID_WHEN_MADE = ["template", "encoding", "lc_collate", "lc_ctype"];

/** Every server has them from the start. */
const OF_THE_SERVER = ["postgres", "template0", "template1"];

function newDatabaseName(name: string): string {
  if (OF_THE_SERVER.includes(name)) {
    throw new ConfigurationError(
      `The database ${show(name)} is there already, in every server.`,
      "Use another name, or refer to it by PostgresDatabase.fromName.",
    );
  }
  return postgresDatabaseName(name);
}
