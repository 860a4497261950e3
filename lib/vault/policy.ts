import type { ITerraformDependable, TerraformProvider } from "cdktf";
import { Policy as PolicyResource } from "@cdktf/provider-vault/lib/policy";
import { Construct, type IConstruct } from "constructs";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";

export type Capability = "create" | "read" | "update" | "patch" | "delete" | "list" | "sudo" | "deny";

/** What a token may do at one exact path. */
export interface PolicyRule {
  /** API path without `v1/`, such as `orders-dev/database/creds/reader`. */
  readonly path: string;
  readonly capabilities: readonly Capability[];
}

/** A policy of Vault, declared here or existing. */
export interface IPolicy extends IConstruct {
  readonly name: string;
  /** What has to stand before a token with this policy is of use; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];
}

export interface PolicyProps {
  /** Lower case; at most 128 characters of letters, digits, `_`, `-`, `.` and `/`. */
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
  /** @default - the provider's namespace */
  readonly namespace?: string;
}

const PATH = /^[A-Za-z0-9_][A-Za-z0-9_./@-]*$/;

/** An ACL policy over exact paths: a path with a wildcard is refused, since `dev/db*` also covers `dev/db-prod`. */
export class Policy extends Construct implements IPolicy {
  /** Refers to a policy that is managed elsewhere, by its name. */
  static fromName(scope: Construct, id: string, name: string): IPolicy {
    return new ImportedPolicy(scope, id, name);
  }

  readonly name: string;
  readonly resource: PolicyResource;

  constructor(scope: Construct, id: string, props: PolicyProps) {
    super(scope, id);
    this.name = checkName(props.name);
    if (props.rules.length === 0) {
      throw new ConfigurationError(
        `The policy ${show(props.name)} has no rules.`,
        "Give it at least one path.",
      );
    }
    this.resource = new PolicyResource(this, "Resource", {
      name: this.name,
      policy: props.rules.map(render).join("\n"),
      namespace: props.namespace,
      provider: props.provider,
    });
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
  }
}

function checkName(name: string): string {
  if (isUnresolved(name)) return name;
  if (!PATH.test(name) || name.length > 128 || name !== name.toLowerCase()) {
    throw new ConfigurationError(
      `The policy name ${show(name)} is not usable.`,
      'Use at most 128 lower-case letters, digits, "_", "-", "." and "/", with a letter, digit or "_" first.',
    );
  }
  if (name === "root") {
    throw new ConfigurationError('The policy name "root" is Vault\'s own.', "Use another name.");
  }
  return name;
}

function render(rule: PolicyRule): string {
  if (!isUnresolved(rule.path) && !PATH.test(rule.path)) {
    throw new ConfigurationError(
      `The policy path ${show(rule.path)} is not an exact path.`,
      'Use letters, digits, "_", "-", ".", "@" and "/" only; wildcards ("*", "+") reach paths of others.',
    );
  }
  const capabilities = rule.capabilities.map((capability) => `"${capability}"`).join(", ");
  return `path "${rule.path}" {\n  capabilities = [${capabilities}]\n}\n`;
}
