import * as fs from "node:fs";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { cdktfProgram } from "./cdktf";
import { runProgram } from "./run-program";
import { requireOwnState } from "./state-owner";

/** What Terraform or cdktf said when it failed. */
export class TerraformError extends Error {}

/**
 * Synthesizes an environment anew, and has Terraform fetch what its stacks need.
 *
 * @param output folder that cdktf synthesizes into
 * @returns the environment's own stack, then those of its groups in order of deployment
 * @throws TerraformError if cdktf or Terraform fails
 * @throws UserError if a state belongs to another stack
 */
export async function synthesized(
  environment: string,
  output: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly SynthesizedStack[]> {
  await synthesize(output, env);
  const base = new SynthesizedStack(environment, output, env);
  const stacks = [base, ...base.groupStacks().map((name) => new SynthesizedStack(name, output, env))];
  for (const stack of stacks) {
    await stack.terraform(["init", "-input=false", "-no-color"]);
    requireOwnState(
      stack.name,
      await stack.terraform(["state", "pull"]),
      fs.readFileSync(stack.file, "utf8"),
    );
  }
  return stacks;
}

/**
 * Runs the user's app.
 *
 * @param output folder that cdktf synthesizes into
 * @throws TerraformError if it fails
 */
export async function synthesize(output: string, env: NodeJS.ProcessEnv): Promise<void> {
  await run(process.execPath, [cdktfProgram(), "synth", "--output", output], env);
}

/** A stack as cdktf has synthesized it, and Terraform in its folder. */
export class SynthesizedStack {
  constructor(
    readonly name: string,
    /** Folder that cdktf synthesizes into. */
    private readonly output: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  get file(): string {
    return path.join(this.folder, "cdk.tf.json");
  }

  private get folder(): string {
    return path.resolve(this.output, "stacks", this.name);
  }

  /** Names of the stacks of an environment's groups, where this is the environment's own. */
  groupStacks(): readonly string[] {
    if (!fs.existsSync(this.file)) {
      throw new TerraformError(`There is no stack "${this.name}" in ${path.resolve(this.output)}.`);
    }
    const { output } = JSON.parse(fs.readFileSync(this.file, "utf8")) as {
      output?: { group_stacks?: { value: readonly string[] } };
    };
    return output?.group_stacks?.value ?? [];
  }

  /**
   * @param input what to write to its standard input
   * @returns its standard output
   */
  terraform(args: readonly string[], input?: string): Promise<string> {
    return run(this.env.TERRAFORM_BINARY_NAME ?? "terraform", args, this.env, this.folder, input);
  }
}

async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
  input?: string,
): Promise<string> {
  const { stdout, stderr, error } = await runProgram(command, args, { cwd, env }, input);
  if (error === undefined) return stdout;
  throw new TerraformError(stripVTControlCharacters(stderr.trim() || stdout.trim() || error.message));
}
