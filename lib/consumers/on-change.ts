import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { knownAtSynthesis, listedOneByOne } from "../known-at-synthesis";
import { absolutePath, plainText } from "./plain-text";

/** Options of an {@link OnChange}. */
export interface OnChangeOptions {
  /** How long it may take before the agent ends it: 1 second or more. @default Duration.seconds(30) */
  readonly timeout?: Duration;
}

/** Signals that an application may take for "read your file again". */
export type ReloadSignal = "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGUSR1" | "SIGUSR2";

const SIGNALS: readonly ReloadSignal[] = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"];

/** What an agent does after it has written a file. */
export class OnChange {
  /**
   * Runs a program. Should it fail, that is in the agent's log and nothing else happens: the agents would take it for a
   * failure of the template, and read new credentials every second until it succeeds.
   *
   * @param command program by its absolute path, and its arguments, neither of which a shell looks at:
   *   `["/usr/bin/systemctl", "reload", "orders"]`
   */
  static command(command: readonly string[], options: OnChangeOptions = {}): OnChange {
    const [program = "", ...args] = listedOneByOne("arguments of the program to run on a change", command);
    absolutePath("program to run on a change", program);
    args.forEach((argument) => plainText("argument of the program to run on a change", argument));
    return new OnChange(`"$@" || echo "exit code $? of $1" >&2`, command, options.timeout);
  }

  /**
   * Sends a signal to the process whose id is in a file. Does nothing if there is no such process: it will read the new
   * file when it starts.
   *
   * @param pidFile absolute path of a file that holds nothing but a process id
   */
  static signal(signal: ReloadSignal, pidFile: string, options: OnChangeOptions = {}): OnChange {
    const script = `kill -s ${checkSignal(signal).slice(3)} "$(cat "$1")" 2>/dev/null || :`;
    return new OnChange(script, [absolutePath("process id file", pidFile)], options.timeout);
  }

  /** Program and arguments, for the agent. */
  readonly command: readonly string[];

  private constructor(
    script: string,
    args: readonly string[],
    /** How long it may take before the agent ends it. */
    readonly timeout = Duration.seconds(30),
  ) {
    if (timeout.toSeconds() === 0) {
      throw new ConfigurationError(
        "The command to run on a change has a timeout of 0.",
        "Give a time of 1 second or more.",
      );
    }
    this.command = ["/bin/sh", "-c", script, "on-change", ...args];
  }
}

/** @throws ConfigurationError for any other text */
export function checkSignal(signal: ReloadSignal): ReloadSignal {
  knownAtSynthesis("signal", signal);
  if (!SIGNALS.includes(signal)) {
    throw new ConfigurationError(
      `The signal ${show(signal)} is not usable.`,
      `Use one of ${SIGNALS.join(", ")}.`,
    );
  }
  return signal;
}
