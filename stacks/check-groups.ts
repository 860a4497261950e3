import { ClaimedNames } from "../lib/claimed-names";
import { ConfigurationError } from "../lib/errors";
import type { Environment, EnvironmentGroup } from "./environment";
import type { EnvironmentNames } from "./environment-names";

/**
 * Checks what no stack of an environment can see alone.
 *
 * @throws ConfigurationError for a name that two stacks use, a role of a group that makes objects, and an application that
 *   reads a role of another group
 */
export function checkGroups(environment: Environment, names: EnvironmentNames): void {
  const groups = groupsOf(environment);
  if (groups.length === 0) return;
  checkNames([environment, ...groups.map(([, group]) => group)], names);
  for (const [name, group] of groups) {
    const described = `group "${name}" of environment "${environment.name}"`;
    checkMakesNothing(described, group);
    checkReads(described, group, environment);
  }
}

/** Groups by name, in order of deployment. */
export function groupsOf({ groups = {} }: Environment): readonly (readonly [string, EnvironmentGroup])[] {
  return Object.entries(groups);
}

/** Names of roles, dynamic and static. */
export function rolesOf({ roles = {}, staticRoles = {} }: EnvironmentGroup): readonly string[] {
  return [...Object.keys(roles), ...Object.keys(staticRoles)];
}

/** An engine and an auth method have each name but once, whichever stack declares it. */
function checkNames(parts: readonly EnvironmentGroup[], names: EnvironmentNames): void {
  const engine = new ClaimedNames("secrets engine", () => names.engine);
  const auth = new ClaimedNames("auth method", () => names.auth);
  for (const part of parts) {
    rolesOf(part).forEach((role) => engine.claim("role", role));
    Object.keys(part.applications ?? {}).forEach((name) => auth.claim("AppRole", `${names.prefix}-${name}`));
  }
}

/**
 * What a role owns in the database keeps PostgreSQL from dropping the role, and a group goes before the database; and what
 * it makes, roles of other groups would have no right to.
 */
function checkMakesNothing(described: string, { roles = {} }: EnvironmentGroup): void {
  for (const [name, { access }] of Object.entries(roles)) {
    if (!access.grants.some(({ privileges }) => privileges.includes("CREATE"))) continue;
    throw new ConfigurationError(
      `The role "${name}" of ${described} may CREATE, and what it made would keep the group from being destroyed.`,
      "Move the role to the environment's own roles, which every group's applications may read.",
    );
  }
}

/** A group is deployed and destroyed without the others, so it refers to none of them. */
function checkReads(described: string, group: EnvironmentGroup, { groups = {} }: Environment): void {
  for (const [application, { roles }] of Object.entries(group.applications ?? {})) {
    for (const [name, other] of Object.entries(groups)) {
      const role = other === group ? undefined : rolesOf(other).find((each) => roles.includes(each));
      if (role === undefined) continue;
      throw new ConfigurationError(
        `The application "${application}" of ${described} reads the role "${role}" of group "${name}".`,
        "Move the role to the environment's own roles, or the application to that group.",
      );
    }
  }
}
