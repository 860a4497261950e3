import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { dependOn } from "../dependencies";
import { inLowerCase } from "../tokens";
import type { IGrantee } from "./app-role";
import { ForgottenPolicy, ownPolicy, type OwnPolicy } from "./own-read-policy";
import { Policy, type IPolicy } from "./policy";

/** Something of a secrets engine that is read at one path. */
export interface IReadable extends IConstruct {
  /**
   * Policy that lets a token read that path and nothing else. Declared at the first use. Of what is managed elsewhere it has
   * a name of this stack's own, so that it can go without anybody else.
   */
  readonly readPolicy: IPolicy;

  /**
   * Lets an AppRole read it.
   *
   * @throws ConfigurationError for an imported AppRole, whose policies are managed elsewhere; at synthesis, for an AppRole in
   *   another namespace or on another server, whose tokens would not have the policy
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
  /** Whether another stack, or nobody, declares it, and so its policy. */
  protected readonly managedElsewhere: boolean = false;
  private readonly policies = new Map<string, Policy>();

  get readPolicy(): IPolicy {
    return this.policyFor();
  }

  grantRead(grantee: IGrantee): void {
    grantee.addPolicy(this.policyFor(grantee));
  }

  /** The policy to give to somebody: that of all, or where it is another stack's to declare, one of this stack for them. */
  protected policyFor(grantee?: IGrantee): IPolicy {
    const { readPath: path } = this;
    const { id, name } = this.managedElsewhere ? ownPolicy(this, path, grantee) : policyOf(path);
    const known = this.policies.get(id);
    if (known !== undefined) return known;
    const policy = new Policy(this, id, {
      ...{ name, rules: [{ path, capabilities: ["read"] }] },
      namespace: this.engine.namespace,
      provider: this.engine.provider,
    });
    if (this.managedElsewhere && this.policies.size === 0) new ForgottenPolicy(this);
    this.policies.set(id, policy);
    dependOn(policy.resource, ...this.ready);
    return policy;
  }
}

function policyOf(path: string): OwnPolicy {
  return { id: "ReadPolicy", name: inLowerCase(path) };
}
