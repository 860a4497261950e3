import * as fs from "node:fs";
import * as path from "node:path";
import type { Sandbox } from "./sandbox";

/**
 * Writes a file, readable by its owner alone, that a POSIX shell can source to work with the sandbox's servers.
 *
 * @returns its path
 */
export function writeEnvFile(sandbox: Sandbox): string {
  const variables = {
    ...sandbox.env,
    BAO_ADDR: sandbox.vault.address,
    SANDBOX_DIRECTORY: sandbox.directory,
    SANDBOX_ROOT_TOKEN: sandbox.vault.rootToken,
    SANDBOX_VERIFIER_TOKEN: sandbox.verifier.vaultToken,
    SANDBOX_OPERATOR_TOKEN: sandbox.operator.vaultToken,
    SANDBOX_OPERATOR: sandbox.operator.postgresUser,
    SANDBOX_OPERATOR_PASSWORD: sandbox.operator.postgresPassword,
    SANDBOX_SUPERUSER: sandbox.postgres.superuser,
    SANDBOX_SUPERUSER_PASSWORD: sandbox.postgres.superuserPassword,
  };
  const file = path.join(sandbox.directory, "env.sh");
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  fs.writeFileSync(
    file,
    `unset BAO_TOKEN VAULT_NAMESPACE BAO_NAMESPACE TF_PLUGIN_CACHE_DIR\n${lines.join("")}`,
    { mode: 0o600 },
  );
  return file;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
