import type { TerraformVariable } from "cdktf";
import type { WriteOnlySecret } from "./write-only-secret";

/** What a server takes for something else than a password, or not at all. */
interface Rule {
  /** Terraform's, on the value of a variable; true for a password that is usable. */
  readonly condition: (value: string) => string;
  readonly is: string;
}

const EMPTY: Rule = { condition: (value) => `length(${value}) > 0`, is: "is empty" };
const TEMPLATE: Rule = {
  condition: (value) => `!strcontains(${value}, "{{username}}") && !strcontains(${value}, "{{password}}")`,
  is: "holds {{username}} or {{password}}, which the engine replaces",
};
const HASH: Rule = {
  condition: (value) =>
    `!startswith(${value}, "SCRAM-SHA-256$") && !(length(${value}) == 35 && can(regex("^md5[0-9a-f]+", ${value})))`,
  is: "has the form of a hash, which PostgreSQL keeps as it is",
};
const RULES = { postgres: [EMPTY, TEMPLATE, HASH], mysql: [EMPTY, TEMPLATE] };

const required = new WeakMap<TerraformVariable, Set<Rule>>();

/**
 * Has Terraform refuse a password of the engine's login that cannot log in, before anything is made: the servers say so in the middle
 * of a deployment only, and the login is made by then, with a password that is sent no second time.
 */
export function requireUsable({ variable }: WriteOnlySecret, server: keyof typeof RULES): void {
  // What another expression yields is looked at by nobody before it is sent.
  if (variable === undefined) return;
  const there = required.get(variable) ?? new Set();
  required.set(variable, there);
  for (const rule of RULES[server]) {
    if (there.has(rule)) continue;
    there.add(rule);
    variable.addValidation({
      condition: `\${${rule.condition(`var.${variable.friendlyUniqueId}`)}}`,
      errorMessage:
        `The password of the engine's login in TF_VAR_${variable.friendlyUniqueId} ${rule.is}: nobody could log in with it. ` +
        "Set a long random one, of letters and digits; it is sent when the login is made, and afterwards any such value will do.",
    });
  }
}
