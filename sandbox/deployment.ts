import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { cdktfProgram } from "../cli/cdktf";
import { UserError } from "../cli/errors";
import { outputsOfFile } from "../cli/outputs";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { logTail } from "./log-tail";
import type { Sandbox } from "./sandbox";

const PROJECT = path.resolve(__dirname, "..");
/** Also for apps in folders that have no tsx of their own. */
const TSX = pathToFileURL(require.resolve("tsx")).href;
/** Variables of the user's shell that would turn cdktf, Terraform or their plugins to other servers or settings. */
const NOT_INHERITED = /^(VAULT_|BAO_|PG|TF_|TERRAFORM_|CDKTF_)/;

export interface DeploymentOptions {
  /** Folder with the `cdktf.json` of the app. @default - the project's own */
  readonly app?: string;
  /** Names of the environment's groups. @default - none */
  readonly groups?: readonly string[];
}

/** An environment of an app, deployed by the real cdktf to the servers of a sandbox. */
export class Deployment {
  /** The environment's own and its groups'. */
  readonly stacks: readonly string[];
  private readonly app: string;
  private step = 0;

  constructor(
    private readonly sandbox: Sandbox,
    readonly environment: string,
    { app = PROJECT, groups = [] }: DeploymentOptions = {},
  ) {
    this.app = app;
    this.stacks = [environment, ...groups.map((group) => `${environment}-${group}`)];
  }

  /** Where cdktf synthesizes to. The state of a local backend comes to lie beside it. */
  get outputFolder(): string {
    return path.join(this.sandbox.directory, "cdktf.out");
  }

  get stackFolder(): string {
    return this.folderOf(this.environment);
  }

  private get outputsFile(): string {
    return path.join(this.sandbox.directory, "outputs.json");
  }

  async deploy(): Promise<void> {
    await this.cdktf("deploy", [
      "--auto-approve",
      "--skip-provider-lock",
      "--outputs-file",
      this.outputsFile,
    ]);
  }

  outputs(): EnvironmentOutputs {
    return outputsOfFile(this.environment, this.outputsFile);
  }

  /** Synthesizes anew and plans, as a second deployment would. Whether a plan holds any change, of outputs too. */
  async hasChanges(): Promise<boolean> {
    await this.cdktf("synth", []);
    const args = ["plan", "-detailed-exitcode", "-input=false", "-no-color"];
    const terraform = this.sandbox.terraform?.path ?? "terraform";
    for (const stack of this.stacks) {
      const { code, logFile } = await this.run("plan", terraform, args, this.folderOf(stack));
      if (code !== 0 && code !== 2) throw commandFailed("terraform plan", code, logFile, this.sandbox);
      if (code === 2) return true;
    }
    return false;
  }

  /** Drains and destroys, as `npm run destroy` does for a user. */
  async takeDown(): Promise<void> {
    const args = ["--import", TSX, path.join(PROJECT, "cli", "main.ts"), "destroy", this.environment];
    const options = ["--auto-approve", "--skip-provider-lock", "--output", this.outputFolder];
    const { code, logFile } = await this.run("destroy", process.execPath, [...args, ...options], this.app);
    if (code !== 0) throw commandFailed("npm run destroy", code, logFile, this.sandbox);
  }

  private folderOf(stack: string): string {
    return path.join(this.outputFolder, "stacks", stack);
  }

  private async cdktf(command: string, args: readonly string[]): Promise<void> {
    const stacks = command === "synth" ? [] : this.stacks;
    const all = [cdktfProgram(), command, ...stacks, "--output", this.outputFolder, ...args];
    const { code, logFile } = await this.run(command, process.execPath, all, this.app);
    if (code !== 0) throw commandFailed(`cdktf ${command}`, code, logFile, this.sandbox);
  }

  private async run(
    name: string,
    command: string,
    args: readonly string[],
    cwd: string,
  ): Promise<{ code: number; logFile: string }> {
    const logFile = path.join(this.sandbox.directory, `${++this.step}-${name}.log`);
    const env = { ...inherited(process.env), ...this.sandbox.env, CI: "1", FORCE_COLOR: "0" };
    const running = this.sandbox.lifetime.start({ command, args, cwd, env, logFile });
    return { code: await running.exited, logFile };
  }
}

/** The user's environment without what would lead elsewhere. */
export function inherited(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.test(name)));
}

/** What Terraform and cdktf wrote below a sandbox's folder: synthesized files, state, logs; not plugins, nor servers. */
export function writtenFiles(folder: string, skip = ["postgres", "postgres-programs", "vault"]): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return skip.includes(entry.name) ? [] : writtenFiles(file, ["providers"]);
    return entry.isFile() ? [file] : [];
  });
}

/** What to throw for a command that was started with a log: the end of it is told. */
export function commandFailed(
  command: string,
  code: number,
  logFile: string,
  { lifetime }: Pick<Sandbox, "lifetime">,
): UserError {
  return new UserError(`${command} failed (exit code ${code}).`, lifetime.redact(logTail(logFile, 40)));
}
