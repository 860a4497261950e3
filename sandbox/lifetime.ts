import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { descendants, isAlive, signalGroup } from "./process-tree";
import { makeTemporaryFolder } from "./temporary-folder";

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** System user and group to run as, where we are root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Receives standard output and error, with mode 600. */
  readonly logFile: string;
  /** What it takes for a request to end. @default "SIGINT" */
  readonly endSignal?: NodeJS.Signals;
}

export interface Running {
  readonly pid: number;
  readonly logFile: string;
  readonly endSignal: NodeJS.Signals;
  /** Exit code; for a process ended by a signal, 128. Never rejects. */
  readonly exited: Promise<number>;
  isRunning(): boolean;
  /** Asks the process to end, waits, and insists. Ends its descendants too. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

/**
 * All that a sandbox starts and writes, so that it can be ended as a whole at any moment: the temporary folder, the
 * processes, each in a process group of its own so that a terminal's Ctrl-C reaches us alone and we stop them in order,
 * and the watchdog that does the same if we die first.
 */
export class Lifetime {
  private static readonly all = new Set<Lifetime>();

  /** Ends every sandbox of this process. */
  static async endAll(): Promise<void> {
    await Promise.all([...Lifetime.all].map((lifetime) => lifetime.end()));
  }

  /** The processes that sandboxes started and will end themselves, their watchdogs included. */
  static processes(): number[] {
    return [...Lifetime.all].flatMap(({ processes, watchdog }) => [
      ...processes.map(({ pid }) => pid),
      ...(watchdog.pid === undefined ? [] : [watchdog.pid]),
    ]);
  }

  static begin(): Lifetime {
    return new Lifetime(makeTemporaryFolder());
  }

  private readonly processes: Running[] = [];
  private readonly work = new Set<Promise<unknown>>();
  private readonly stopping = new AbortController();
  private readonly secrets = new Set<string>();
  private readonly watchdog: ChildProcess;
  private ending: Promise<void> | undefined;

  private constructor(readonly directory: string) {
    this.watchdog = startWatchdog();
    this.tell(`folder ${directory}`);
    Lifetime.all.add(this);
  }

  get isEnding(): boolean {
    return this.ending !== undefined;
  }

  /** A new random secret, remembered so that it can be removed from anything shown. */
  secret(): string {
    return this.remember(randomBytes(24).toString("base64url"));
  }

  remember(secret: string): string {
    this.secrets.add(secret);
    return secret;
  }

  allSecrets(): string[] {
    return [...this.secrets];
  }

  redact(text: string): string {
    return this.allSecrets().reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
  }

  start(options: StartOptions): Running {
    if (this.ending !== undefined) throw new UserError("The sandbox is being stopped.");
    const log = fs.openSync(options.logFile, "a", 0o600);
    let child: ChildProcess;
    try {
      child = spawn(options.command, options.args, {
        cwd: options.cwd ?? this.directory,
        env: options.env,
        stdio: ["ignore", log, log],
        detached: process.platform !== "win32",
        windowsHide: true,
        ...options.user,
      });
    } finally {
      fs.closeSync(log);
    }
    const running = this.adopt(child, options);
    this.processes.push(running);
    return running;
  }

  /**
   * Runs work that writes into the folder, and that would make it anew once it was removed: `end` aborts the work by its
   * signal and waits for it, and none begins after. Work may not call `end` itself.
   */
  async run<T>(work: (stopping: AbortSignal) => Promise<T>): Promise<T> {
    this.stopping.signal.throwIfAborted();
    const running = work(this.stopping.signal);
    this.work.add(running);
    return running.finally(() => this.work.delete(running));
  }

  /** Stops what runs, last started first, and removes the folder. The second call waits for the first. */
  end(): Promise<void> {
    this.ending ??= this.finish();
    return this.ending;
  }

  private async finish(): Promise<void> {
    this.stopping.abort(new UserError("The sandbox is being stopped."));
    for (const running of [...this.processes].reverse()) await running.stop(running.endSignal, 10_000);
    await Promise.allSettled(this.work);
    fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    await new Promise<void>((resolve) => {
      if (this.watchdog.exitCode !== null || this.watchdog.signalCode !== null) return resolve();
      this.watchdog.ref();
      this.watchdog.once("exit", () => resolve());
      this.watchdog.stdin?.end();
    });
    Lifetime.all.delete(this);
  }

  private adopt(child: ChildProcess, options: StartOptions): Running {
    const pid = child.pid ?? 0;
    let running = pid !== 0;
    if (running) this.tell(`watch ${pid}`);
    const exited = new Promise<number>((resolve) => {
      child.once("error", (error) => {
        running = false;
        fs.appendFileSync(options.logFile, `${error.message}\n`);
        resolve(127);
      });
      child.once("exit", (code) => {
        running = false;
        if (!this.isEnding) this.tell(`forget ${pid}`);
        resolve(code ?? 128);
      });
    });
    const stop = async (signal: NodeJS.Signals, graceMs: number) => {
      if (!running) return;
      const family = new Set([pid, ...descendants([pid])]);
      signalGroup(pid, signal);
      const deadline = Date.now() + graceMs;
      // Descendants in sessions of their own are not in the group; they end with their parent, or are made to.
      while (Date.now() < deadline && (running || [...family].some(isAlive))) {
        for (const found of descendants([...family].filter(isAlive))) family.add(found);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      for (const member of family) if (isAlive(member)) signalGroup(member, "SIGKILL");
      await exited;
    };
    const { logFile, endSignal = "SIGINT" } = options;
    return { pid, logFile, endSignal, exited, isRunning: () => running, stop };
  }

  private tell(line: string): void {
    this.watchdog.stdin?.write(`${line}\n`);
  }
}

function startWatchdog(): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", path.join(__dirname, "watchdog.ts")], {
    cwd: path.resolve(__dirname, ".."),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
    stdio: ["pipe", "ignore", "ignore"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  // If it is gone, then so is the safety net, and nothing else.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
