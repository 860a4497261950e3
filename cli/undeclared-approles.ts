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

/** Roles of the environment that policies let be read. A role's read policy is named like the path that it opens, in lower case. */
export function rolesOpenedBy(
  { vault, roles, static_roles = {} }: EnvironmentOutputs,
  policies: ReadonlySet<string>,
): string[] {
  const opened = (kind: string, all: object) =>
    Object.keys(all).filter((role) => policies.has(`${vault.mount}/${kind}/${role}`.toLowerCase()));
  return [...opened("creds", roles), ...opened("static-creds", static_roles)];
}

/** Names of the AppRoles whose tokens may read a role: those that are declared for it, and others that have such tokens. */
export function allReadersOf(
  outputs: EnvironmentOutputs,
  tokens: readonly GroupToken[],
  role: string,
): string[] {
  const declared = Object.entries(outputs.approles).filter(([, { roles }]) => roles.includes(role));
  const others = undeclaredAppRoles(outputs, tokens).filter(({ roles }) => roles.includes(role));
  return [...declared.map(([name]) => name), ...others.map(({ name }) => name)];
}
