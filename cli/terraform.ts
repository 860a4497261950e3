import { execFile } from "node:child_process";
import * as path from "node:path";
import { cdktfProgram } from "./cdktf";

const MAX_OUTPUT = 64 * 1024 * 1024;

/** What Terraform or cdktf said when it failed. */
export class TerraformError extends Error {}

/** The stack of an environment, as cdktf synthesizes it, and Terraform in its folder. */
export class SynthesizedStack {
  constructor(
    readonly environment: string,
    /** Folder that cdktf synthesizes into. */
    private readonly output: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  get folder(): string {
    return path.resolve(this.output, "stacks", this.environment);
  }

  get file(): string {
    return path.join(this.folder, "cdk.tf.json");
  }

  /** Synthesizes anew, and has Terraform fetch what it needs. */
  async prepare(): Promise<void> {
    await this.run(process.execPath, [cdktfProgram(), "synth", "--output", this.output]);
    await this.terraform(["init", "-input=false", "-no-color"]);
  }

  /**
   * @param input what to write to its standard input
   * @returns its standard output
   */
  terraform(args: readonly string[], input?: string): Promise<string> {
    return this.run(this.env.TERRAFORM_BINARY_NAME ?? "terraform", args, this.folder, input);
  }

  private run(command: string, args: readonly string[], cwd?: string, input?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        command,
        args,
        { cwd, env: this.env, maxBuffer: MAX_OUTPUT },
        (error, stdout, stderr) => {
          if (!error) return resolve(stdout);
          reject(new TerraformError(stderr.trim() || stdout.trim() || error.message));
        },
      );
      // It may end without reading.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });
  }
}
