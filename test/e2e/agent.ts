import * as fs from "node:fs";
import * as path from "node:path";
import { findEngineBinary } from "../../sandbox/engine-binary";
import type { Running } from "../../sandbox/lifetime";
import type { Sandbox } from "../../sandbox/sandbox";

/** A program that writes files of credentials. It ends with the sandbox. */
export class Agent {
  /**
   * The agent of the sandbox's engine: `bao agent` or `vault agent`.
   *
   * @param folder also its home folder
   */
  static async start(sandbox: Sandbox, folder: string, configuration: string): Promise<Agent> {
    const file = path.join(folder, "agent.json");
    fs.writeFileSync(file, configuration);
    const engine = await findEngineBinary({
      env: process.env,
      download: () => Promise.reject(new Error("the sandbox has one already")),
    });
    const running = sandbox.lifetime.start({
      command: engine.path,
      args: ["agent", `-config=${file}`],
      env: { PATH: process.env.PATH, HOME: folder },
      logFile: path.join(folder, "agent.log"),
    });
    return new Agent(sandbox, running);
  }

  constructor(
    private readonly sandbox: Sandbox,
    readonly running: Running,
  ) {}

  /** What it has logged, without secrets. */
  get log(): string {
    return this.sandbox.lifetime.redact(fs.readFileSync(this.running.logFile, "utf8"));
  }

  /** Waits until something holds; fails with the agent's log if it does not, or if the agent has ended. */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await holds())) {
      if (Date.now() > deadline)
        throw new Error(`Not within ${seconds} s: ${what}\n${this.log.slice(-4000)}`);
      if (!this.running.isRunning())
        throw new Error(`The agent ended before ${what}\n${this.log.slice(-4000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
