import type { AppRoleOutput, EnvironmentOutputs, StaticRoleOutput } from "../stacks/outputs";
import { UserError } from "./errors";

/** @throws UserError with the names that there are */
export function appRoleNamed(outputs: EnvironmentOutputs, name: string): AppRoleOutput {
  return named("AppRole", outputs.approles, name);
}

/** @throws UserError with the names that there are */
export function staticRoleNamed(outputs: EnvironmentOutputs, name: string): StaticRoleOutput {
  return named("static role", outputs.static_roles ?? {}, name);
}

/**
 * Sees that there is such a dynamic role, declared, or no longer declared and with leases.
 *
 * @param inUse names of roles that have leases
 * @throws UserError with the names that there are
 */
export function requireRole(outputs: EnvironmentOutputs, name: string, inUse: readonly string[]): void {
  if (outputs.static_roles?.[name] !== undefined && outputs.roles[name] === undefined) {
    throw new UserError(
      `"${name}" is a static role, whose login has no lease to revoke.`,
      `To shut out who has its password, set another: vault-postgres rotate <environment> ${name}`,
    );
  }
  named("role", { ...outputs.roles, ...Object.fromEntries(inUse.map((role) => [role, role])) }, name);
}

/** Names of the declared AppRoles that may read a role. */
export function readersOf(outputs: EnvironmentOutputs, role: string): string[] {
  return Object.entries(outputs.approles)
    .filter(([, { roles }]) => roles.includes(role))
    .map(([name]) => name);
}

function named<T>(what: string, all: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(all);
  throw new UserError(
    `The environment has no ${what} "${name}".`,
    names.length === 0 ? `It has no ${what} at all.` : `It has ${names.join(", ")}.`,
  );
}
