import type { ITerraformDependable } from "cdktf";
import { KvSecretV2 } from "@cdktf/provider-vault/lib/kv-secret-v2";
import type { Construct } from "constructs";
import { dependOn } from "../dependencies";
import { vaultPath } from "../names";
import { declareOnce } from "./declared-once";
import type { KeyValueContent } from "./key-value-content";
import type { IKeyValueEngine } from "./key-value-engine";
import { Readable, type IReadable } from "./readable";

/** A secret of a key-value engine, declared here or existing. */
export interface IKeyValueSecret extends IReadable {
  /** Path in the engine, such as `delphi/database/password`. */
  readonly path: string;
  /** API path that the newest version is read from: `<engine>/data/<path>`. */
  readonly dataPath: string;
}

/** Options of a secret that an engine is asked for. */
export interface KeyValueSecretOptions {
  /** What it holds. */
  readonly content: KeyValueContent;
}

/** Options of {@link KeyValueSecret}. */
export interface KeyValueSecretProps extends KeyValueSecretOptions {
  /** Key-value engine to keep it in. */
  readonly engine: IKeyValueEngine;
  /** Path in the engine: names of letters, digits, `_`, `-`, `.`, joined by `/`. */
  readonly path: string;
}

/** A secret that exists, for `KeyValueSecret.fromPath`. */
export interface KeyValueSecretAttributes {
  /** Key-value engine that it is in. */
  readonly engine: IKeyValueEngine;
  /** Path in the engine. */
  readonly path: string;
}

abstract class KeyValueSecretBase extends Readable implements IKeyValueSecret {
  abstract readonly path: string;
  protected abstract override readonly engine: IKeyValueEngine;

  get dataPath(): string {
    return `${this.engine.path}/data/${this.path}`;
  }

  protected get readPath(): string {
    return this.dataPath;
  }
}

/**
 * A secret whose content is declared here. Terraform writes it and never reads it, so that what deploys needs no right to:
 * a content that is changed by hand stays until the declared one, or its version, changes.
 *
 * When the secret is removed, all its versions are.
 */
export class KeyValueSecret extends KeyValueSecretBase implements IKeyValueSecret {
  /** Refers to a secret that is managed elsewhere; `grantRead` declares a policy of this stack's own for each grantee. */
  static fromPath(scope: Construct, id: string, attributes: KeyValueSecretAttributes): IKeyValueSecret {
    return new ImportedKeyValueSecret(scope, id, attributes);
  }

  readonly path: string;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: KvSecretV2;
  protected readonly engine: IKeyValueEngine;

  /** @throws ConfigurationError for a path that is unusable, or declared on the engine already */
  constructor(scope: Construct, id: string, props: KeyValueSecretProps) {
    super(scope, id);
    this.path = vaultPath("key-value secret", props.path);
    this.engine = props.engine;
    this.engine.names.claim("secret", this.path);
    const { namespace, provider } = this.engine;
    declareOnce(this, { namespace, provider, kind: "secret", path: this.dataPath });
    this.resource = new KvSecretV2(this, "Resource", {
      mount: this.engine.path,
      name: this.path,
      ...props.content.resourceArguments,
      disableRead: true,
      deleteAllVersions: true,
      namespace: this.engine.namespace,
      provider: this.engine.provider,
    });
    dependOn(this.resource, ...this.engine.ready);
  }

  protected get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedKeyValueSecret extends KeyValueSecretBase {
  readonly path: string;
  protected readonly engine: IKeyValueEngine;
  protected readonly ready = [];
  protected override readonly managedElsewhere = true;

  constructor(scope: Construct, id: string, attributes: KeyValueSecretAttributes) {
    super(scope, id);
    this.path = vaultPath("key-value secret", attributes.path);
    this.engine = attributes.engine;
  }
}
