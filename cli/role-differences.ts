import type { EnvironmentOutputs, RoleOutput } from "../stacks/outputs";
import { statementsDigest } from "../stacks/statements-digest";
import type { EngineRole } from "./engine-roles";

/**
 * In what a role of the engine is not as it was declared: its TTLs, its connection, its SQL. Deployments from before the
 * outputs told of the SQL are looked at for SQL that is missing.
 */
export function roleDifferences(
  { vault: { connection } }: EnvironmentOutputs,
  declared: RoleOutput,
  role: EngineRole,
): string[] {
  const { default_ttl, max_ttl, statements } = declared;
  const lists = { creation: role.creation, renewal: role.renewal, revocation: role.revocation };
  return [
    ...(role.connection === connection
      ? []
      : [`it is on the connection ${role.connection}, not ${connection}`]),
    ...(role.defaultTtl === default_ttl
      ? []
      : [`its default TTL is ${role.defaultTtl} s, not ${default_ttl} s`]),
    ...(role.maxTtl === max_ttl ? [] : [`its maximum TTL is ${role.maxTtl} s, not ${max_ttl} s`]),
    ...Object.entries(lists).flatMap(([kind, list]) => {
      const digest = statements?.[kind as keyof typeof lists];
      if (list.length === 0) {
        // Without SQL of its own for a renewal, the engine uses SQL of its own.
        return kind === "renewal" && digest === undefined ? [] : [`it has no ${kind} SQL`];
      }
      return digest === undefined || digest === statementsDigest(list) ? [] : [`its ${kind} SQL is another`];
    }),
  ];
}
