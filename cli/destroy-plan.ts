import { execFile, spawn } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { CDKTF } from "./cdktf";
import { UserError } from "./errors";

const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Asks Terraform for the plan before any credential ends: it refuses where the database is protected, say.
 *
 * @param output folder that cdktf synthesizes into
 * @throws UserError with Terraform's words
 */
export async function requireDestroyable(
  environment: string,
  output: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const terraform = env.TERRAFORM_BINARY_NAME ?? "terraform";
  const cwd = path.resolve(output, "stacks", environment);
  const steps: readonly [string, string[], string?][] = [
    [process.execPath, [CDKTF, "synth", "--output", output]],
    [terraform, ["init", "-input=false", "-no-color"], cwd],
    [terraform, ["plan", "-destroy", "-input=false", "-no-color"], cwd],
  ];
  for (const [command, args, folder] of steps) {
    await promisify(execFile)(command, args, { cwd: folder, env, maxBuffer: MAX_OUTPUT }).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        const said = (error.stderr ?? "").trim() || (error.stdout ?? "").trim() || error.message;
        throw new UserError(`It cannot be destroyed as it stands, and nothing was changed.\n${said}`);
      },
    );
  }
}

/**
 * Runs `cdktf destroy` in this terminal.
 *
 * @param toStandardError whether what it prints goes there instead of to standard output
 * @returns its exit code
 */
export function cdktfDestroy(
  environment: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  toStandardError: boolean,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CDKTF, "destroy", environment, ...options], {
      env,
      stdio: ["inherit", toStandardError ? process.stderr : "inherit", "inherit"],
    });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
