import type { Construct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { vaultName } from "../names";
import type { IDatabaseSecretsEngine } from "./database-secrets-engine";
import { ReadableRole, type IReadableRole } from "./readable-role";

/** A role that issues dynamic credentials, declared here or existing. */
export interface IDynamicRole extends IReadableRole {
  /** API path that issues a credential: `<engine>/creds/<name>`. */
  readonly credsPath: string;
}

/** A dynamic role that exists, for `DynamicRole.fromName` and `MysqlDynamicRole.fromName`. */
export interface DynamicRoleAttributes {
  /** Secrets engine that it is in. */
  readonly engine: IDatabaseSecretsEngine;
  /** Name in the engine. */
  readonly name: string;
}

/** What the dynamic roles of all kinds of servers share, declared or imported. */
export abstract class CredsRole extends ReadableRole implements IDynamicRole {
  get credsPath(): string {
    return `${this.engine.path}/creds/${this.name}`;
  }
}

/** A dynamic role that is managed elsewhere; to read from it, the kind of its server does not matter. */
export class ImportedCredsRole extends CredsRole {
  readonly name: string;
  protected readonly engine: IDatabaseSecretsEngine;
  protected readonly ready = [];
  protected override readonly managedElsewhere = true;

  constructor(scope: Construct, id: string, attributes: DynamicRoleAttributes) {
    super(scope, id);
    this.name = vaultName("role", attributes.name);
    this.engine = attributes.engine;
    const { name, credsPath: path, engine } = this;
    const known = { name, path, namespace: engine.namespace };
    describeAccess(this, () => ({ kind: "role", type: "dynamic", ...known, existing: true }));
  }
}
