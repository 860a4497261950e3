import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { inLowerCase } from "../tokens";
import type { IGrantee } from "./app-role";
import { Policy, type IPolicy } from "./policy";

/** Something of a secrets engine that is read at one path. */
export interface IReadable extends IConstruct {
  /** Policy that lets a token read that path and nothing else. Declared at the first use. */
  readonly readPolicy: IPolicy;

  /**
   * Lets an AppRole read it.
   *
   * @throws ConfigurationError for an imported AppRole, whose policies are managed elsewhere
   */
  grantRead(grantee: IGrantee): void;
}

/** Declares the exact-path policy, once, of whatever is read at one path. */
export abstract class Readable extends Construct implements IReadable {
  /** API path that is read. */
  protected abstract readonly readPath: string;
  /** The secrets engine that it is in. */
  protected abstract readonly engine: {
    readonly namespace?: string;
    readonly provider?: TerraformProvider;
  };
  protected abstract readonly ready: readonly ITerraformDependable[];
  private policy?: Policy;

  get readPolicy(): IPolicy {
    if (this.policy === undefined) {
      this.policy = new Policy(this, "ReadPolicy", {
        name: inLowerCase(this.readPath),
        rules: [{ path: this.readPath, capabilities: ["read"] }],
        namespace: this.engine.namespace,
        provider: this.engine.provider,
      });
      dependOn(this.policy.resource, ...this.ready);
    }
    return this.policy;
  }

  grantRead(grantee: IGrantee): void {
    grantee.addPolicy(this.readPolicy);
  }
}
