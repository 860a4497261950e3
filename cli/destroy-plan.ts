import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { cdktfProgram } from "./cdktf";
import { endEngineSessions, unendableSessions } from "./database-users";
import { UserError } from "./errors";
import { operatorLogin } from "./operator-login";
import { synthesized } from "./terraform";
import { counted } from "./text";

/**
 * Asks Terraform for the plan of each stack before any credential ends: it refuses where the database is protected, say.
 *
 * @param output folder that cdktf synthesizes into
 * @returns names of the environment's stacks
 * @throws UserError with Terraform's words
 */
export async function requireDestroyable(
  environment: string,
  output: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  try {
    const stacks = await synthesized(environment, output, env);
    for (const stack of stacks) await stack.terraform(["plan", "-destroy", "-input=false", "-no-color"]);
    return stacks.map(({ name }) => name);
  } catch (error) {
    throw new UserError(
      `It cannot be destroyed as it stands, and nothing was changed.\n${(error as Error).message}`,
    );
  }
}

/**
 * Sees that no group is deployed that the app has no more: its stack would be left behind, with nothing to stand on.
 *
 * @param stacks those that are to be destroyed
 * @throws UserError that names them
 */
export function requireAllGroups(stacks: readonly string[], { group_stacks = [] }: EnvironmentOutputs): void {
  const left = group_stacks.filter((stack) => !stacks.includes(stack));
  if (left.length === 0) return;
  throw new UserError(
    `The deployed environment has ${left.join(", ")}, which its definition has no more, and nothing was changed.`,
    "Put the groups back, destroy their stacks with cdktf destroy, and take them out again; then deploy.",
  );
}

/**
 * Sees that no session is left that keeps Terraform from dropping the database, when it has destroyed all else: one that
 * outlived its role, say, which its login may not end. Those of the engine it ends.
 *
 * @param output folder that cdktf synthesized into
 * @throws UserError that names them
 */
export async function requireDroppable(
  environment: string,
  output: string,
  outputs: EnvironmentOutputs,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { PGPASSWORD, PGSSLROOTCERT } = env;
  const PGUSER = terraformUser(environment, output) ?? env.PGUSER;
  const session = await operatorLogin(outputs, { PGUSER, PGPASSWORD, PGSSLROOTCERT });
  try {
    await endEngineSessions(session.client, outputs);
    const sessions = await unendableSessions(session.client, outputs);
    if (sessions.length === 0) return;
    const named = sessions.map(({ pid, user }) => `${pid} (${user ?? "its role is gone"})`).join(", ");
    throw new UserError(
      `${counted(sessions.length, "session")} of ${outputs.postgres.database} would keep it from being dropped, and ` +
        `Terraform's login may not end them: process ${named}.`,
      `Wait for their end, or end those without a role: vault-postgres revoke ${environment} --all --end-sessions`,
    );
  } finally {
    await session.close();
  }
}

/** Name of the login that the synthesized stack gives its PostgreSQL provider. */
function terraformUser(environment: string, output: string): string | undefined {
  const file = path.resolve(output, "stacks", environment, "cdk.tf.json");
  const { provider } = JSON.parse(fs.readFileSync(file, "utf8")) as {
    provider?: { postgresql?: readonly { username?: string }[] };
  };
  return provider?.postgresql?.[0]?.username;
}

/**
 * Runs `cdktf destroy` in this terminal. It takes stacks that depend on another first.
 *
 * @param toStandardError whether what it prints goes there instead of to standard output
 * @returns its exit code
 */
export function cdktfDestroy(
  stacks: readonly string[],
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  toStandardError: boolean,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cdktfProgram(), "destroy", ...stacks, ...options], {
      env,
      stdio: ["inherit", toStandardError ? process.stderr : "inherit", "inherit"],
    });
    // Ctrl-C reaches both; a SIGTERM for us alone is handed on.
    const forward = () => child.kill("SIGTERM");
    process.on("SIGTERM", forward);
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}
