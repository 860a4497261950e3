import type { EnvironmentOutputs } from "../stacks/outputs";
import type { GroupToken } from "./group-tokens";

/** An AppRole that the environment does not declare, or not any more, and that has tokens of its auth method. */
export interface UndeclaredAppRole {
  readonly name: string;
  readonly tokens: number;
  /** Roles of the environment that the policies of its tokens let them read. */
  readonly roles: readonly string[];
}

/** Those of another stack are among them, too. */
export function undeclaredAppRoles(
  outputs: EnvironmentOutputs,
  tokens: readonly GroupToken[],
): UndeclaredAppRole[] {
  const undeclared = tokens.filter(
    ({ approle }) => approle !== "" && !Object.hasOwn(outputs.approles, approle),
  );
  return [...new Set(undeclared.map(({ approle }) => approle))].sort().map((name) => {
    const own = undeclared.filter(({ approle }) => approle === name);
    const policies = new Set(own.flatMap((token) => token.policies));
    return { name, tokens: own.length, roles: rolesOpenedBy(outputs, policies) };
  });
}

/** The policy that lets each role of an environment be read: it is named like the path that it opens, in lower case. */
export function readPolicies({ vault: { mount }, roles, static_roles = {} }: EnvironmentOutputs) {
  const of = (kind: string, all: object) =>
    Object.keys(all).map((role) => ({ role, name: `${mount}/${kind}/${role}`.toLowerCase() }));
  return [...of("creds", roles), ...of("static-creds", static_roles)];
}

/**
 * Roles of the environment that policies let be read, as far as their names tell: by a role's own, or by one that another stack has
 * for a reader of its own, `<path>.for.<reader>`. Others may open the same by any other name.
 */
export function rolesOpenedBy(outputs: EnvironmentOutputs, policies: ReadonlySet<string>): string[] {
  return readPolicies(outputs)
    .filter(
      ({ name }) => policies.has(name) || [...policies].some((policy) => policy.startsWith(`${name}.for.`)),
    )
    .map(({ role }) => role);
}

/**
 * Names of the AppRoles that are known to read a role: those that are declared for it, and others of the same auth method that
 * have such tokens. There may be more: by another auth method, by a policy of another name, by tokens without an AppRole.
 */
export function allReadersOf(
  outputs: EnvironmentOutputs,
  tokens: readonly GroupToken[],
  role: string,
): string[] {
  const declared = Object.entries(outputs.approles).filter(([, { roles }]) => roles.includes(role));
  const others = undeclaredAppRoles(outputs, tokens).filter(({ roles }) => roles.includes(role));
  return [...declared.map(([name]) => name), ...others.map(({ name }) => name)];
}
