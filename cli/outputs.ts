import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { UserError } from "./errors";

const PARTS = ["vault", "postgres", "roles", "approles"] as const;
/** Absent where there is nothing to say. */
const OPTIONAL_PARTS = ["static_roles"] as const;

/** The outputs as the command line says: in a file, or else of the stack in the folder that cdktf synthesized into. */
export async function outputsOf(
  environment: string,
  options: { readonly outputs?: string; readonly output?: string },
  env: NodeJS.ProcessEnv,
): Promise<EnvironmentOutputs> {
  return options.outputs === undefined
    ? outputsOfStack(environment, options.output ?? "cdktf.out", env)
    : outputsOfFile(environment, options.outputs);
}

/** The outputs of a deployed environment, asked of Terraform in the folder that cdktf synthesized the stack into. */
export async function outputsOfStack(
  environment: string,
  outputFolder: string,
  env: NodeJS.ProcessEnv,
): Promise<EnvironmentOutputs> {
  const folder = path.resolve(outputFolder, "stacks", environment);
  if (!fs.existsSync(folder)) {
    throw new UserError(
      `There is no stack "${environment}" in ${path.resolve(outputFolder)}.`,
      `Deploy it from here with cdktf deploy ${environment}, or name a file of its outputs with --outputs.`,
    );
  }
  const terraform = env.TERRAFORM_BINARY_NAME ?? "terraform";
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      terraform,
      ["output", "-json"],
      { cwd: folder, env, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const reason = stderr.trim() === "" ? error.message : stderr.trim();
        reject(
          new UserError(
            `${terraform} output failed in ${folder}: ${reason}`,
            "Set TERRAFORM_BINARY_NAME if Terraform has another name here, or use --outputs with a file.",
          ),
        );
      },
    );
  });
  return parseOutputs(JSON.parse(text), environment, folder);
}

/** The outputs in a file: of `cdktf deploy --outputs-file`, or of `terraform output -json`. */
export function outputsOfFile(environment: string, file: string): EnvironmentOutputs {
  let content: unknown;
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(
      `The outputs file ${file} cannot be read: ${(error as Error).message}`,
      `Write it with cdktf deploy ${environment} --outputs-file ${file}`,
    );
  }
  return parseOutputs(content, environment, file);
}

/** Takes both forms: cdktf's, nested by stack, and Terraform's, with each value in an object. */
export function parseOutputs(content: unknown, environment: string, source: string): EnvironmentOutputs {
  const root = asObject(content);
  const outputs = asObject(root[environment] ?? root);
  const valueOf = (part: string): [string, unknown] => {
    const output = asObject(outputs[part]);
    return [part, "value" in output && "type" in output ? output.value : outputs[part]];
  };
  const values = PARTS.map(valueOf);
  const missing = values
    .filter(([, value]) => Object.keys(asObject(value)).length === 0)
    .map(([part]) => part);
  if (missing.length > 0) {
    throw new UserError(
      `${source} has no output ${missing.map((part) => `"${part}"`).join(", ")} of the environment "${environment}".`,
      `Is it deployed? cdktf deploy ${environment}`,
    );
  }
  const optional = OPTIONAL_PARTS.map(valueOf).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...values, ...optional]) as unknown as EnvironmentOutputs;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
