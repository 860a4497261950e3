import { execFile, spawn } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline/promises";
import { parseArgs, promisify } from "node:util";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { CDKTF } from "./cdktf";
import { contextFrom, operatorClient } from "./context";
import { drain } from "./drain";
import { describeError, UserError } from "./errors";
import { outputsOf } from "./outputs";

const MAX_OUTPUT = 64 * 1024 * 1024;

const USAGE = `Usage: npm run destroy -- <environment> [--auto-approve] [--outputs FILE] [--output FOLDER] [--skip-provider-lock]

Takes an environment down: sees that Terraform would do it, stops the secrets engine from issuing credentials, revokes all that it has issued, which ends
their sessions, and then runs cdktf destroy.

  --auto-approve        ask neither before the credentials are revoked nor before the plan is carried out
  --outputs FILE        read the environment's outputs from a file (cdktf deploy --outputs-file, terraform output -json)
  --output FOLDER       folder that cdktf synthesizes into (default: cdktf.out); Terraform is asked for the outputs there
  --skip-provider-lock  handed to cdktf

Environment: as for cdktf destroy, with VAULT_TOKEN having the rights of docs/rights/vault-policy.hcl.

Exit code: 0 destroyed, 1 cdktf failed, 2 nothing was destroyed.`;

export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, environment } = parse(args);
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    const context = contextFrom(env, "docs/rights/vault-policy.hcl");
    await requireDestroyable(environment, values.output ?? "cdktf.out", env);
    const outputs = await outputsOf(environment, values, env);
    if (values["auto-approve"] !== true && !(await confirmed(environment, outputs))) {
      console.log("Nothing was changed.");
      return 2;
    }
    const vault = operatorClient(outputs, context);
    await drain(outputs, vault).catch((error: unknown) => {
      throw new UserError(
        `The credentials could not all be revoked, and nothing was destroyed: ${describeError(error)}`,
        `Once that is solved, run this again; or let the engine issue credentials again: cdktf deploy ${environment}`,
      );
    });
    console.log("No credential is left, and none is issued any more.");
    return (await cdktfDestroy(environment, values, env)) === 0 ? 0 : 1;
  } catch (error) {
    console.error(describeError(error));
    return 2;
  }
}

/** Asks Terraform for the plan before any credential ends: it refuses where the database is protected, say. */
async function requireDestroyable(
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

type Values = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "auto-approve": { type: "boolean" },
        outputs: { type: "string" },
        output: { type: "string" },
        "skip-provider-lock": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    const [environment, ...rest] = positionals;
    if (values.help !== true && (environment === undefined || rest.length > 0)) {
      throw new Error("Name one environment.");
    }
    return { values, environment: environment ?? "" };
  } catch (error) {
    throw new UserError((error as Error).message, USAGE);
  }
}

async function confirmed(environment: string, { vault, roles }: EnvironmentOutputs): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UserError("There is nobody to ask whether to go on.", "Add --auto-approve to go on without.");
  }
  console.log(
    `This ends every credential of ${vault.mount} (${Object.keys(roles).join(", ")}) and its sessions.`,
  );
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`Type ${environment} to go on: `)) === environment;
  } finally {
    terminal.close();
  }
}

function cdktfDestroy(environment: string, values: Values, env: NodeJS.ProcessEnv): Promise<number> {
  const args = [
    ...[CDKTF, "destroy", environment],
    ...(values.output === undefined ? [] : ["--output", values.output]),
    ...(values["auto-approve"] === true ? ["--auto-approve"] : []),
    ...(values["skip-provider-lock"] === true ? ["--skip-provider-lock"] : []),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

if (require.main === module) {
  void main(process.argv.slice(2), process.env).then((code) => (process.exitCode = code));
}
