import { GrantRole } from "@cdktf/provider-postgresql/lib/grant-role";
import { Lazy, TerraformStack, Token, type TerraformResource } from "cdktf";
import type { BaseRole } from "../lib/postgres/base-role";
import { Policy } from "../lib/vault/policy";
import type { AppRoleSettings, ConnectionSettings, CredentialOutput } from "./outputs";
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

/** What else a connection is declared with, with overrides. */
export function connectionSettings(resource: TerraformResource): ConnectionSettings {
  return later(() => {
    const { declared, isIgnored } = configurationOf(resource);
    const { postgresql = {}, root_rotation_statements: rotation } = declared as {
      readonly postgresql?: ConnectionSettings;
      readonly root_rotation_statements?: readonly string[];
    };
    const { password_authentication, username_template, disable_escaping = false } = postgresql;
    const digest = (list: readonly unknown[] | undefined) =>
      list?.every((text) => typeof text === "string" && !Token.isUnresolved(text))
        ? statementsDigest(list as readonly string[])
        : undefined;
    return {
      ...(!isIgnored("postgresql") && {
        ...{ password_authentication, disable_escaping },
        username_template: digest([username_template]),
      }),
      ...(!isIgnored("root_rotation_statements") && { root_rotation: digest(rotation) }),
    };
  });
}

/** What a role issues by an override; undefined for passwords as its connection makes them. */
export function declaredCredential(resource: TerraformResource): CredentialOutput | undefined {
  return later(() => {
    const { credential_type, credential_config } = configurationOf(resource).declared as CredentialOutput;
    return (credential_type ?? "password") === "password" && credential_config === undefined
      ? undefined
      : { credential_type, credential_config };
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

/** Roles that a base role is made a member of in its stack; undefined where there is none. What only Terraform knows is left out. */
export function membershipsOf(base: BaseRole): readonly string[] | undefined {
  return later(() => {
    const granted = TerraformStack.of(base)
      .node.findAll()
      .filter((construct) => construct instanceof GrantRole)
      .map((grant) => configurationOf(grant).declared)
      .filter(({ role }) => role === base.name)
      .map(({ grant_role }) => grant_role);
    const { roles } = configurationOf(base.resource).declared;
    const names = [...granted, ...(Array.isArray(roles) ? (roles as readonly unknown[]) : [])].filter(
      (name) => typeof name === "string" && !Token.isUnresolved(name),
    );
    return names.length === 0 ? undefined : [...new Set(names as string[])].sort();
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
