import type { CredentialOutput, EnvironmentOutputs, RoleOutput } from "../stacks/outputs";
import { statementsDigest } from "../stacks/statements-digest";
import type { EngineRole, IssuedCredential } from "./engine-roles";
import { inLine, listed } from "./text";

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
    ...credentialDifferences(declared.credential, role.credential),
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

const PASSWORD = "password";

/** In what the engine issues something else, or by another policy, than was declared. */
export function credentialDifferences(
  declared: CredentialOutput | undefined,
  { type, config }: IssuedCredential,
): string[] {
  const { credential_type: wanted = PASSWORD, credential_config: wantedConfig = {} } = declared ?? {};
  // To the configuration of another kind, an engine adds what was not declared.
  const held = wanted === PASSWORD ? Object.keys(config) : [];
  const names = new Set([...Object.keys(wantedConfig), ...held]);
  const text = (value: unknown) => JSON.stringify(value ?? "");
  const others = [...names].filter((name) => text(config[name]) !== text(wantedConfig[name]));
  return [
    ...(type === "" || type === wanted
      ? []
      : [`its credential type (credential_type) is ${inLine(type)}, not ${wanted}`]),
    ...(others.length === 0 ? [] : [`${CONFIG} has another ${listed(others.map(inLine).sort())}`]),
  ];
}

const CONFIG = "its credential_config";

/** What a deployment does not do on every engine, where this is needed; undefined where it is not. */
export function credentialRemedy(differences: readonly string[], path: string): string | undefined {
  return differences.some((text) => text.startsWith(CONFIG))
    ? `An engine that keeps a credential_config, such as OpenBao, takes it back only with the role: vault delete ${path}, ` +
        "and deploy at once."
    : undefined;
}
