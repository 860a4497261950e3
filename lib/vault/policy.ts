import { TerraformStack, type ITerraformDependable, type TerraformProvider } from "cdktf";
import { Policy as PolicyResource } from "@cdktf/provider-vault/lib/policy";
import { Construct, type IConstruct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { ConfigurationError, show } from "../errors";
import { listedOneByOne } from "../known-at-synthesis";
import { mayBeOneOf, withStandIns } from "../tokens";
import { declareOnce } from "./declared-once";
import { checkNamespace } from "./namespace";

/** What a policy allows at a path, as Vault names it; `deny` wins over all others. */
export type Capability = "create" | "read" | "update" | "patch" | "delete" | "list" | "sudo" | "deny";

/** What a token may do at one exact path. */
export interface PolicyRule {
  /** API path without `v1/`, such as `orders-dev/database/creds/reader`. */
  readonly path: string;
  /** What is allowed there: one or more. */
  readonly capabilities: readonly Capability[];
}

/** A policy of Vault, declared here or existing. */
export interface IPolicy extends IConstruct {
  /** Name in Vault, in lower case. */
  readonly name: string;
  /** What has to stand before a token with this policy is of use; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];
}

/** Options of {@link Policy}. */
export interface PolicyProps {
  /** Lower case; at most 128 characters of letters, digits, `_`, `-`, `.` and `/`. */
  readonly name: string;
  /** What is allowed at which path: one rule or more. */
  readonly rules: readonly PolicyRule[];
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
  /** Namespace that it is in. @default - the provider's namespace */
  readonly namespace?: string;
}

const CAPABILITIES: readonly Capability[] = [
  ...(["create", "read", "update", "patch", "delete", "list", "sudo", "deny"] as const),
];
const PATH = /^[A-Za-z0-9_][A-Za-z0-9_./@-]*$/;
/** A path of a policy may end in `/`, as that of a list does. A server takes `..` for the way up, Vault in any name. */
const CONFUSING = /\/\/|\.\.|(^|\/)\.(\/|$)/;
/** Every token has the policy `default`; the others a server does not let be written. */
const OF_THE_SERVER = ["root", "default", "response-wrapping", "control-group"];

/**
 * An ACL policy over exact paths: a path with a wildcard is refused, since `dev/db*` also covers `dev/db-prod`.
 *
 * It holds for tokens of its own namespace; a path may begin with a namespace below that one, such as `team/database/creds/reader`.
 */
export class Policy extends Construct implements IPolicy {
  /** Refers to a policy that is managed elsewhere, by its name. */
  static fromName(scope: Construct, id: string, name: string): IPolicy {
    return new ImportedPolicy(scope, id, name);
  }

  readonly name: string;
  /** Namespace that it is in; absent for the provider's. */
  readonly namespace?: string;
  /** Provider that it is declared with; absent for the stack's vault provider. */
  readonly provider?: TerraformProvider;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: PolicyResource;

  /**
   * @throws ConfigurationError for a name that is unusable or Vault's own, no rules, a path with a wildcard, and
   *   another policy of that name with other rules in the stack
   */
  constructor(scope: Construct, id: string, props: PolicyProps) {
    super(scope, id);
    this.name = checkName(props.name);
    this.namespace = checkNamespace(props.namespace);
    this.provider = props.provider;
    if (OF_THE_SERVER.includes(this.name)) {
      throw new ConfigurationError(`The policy name ${show(this.name)} is Vault's own.`, "Use another name.");
    }
    if (props.rules.length === 0) {
      throw new ConfigurationError(
        `The policy ${show(props.name)} has no rules.`,
        "Give it at least one path.",
      );
    }
    const policy = props.rules.map(render).join("\n");
    claim(this, props, policy);
    declareOnce(this, {
      ...{ kind: "policy", path: this.name },
      ...{ namespace: props.namespace, provider: props.provider },
      text: policy,
    });
    this.resource = new PolicyResource(this, "Resource", {
      name: this.name,
      policy,
      namespace: this.namespace,
      provider: props.provider,
    });
    const { name } = this;
    const { rules, namespace } = props;
    describeAccess(this, () => ({ kind: "policy", name, existing: false, namespace, rules }));
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedPolicy extends Construct implements IPolicy {
  readonly name: string;
  readonly ready = [];

  constructor(scope: Construct, id: string, name: string) {
    super(scope, id);
    this.name = checkName(name);
    describeAccess(this, () => ({ kind: "policy", name, existing: true, rules: [] }));
  }
}

function checkName(name: string): string {
  const known = withStandIns(name);
  const usable = PATH.test(known) && !CONFUSING.test(known) && !known.endsWith("/");
  if (!usable || known.length > 128 || known !== known.toLowerCase()) {
    throw new ConfigurationError(
      `The policy name ${show(name)} is not usable.`,
      'Use at most 128 lower-case letters, digits, "_", "-", single "." and "/", with a letter, digit or "_" first and names between the "/".',
    );
  }
  return name;
}

/** The policies of each stack, by where they are and their name. */
const declared = new WeakMap<IConstruct, Map<string, string>>();

/** One policy would overwrite the other: names are in lower case, and so those of paths that differ in case only are one. */
function claim(scope: Construct, { name, namespace, provider }: PolicyProps, policy: string): void {
  const stack = TerraformStack.of(scope);
  const policies = declared.get(stack) ?? new Map<string, string>();
  declared.set(stack, policies);
  const key = JSON.stringify([provider?.fqn, namespace, name]);
  if ((policies.get(key) ?? policy) !== policy) {
    throw new ConfigurationError(
      `The stack has two policies named ${show(name)} that say different things.`,
      "One would overwrite the other. If they are those of roles, give the engines paths that differ not only in case.",
    );
  }
  policies.set(key, policy);
}

function render(rule: PolicyRule): string {
  const path = withStandIns(rule.path);
  if (!PATH.test(path) || CONFUSING.test(path)) {
    throw new ConfigurationError(
      `The policy path ${show(rule.path)} is not an exact path.`,
      'Use letters, digits, "_", "-", ".", "@" and "/" only; wildcards ("*", "+") and ".." reach paths of others.',
    );
  }
  listedOneByOne("capabilities of a policy", rule.capabilities);
  const unknown = rule.capabilities.find((capability) => !mayBeOneOf(capability, CAPABILITIES));
  if (unknown !== undefined || rule.capabilities.length === 0) {
    throw new ConfigurationError(
      `The policy has the capabilities ${show(rule.capabilities)} on ${show(rule.path)}.`,
      `Use one or more of ${CAPABILITIES.join(", ")}.`,
    );
  }
  const capabilities = rule.capabilities.map((capability) => `"${capability}"`).join(", ");
  return `path "${rule.path}" {\n  capabilities = [${capabilities}]\n}\n`;
}
