import * as fs from "node:fs";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { checkedOutputs } from "./checked-outputs";
import { concurrently } from "./concurrently";
import { UserError } from "./errors";
import { runProgram } from "./run-program";
import { inLine, shellWord } from "./text";

const PARTS = ["vault", "postgres", "roles", "approles"] as const;
/** Absent where there is nothing to say. */
const OPTIONAL_PARTS = ["static_roles", "policies", "group_stacks"] as const;
/** What the stacks of groups add to. */
const GROUP_PARTS = ["roles", "static_roles", "approles", "policies"] as const;

/** Whether the stacks of all groups have to be deployed, or those that are not are left out. */
export type GroupsNeeded = "all" | "deployed";

/** The outputs as the command line says: in a file, or else of the stack in the folder that cdktf synthesized into. */
export async function outputsOf(
  environment: string,
  options: { readonly outputs?: string; readonly output?: string },
  env: NodeJS.ProcessEnv,
  groups: GroupsNeeded = "all",
): Promise<EnvironmentOutputs> {
  return options.outputs === undefined
    ? outputsOfStack(environment, options.output ?? "cdktf.out", env, groups)
    : outputsOfFile(environment, options.outputs, groups);
}

/** The outputs of a deployed environment, asked of Terraform in the folders that cdktf synthesized its stacks into. */
export async function outputsOfStack(
  environment: string,
  outputFolder: string,
  env: NodeJS.ProcessEnv,
  groups: GroupsNeeded = "all",
): Promise<EnvironmentOutputs> {
  const base = await terraformOutputs(environment, outputFolder, env);
  const folder = path.resolve(outputFolder, "stacks", environment);
  const stacks = stackNames(valueIn(base, "group_stacks"), folder).filter(
    // Terraform has no answer where it has never been.
    (stack) => groups === "all" || fs.existsSync(path.resolve(outputFolder, "stacks", stack, ".terraform")),
  );
  const ofGroups = await concurrently(stacks, (stack) => terraformOutputs(stack, outputFolder, env));
  const content = {
    [environment]: base,
    ...Object.fromEntries(stacks.map((stack, index) => [stack, ofGroups[index]])),
  };
  return parseOutputs(content, environment, folder, groups);
}

async function terraformOutputs(
  stack: string,
  outputFolder: string,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, unknown>> {
  const folder = path.resolve(outputFolder, "stacks", stack);
  if (!fs.existsSync(folder)) {
    throw new UserError(
      `There is no stack "${stack}" in ${path.resolve(outputFolder)}.`,
      `Deploy it from here with cdktf deploy ${shellWord(stack)}, or name a file of its outputs with --outputs.`,
    );
  }
  const terraform = env.TERRAFORM_BINARY_NAME ?? "terraform";
  const { stdout, stderr, error } = await runProgram(terraform, ["output", "-json", "-no-color"], {
    ...{ cwd: folder, env },
  });
  if (error !== undefined) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = stderr.trim() === "" ? error.message : stderr.trim();
    throw new UserError(
      `${terraform} output failed in ${folder}: ${stripVTControlCharacters(reason)}`,
      isMissing
        ? "Put Terraform on the PATH, set TERRAFORM_BINARY_NAME if it has another name here, or use --outputs with a file."
        : "See whether terraform output -json says the same in that folder; or use --outputs with a file of the outputs.",
    );
  }
  try {
    return asObject(JSON.parse(stdout));
  } catch (error) {
    throw new UserError(`${terraform} output in ${folder} is no JSON: ${(error as Error).message}`);
  }
}

/** The outputs in a file: of `cdktf deploy --outputs-file`, or of `terraform output -json` where there are no groups. */
export function outputsOfFile(
  environment: string,
  file: string,
  groups: GroupsNeeded = "all",
): EnvironmentOutputs {
  let content: unknown;
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(
      `The outputs file ${file} cannot be read: ${(error as Error).message}`,
      `Write it with cdktf deploy ${shellWord(environment)} --outputs-file ${shellWord(file)}`,
    );
  }
  return parseOutputs(content, environment, file, groups);
}

/**
 * Takes both forms: cdktf's, nested by stack, and Terraform's, with each value in an object. What the stacks of groups
 * have is added to what the environment's own has.
 */
export function parseOutputs(
  content: unknown,
  environment: string,
  source: string,
  groups: GroupsNeeded = "all",
): EnvironmentOutputs {
  const root = asObject(content);
  const outputs = asObject(root[environment] ?? root);
  const stacks = stackNames(valueIn(outputs, "group_stacks"), source);
  requireSame(outputs, environment, source);
  const missing = PARTS.filter((part) => {
    const value = valueIn(outputs, part);
    // In a split environment all roles and applications may be those of groups.
    return stacks.length > 0 ? value === undefined : Object.keys(asObject(value)).length === 0;
  });
  if (missing.length > 0) {
    const base = valueIn(outputs, "environment");
    throw new UserError(
      `${source} has no output ${missing.map((part) => `"${part}"`).join(", ")} of the environment "${environment}".`,
      typeof base === "string"
        ? `It is the stack of a group of "${base}": name that environment.`
        : `Is it deployed? cdktf deploy ${shellWord(environment)}`,
    );
  }
  const merged = Object.fromEntries(
    [...PARTS, ...OPTIONAL_PARTS]
      .map((part) => [part, valueIn(outputs, part)] as const)
      .filter(([, value]) => value !== undefined),
  );
  for (const stack of stacks) {
    const group = asObject(root[stack]);
    if (valueIn(group, "environment") !== environment) {
      if (groups === "deployed") continue;
      throw new UserError(
        `${source} names the stack "${stack}" of a group of "${environment}", whose outputs are not there.`,
        `Is it deployed? cdktf deploy ${[environment, ...stacks].map(shellWord).join(" ")}`,
      );
    }
    for (const part of GROUP_PARTS) {
      const value = valueIn(group, part);
      if (value !== undefined) merged[part] = { ...asObject(merged[part]), ...asObject(value) };
    }
  }
  return checkedOutputs(merged, source);
}

/**
 * Terraform's own form is not nested by stack: a file of another environment would be taken for this one's, and its credentials
 * ended in its place. Older deployments do not say whose outputs they are.
 */
function requireSame(outputs: Record<string, unknown>, environment: string, source: string): void {
  const written = valueIn(outputs, "environment");
  const isBase = PARTS.every((part) => valueIn(outputs, part) !== undefined);
  if (typeof written !== "string" || written === environment || !isBase) return;
  throw new UserError(
    `${source} has the outputs of the environment "${written}", not of "${environment}".`,
    `Name that environment, or write the file anew: terraform output -json in the folder of ${shellWord(environment)}.`,
  );
}

function valueIn(outputs: Record<string, unknown>, name: string): unknown {
  const output = asObject(outputs[name]);
  return "value" in output && "type" in output ? output.value : outputs[name];
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Names of stacks, each of which is a folder of its own below that of the synthesized stacks. */
function stackNames(value: unknown, source: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const isName = (name: unknown): name is string => typeof name === "string" && /^[\w-][\w.-]*$/.test(name);
  if (Array.isArray(value) && value.every(isName)) return value;
  throw new UserError(
    `${source} is not what a deployment writes. The output "group_stacks" is ${inLine(JSON.stringify(value))}. ` +
      'It has to be a list of names of stacks: letters, digits, "_", "-" and ".", with no "." first.',
    `Write it anew: cdktf deploy, or terraform output -json.`,
  );
}
