import { Lifetime } from "./lifetime";
import { descendants, signalGroup } from "./process-tree";

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

let interrupted = false;

/** Whether this process was told to end; then errors of what is being stopped are of no interest. */
export function isInterrupted(): boolean {
  return interrupted;
}

/**
 * On Ctrl-C, SIGTERM and SIGHUP stops and removes all that was started, and then ends with the exit code of the signal.
 * Further signals while that goes on change nothing: a terminal may send several at once.
 */
export function stopOnSignals(say: (line: string) => void): void {
  const stop = (number: number) => {
    if (interrupted) return;
    interrupted = true;
    say("\nStopping and removing everything that was started …");
    endStrays();
    void Lifetime.endAll().finally(() => process.exit(128 + number));
  };
  for (const [signal, number] of Object.entries(SIGNALS)) process.on(signal, () => stop(number));
  // A SIGTERM for npm ends npm and its shell, and does not reach us; what does is that our parent is another one.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) stop(SIGNALS.SIGHUP);
    }, 500).unref();
  }
  // Output goes to a pipe whose reader may end first; that must not keep us from cleaning up.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/** Short-lived helpers, such as a `terraform init`, that no sandbox has been told of. */
function endStrays(): void {
  const known = Lifetime.processes();
  const spared = new Set([...known, ...descendants(known)]);
  for (const pid of descendants([process.pid])) if (!spared.has(pid)) signalGroup(pid, "SIGKILL");
}
