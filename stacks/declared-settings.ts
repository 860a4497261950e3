import { Lazy, Token, type TerraformResource, type TerraformStack } from "cdktf";
import { Policy } from "../lib/vault/policy";
import type { AppRoleSettings } from "./outputs";
import { statementsDigest } from "./statements-digest";

/** What a server takes for what Terraform leaves out. */
const DEFAULTS: Required<AppRoleSettings> = {
  ...{ bind_secret_id: true, secret_id_ttl: 0, secret_id_num_uses: 0, secret_id_bound_cidrs: [] },
  ...{ token_ttl: 0, token_max_ttl: 0, token_period: 0, token_explicit_max_ttl: 0, token_num_uses: 0 },
  ...{ token_bound_cidrs: [], token_type: "default", token_no_default_policy: false, token_policies: [] },
};

/** What an AppRole is declared with by the time of synthesis, but for what Terraform is told to ignore. */
export function appRoleSettings(resource: TerraformResource): AppRoleSettings {
  return later(() => {
    const { declared, isIgnored } = configurationOf(resource);
    return Object.fromEntries(
      Object.entries(DEFAULTS)
        .filter(([name]) => !isIgnored(name))
        .map(([name, value]) => [name, declared[name] ?? value]),
    );
  });
}

/** The URL of a connection; undefined where Terraform is told to ignore it. */
export function declaredUrl(resource: TerraformResource): string | undefined {
  return later(() => {
    const { declared, isIgnored } = configurationOf(resource);
    const { postgresql } = declared as { readonly postgresql?: { readonly connection_url?: string } };
    return isIgnored("postgresql") ? undefined : postgresql?.connection_url;
  });
}

/** Digests of the policies that a stack declares for its servers, by name; what only Terraform knows has none. */
export function policyDigests(stack: TerraformStack): Readonly<Record<string, string>> {
  return later(() => {
    const policies = stack.node.findAll().filter((construct) => construct instanceof Policy);
    return Object.fromEntries(
      policies
        .flatMap(({ name, resource }) => {
          const { declared, isIgnored } = configurationOf(resource);
          const { policy, namespace, provider } = declared;
          const isElsewhere = namespace !== undefined || provider !== undefined;
          const isKnown = typeof policy === "string" && !Token.isUnresolved([name, policy]);
          return isKnown && !isElsewhere && !isIgnored("policy")
            ? [[name, statementsDigest([policy])] as const]
            : [];
        })
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    );
  });
}

/** A resource as it is synthesized, with its overrides, by Terraform's names. */
function configurationOf(resource: TerraformResource) {
  const { resource: types } = resource.toTerraform() as {
    readonly resource: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  };
  const declared = Object.values(Object.values(types)[0] ?? {})[0] ?? {};
  const { ignore_changes: ignored = [] } = (declared.lifecycle ?? {}) as {
    readonly ignore_changes?: "all" | readonly string[];
  };
  const isIgnored = (name: string) =>
    ignored === "all" || ignored.some((each) => each === name || each.startsWith(`${name}[`));
  return { declared, isIgnored };
}

/** What is changed or overridden after it was declared is seen at synthesis only. */
function later<T>(produce: () => T): T {
  return Lazy.anyValue({ produce }) as unknown as T;
}
