import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { Mount } from "@cdktf/provider-vault/lib/mount";
import { Construct, type IConstruct } from "constructs";
import { ClaimedNames } from "../claimed-names";
import { freeId } from "../free-id";
import { mountPath, vaultPath } from "../names";
import { terraformText } from "../terraform-text";
import { declareOnce } from "./declared-once";
import { keepPath } from "./kept-path";
import { checkNamespace } from "./namespace";
import { KeyValueSecret, type KeyValueSecretOptions } from "./key-value-secret";

/** A secrets engine of the type `kv`, version 2, declared here or existing. */
export interface IKeyValueEngine extends IConstruct {
  /** Where it is mounted, without a `/` at either end. */
  readonly path: string;
  /** Namespace that it is in; absent for the provider's. */
  readonly namespace?: string;
  /** Provider that it is declared with; absent for the stack's vault provider. */
  readonly provider?: TerraformProvider;
  /** What has to stand before it can hold a secret; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];

  /**
   * Declares a secret.
   *
   * @param path in the engine, such as `delphi/database/password`
   * @throws ConfigurationError as the constructor of {@link KeyValueSecret} does
   */
  addSecret(path: string, options: KeyValueSecretOptions): KeyValueSecret;

  /** @internal Paths of the secrets declared on it. */
  readonly names: ClaimedNames;
}

/** Options of {@link KeyValueEngine}. */
export interface KeyValueEngineProps {
  /**
   * Where to mount it. The plan refuses another path for an engine that stands: declare a new engine beside it, write the
   * values there, and take this one away when nobody reads it any more.
   *
   * @default "secret"
   */
  readonly path?: string;
  /** Description that the server keeps of it. @default "Values that are kept" */
  readonly description?: string;
  /** Namespace to mount it in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

/** A key-value engine that exists, for `KeyValueEngine.fromPath`. */
export interface KeyValueEngineAttributes {
  /** Where the engine is mounted; version 2. */
  readonly path: string;
  /** Namespace that it is in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

abstract class KeyValueEngineBase extends Construct implements IKeyValueEngine {
  abstract readonly path: string;
  abstract readonly namespace?: string;
  abstract readonly provider?: TerraformProvider;
  abstract readonly ready: readonly ITerraformDependable[];
  /** @internal */
  readonly names = new ClaimedNames("key-value engine", () => this.path);

  addSecret(path: string, options: KeyValueSecretOptions): KeyValueSecret {
    this.names.requireFree("secret", vaultPath("key-value secret", path));
    return new KeyValueSecret(this, freeId(this, "secret", path), { ...options, path, engine: this });
  }
}

/** Mounts a secrets engine that keeps values and their earlier versions: KV version 2. */
export class KeyValueEngine extends KeyValueEngineBase implements IKeyValueEngine {
  /** Refers to an engine that is mounted already; it has to be of version 2. */
  static fromPath(
    scope: Construct,
    id: string,
    attributes: string | KeyValueEngineAttributes,
  ): IKeyValueEngine {
    return new ImportedEngine(scope, id, typeof attributes === "string" ? { path: attributes } : attributes);
  }

  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: Mount;

  /** @throws ConfigurationError for a path or namespace that is unusable, or the server's own */
  constructor(scope: Construct, id: string, props: KeyValueEngineProps = {}) {
    super(scope, id);
    this.path = mountPath("secrets engine", props.path ?? "secret", "key-value engine");
    this.namespace = checkNamespace(props.namespace);
    this.provider = props.provider;
    const { path, namespace, provider } = this;
    declareOnce(this, { namespace, provider, kind: "secrets engine", path });
    this.resource = new Mount(this, "Resource", {
      path: this.path,
      type: "kv",
      options: { version: "2" },
      description: terraformText("description", props.description ?? "Values that are kept"),
      namespace: this.namespace,
      provider: props.provider,
    });
    keepPath(
      this.resource,
      "The key-value engine ${self.id} would be moved to ${self.path}",
      "Take the change of its path back. For another path declare a new engine with secrets beside it and deploy; copy what " +
        "was written by hand, and take this one away once nobody reads it any more.",
    );
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedEngine extends KeyValueEngineBase {
  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  readonly ready = [];

  constructor(scope: Construct, id: string, attributes: KeyValueEngineAttributes) {
    super(scope, id);
    this.path = mountPath("secrets engine", attributes.path, "key-value engine");
    this.namespace = checkNamespace(attributes.namespace);
    this.provider = attributes.provider;
  }
}
