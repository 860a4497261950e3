import * as fs from "node:fs";
import * as path from "node:path";
import { cdktfProgram } from "../../cli/cdktf";
import { commandFailed, inherited } from "../../sandbox/deployment";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";
import { startCountingProxy, type CountingProxy } from "../counting-proxy";
import { PostgresLog, type Logged } from "../postgres-log";
import { versionsOf } from "../versions";
import type { Fleet } from "./environments";
import { MemoryWatch } from "./memory";

const PROJECT = path.resolve(__dirname, "../..");

/** What some work took, and what it asked of the servers. */
export interface Load extends Logged {
  readonly seconds: number;
  /** Requests to Vault. */
  readonly requests: number;
  readonly requestsAtOnce: number;
  /** Most memory of all processes of the work, in MiB. */
  readonly memory: number;
}

/** Servers of a sandbox, and the commands that deploy parts of a fleet to them. */
export class FleetServers {
  static async start(say: (line: string) => void): Promise<FleetServers> {
    const sandbox = await startSandbox({ onProgress: say });
    try {
      const proxy = await startCountingProxy(sandbox.vault.address);
      return new FleetServers(sandbox, proxy, await PostgresLog.start(sandbox));
    } catch (error) {
      await sandbox.stop();
      throw error;
    }
  }

  private readonly running = new Set<number>();
  private commands = 0;

  private constructor(
    private readonly sandbox: Sandbox,
    private readonly proxy: CountingProxy,
    private readonly log: PostgresLog,
  ) {}

  get versions(): Record<string, string> {
    return versionsOf(this.sandbox);
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    await this.sandbox.stop();
  }

  /** Does some work and tells what it took. Nothing else may use the servers meanwhile. */
  async during(work: () => Promise<unknown>): Promise<Load> {
    this.log.next();
    this.proxy.reset();
    const memory = new MemoryWatch(() => [...this.running]);
    const start = performance.now();
    let most: number;
    let seconds: number;
    try {
      await work();
    } finally {
      seconds = (performance.now() - start) / 1_000;
      most = memory.end();
    }
    // PostgreSQL logs the end of a session a moment after its client has gone.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return {
      seconds,
      requests: this.proxy.count(),
      requestsAtOnce: this.proxy.mostAtOnce(),
      memory: most,
      ...this.log.next(),
    };
  }

  /** Runs cdktf on the app of a part of a fleet; it synthesizes anew. */
  async cdktf(fleet: Fleet, command: "deploy" | "diff" | "synth", ...args: string[]): Promise<void> {
    fs.mkdirSync(this.folderOf(fleet), { recursive: true });
    const { name, stacks, roles, changed } = fleet;
    const app = ["node", "--import", "tsx", "bench/fleet/app.ts", name, stacks, roles];
    const all = [
      ...[cdktfProgram(), command, ...args],
      ...["--app", [...app, changed === true ? "changed" : "same"].join(" ")],
      ...["--output", path.join(this.folderOf(fleet), "cdktf.out")],
      ...(command === "synth" ? [] : ["--skip-provider-lock"]),
    ];
    await this.run(`cdktf ${command}`, process.execPath, all, PROJECT);
  }

  /**
   * Runs Terraform's plan in the folder of a stack.
   *
   * @throws Error for a plan with changes of a fleet that has none, and the other way round
   */
  async plan(fleet: Fleet, stack: string, ...args: string[]): Promise<void> {
    const cwd = path.join(this.folderOf(fleet), "cdktf.out", "stacks", stack);
    const command = this.sandbox.terraform?.path ?? "terraform";
    const all = ["plan", "-detailed-exitcode", "-input=false", "-no-color", ...args];
    await this.run("terraform plan", command, all, cwd, fleet.changed === true ? 2 : 0);
  }

  private folderOf({ name }: Fleet): string {
    return path.join(this.sandbox.directory, "fleet", name);
  }

  private async run(
    what: string,
    command: string,
    args: readonly string[],
    cwd: string,
    expected = 0,
  ): Promise<void> {
    const { directory, lifetime } = this.sandbox;
    const env = {
      ...inherited(process.env),
      ...this.sandbox.env,
      VAULT_ADDR: this.proxy.address,
      CI: "1",
      FORCE_COLOR: "0",
    };
    const logFile = path.join(directory, `fleet-${++this.commands}.log`);
    const running = lifetime.start({ command, args, cwd, env, logFile });
    this.running.add(running.pid);
    const code = await running.exited;
    this.running.delete(running.pid);
    if (code !== expected) throw commandFailed(what, code, logFile, this.sandbox);
  }
}
