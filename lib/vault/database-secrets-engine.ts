import { Lazy, type ITerraformDependable, type TerraformProvider } from "cdktf";
import { Mount } from "@cdktf/provider-vault/lib/mount";
import { Construct, type IConstruct } from "constructs";
import type { Duration } from "../duration";
import { ClaimedNames } from "../claimed-names";
import { freeId } from "../free-id";
import { mountPath, vaultName } from "../names";
import { terraformText } from "../terraform-text";
import { declareOnce } from "./declared-once";
import { MysqlConnection, type MysqlConnectionOptions } from "./mysql-connection";
import { LongestTtl, type TtlBounds } from "./longest-ttl";
import { keepPath } from "./kept-path";
import { checkNamespace } from "./namespace";
import { PostgresConnection, type PostgresConnectionOptions } from "./postgres-connection";

/** A secrets engine of the type `database`, declared here or existing. */
export interface IDatabaseSecretsEngine extends IConstruct {
  /** Where it is mounted, without a `/` at either end. */
  readonly path: string;
  /** Namespace that it is in; absent for the provider's. */
  readonly namespace?: string;
  /** Provider that it is declared with; absent for the stack's vault provider. */
  readonly provider?: TerraformProvider;
  /** What has to stand before it can be configured; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];

  /**
   * Declares a connection to a PostgreSQL database.
   *
   * @param name in the engine: letters, digits, `_`, `-`, `.`
   * @throws ConfigurationError as the constructor of {@link PostgresConnection} does
   */
  addPostgresConnection(name: string, options: PostgresConnectionOptions): PostgresConnection;

  /**
   * Declares a connection to a MySQL or MariaDB server.
   *
   * @param name in the engine: letters, digits, `_`, `-`, `.`
   * @throws ConfigurationError as the constructor of {@link MysqlConnection} does
   */
  addMysqlConnection(name: string, options: MysqlConnectionOptions): MysqlConnection;

  /** @internal Names of the connections and roles declared on it, each of which an engine has but once. */
  readonly names: ClaimedNames;
  /** @internal TTLs of the roles declared on it. */
  readonly ttls: LongestTtl;
}

/** Options of {@link DatabaseSecretsEngine}. */
export interface DatabaseSecretsEngineProps {
  /**
   * Where to mount it, such as `database` or `orders-dev/database`. The plan refuses another path for an engine that stands:
   * declare a new engine beside it, and take this one away when all that it has issued has ended.
   *
   * @default "database"
   */
  readonly path?: string;
  /** Description that the server keeps of it. @default "Short-lived database credentials" */
  readonly description?: string;
  /**
   * Bound on every lease of the engine. When it is taken away, or the TTL that was longer is shortened, the server keeps what was
   * set: declare `Duration.days(32)`, or 0 for the server's own, to bring it down.
   *
   * @default - the server's, 32 days unless configured; or the longest maxTtl of the roles declared on it, if that is longer
   */
  readonly maxLeaseTtl?: Duration;
  /** Namespace to mount it in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

/** A secrets engine that exists, for `DatabaseSecretsEngine.fromPath`. */
export interface DatabaseSecretsEngineAttributes {
  /** Where the engine is mounted. */
  readonly path: string;
  /** Its max_lease_ttl, where it is longer than 32 days: by it, synthesis warns of what would be cut. @default Duration.days(32) */
  readonly maxLeaseTtl?: Duration;
  /** Namespace that it is in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

abstract class DatabaseSecretsEngineBase extends Construct implements IDatabaseSecretsEngine {
  abstract readonly path: string;
  abstract readonly namespace?: string;
  abstract readonly provider?: TerraformProvider;
  abstract readonly ready: readonly ITerraformDependable[];
  /** @internal */
  readonly names = new ClaimedNames("secrets engine", () => this.path);
  /** @internal */
  readonly ttls = new LongestTtl(() => ({ kind: "secrets engine", path: this.path, ...this.bound }));
  /** @internal */
  protected abstract readonly bound: TtlBounds;

  addPostgresConnection(name: string, options: PostgresConnectionOptions): PostgresConnection {
    this.names.requireFree("connection", vaultName("connection", name));
    return new PostgresConnection(this, freeId(this, "connection", name), { ...options, name, engine: this });
  }

  addMysqlConnection(name: string, options: MysqlConnectionOptions): MysqlConnection {
    this.names.requireFree("connection", vaultName("connection", name));
    return new MysqlConnection(this, freeId(this, "connection", name), { ...options, name, engine: this });
  }
}

/** Mounts a secrets engine that issues database credentials. */
export class DatabaseSecretsEngine extends DatabaseSecretsEngineBase implements IDatabaseSecretsEngine {
  /** Refers to an engine that is mounted already. */
  static fromPath(
    scope: Construct,
    id: string,
    attributes: string | DatabaseSecretsEngineAttributes,
  ): IDatabaseSecretsEngine {
    return new ImportedEngine(scope, id, typeof attributes === "string" ? { path: attributes } : attributes);
  }

  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: Mount;
  /** @internal */
  protected readonly bound: TtlBounds;

  /** @throws ConfigurationError for a path or namespace that is unusable, or the server's own */
  constructor(scope: Construct, id: string, props: DatabaseSecretsEngineProps = {}) {
    super(scope, id);
    this.path = mountPath("secrets engine", props.path ?? "database");
    this.namespace = checkNamespace(props.namespace);
    this.provider = props.provider;
    this.bound = { given: props.maxLeaseTtl };
    const { path, namespace, provider } = this;
    declareOnce(this, { namespace, provider, kind: "secrets engine", path });
    this.resource = new Mount(this, "Resource", {
      path: this.path,
      type: "database",
      description: terraformText("description", props.description ?? "Short-lived database credentials"),
      maxLeaseTtlSeconds: Lazy.numberValue({ produce: () => this.ttls.seconds }),
      namespace: this.namespace,
      provider: props.provider,
    });
    keepPath(
      this.resource,
      "The secrets engine ${self.id} would be moved to ${self.path}",
      "Take the change of its path back. For another path declare a new engine with roles beside it and deploy; have the " +
        "applications read those, and take this one away once all that it has issued is revoked.",
    );
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedEngine extends DatabaseSecretsEngineBase {
  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  readonly ready = [];
  /** @internal */
  protected readonly bound: TtlBounds;

  constructor(scope: Construct, id: string, attributes: DatabaseSecretsEngineAttributes) {
    super(scope, id);
    this.bound = { given: attributes.maxLeaseTtl, managedElsewhere: true };
    this.path = mountPath("secrets engine", attributes.path);
    this.namespace = checkNamespace(attributes.namespace);
    this.provider = attributes.provider;
  }
}
