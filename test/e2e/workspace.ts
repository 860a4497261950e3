import * as fs from "node:fs";
import * as path from "node:path";
import { App, type TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { inherited } from "../../sandbox/deployment";
import type { Running } from "../../sandbox/lifetime";
import type { Sandbox } from "../../sandbox/sandbox";

/** One planned change, as `terraform show -json` tells it. */
export interface PlannedChange {
  readonly type: string;
  readonly actions: readonly string[];
}

/** A stack that Terraform applies to a sandbox, without cdktf's command line around it. */
export class Workspace {
  private step = 0;
  private initialized = false;

  constructor(
    readonly sandbox: Sandbox,
    /** Also the name of the folder below the sandbox's. */
    readonly name: string,
    private build: (scope: Construct) => TerraformStack,
  ) {}

  /** Holds what is synthesized, the state and the logs. */
  get directory(): string {
    return path.join(this.sandbox.directory, this.name);
  }

  /** Takes another definition of the stack, as after an edit. */
  edit(build: (scope: Construct) => TerraformStack): void {
    this.build = build;
  }

  /** @param env variables besides the sandbox's, or in their place */
  async apply(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.expectSuccess(await this.start(["apply", "-auto-approve"], env));
  }

  async destroy(): Promise<void> {
    await this.expectSuccess(await this.start(["destroy", "-auto-approve"]));
  }

  /** Begins an apply and returns at once. */
  startApply(): Promise<Running> {
    return this.start(["apply", "-auto-approve"]);
  }

  /** What an apply would change; empty if nothing. */
  async plan(): Promise<PlannedChange[]> {
    await this.expectSuccess(await this.start(["plan", "-out=plan"]));
    const shown = await this.start(["show", "-json", "plan"]);
    await this.expectSuccess(shown);
    const log = fs.readFileSync(shown.logFile, "utf8");
    const plan = JSON.parse(log.slice(log.indexOf("{"))) as {
      resource_changes?: { type: string; change: { actions: string[] } }[];
    };
    return (plan.resource_changes ?? [])
      .map(({ type, change }) => ({ type, actions: change.actions }))
      .filter(({ actions }) => actions.join() !== "no-op");
  }

  /** A text that the stack outputs; it keeps its state at `terraform.tfstate` in the folder. */
  output(name: string): string {
    const state = fs.readFileSync(path.join(this.directory, "terraform.tfstate"), "utf8");
    return String(
      (JSON.parse(state) as { outputs: Record<string, { value: unknown }> }).outputs[name]?.value,
    );
  }

  /** Everything that Terraform read or wrote for this stack, by file; not its plugins. */
  files(): string[] {
    return fs
      .readdirSync(this.directory, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(`${path.sep}providers`))
      .map((entry) => path.join(entry.parentPath, entry.name));
  }

  private async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
    fs.mkdirSync(this.directory, { recursive: true });
    const app = new App({ outdir: path.join(this.directory, "out"), stackTraces: false });
    const stack = this.build(app);
    app.synth();
    const cwd = path.join(this.directory, "out", "stacks", stack.node.id);
    if (!this.initialized) {
      await this.expectSuccess(this.terraform(cwd, ["init"]));
      this.initialized = true;
    }
    return this.terraform(cwd, args, env);
  }

  private terraform(
    cwd: string,
    [command = "", ...args]: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Running {
    const common = command === "show" ? ["-no-color"] : ["-no-color", "-input=false"];
    return this.sandbox.lifetime.start({
      command: this.sandbox.terraform?.path ?? "terraform",
      args: [command, ...common, ...args],
      cwd,
      env: { ...inherited(process.env), ...this.sandbox.env, ...env },
      logFile: path.join(this.directory, `${++this.step}-${command}.log`),
    });
  }

  private async expectSuccess(running: Running): Promise<void> {
    const code = await running.exited;
    if (code !== 0) {
      const log = this.sandbox.lifetime.redact(fs.readFileSync(running.logFile, "utf8"));
      throw new Error(`${path.basename(running.logFile)}: exit code ${code}\n${log.slice(-4000)}`);
    }
  }
}
