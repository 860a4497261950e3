import * as readline from "node:readline/promises";
import { UserError } from "./errors";
import { printable } from "./text";

/** The terminal, or script, that a command was called from. */
export interface Shell {
  readonly env: NodeJS.ProcessEnv;
  /** Writes to standard output: what was asked for. */
  print(text: string): void;
  /** Writes to standard error: what goes on meanwhile. */
  note(text: string): void;
  /** Puts a question and returns the answer. Absent where there is nobody to ask. */
  readonly ask?: (question: string) => Promise<string>;
  /** Says what is being changed from now on, to be told should the command not come to its end; undefined for nothing. */
  changing(what: string | undefined): void;
  /** What was said to be changing; undefined if nothing was. */
  readonly underWay: string | undefined;
  /** Runs a program that sees to Ctrl-C itself. */
  delegate<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Asks whether to go on.
 *
 * @param yes whether the user has said so on the command line
 * @param flag how that is said, for the message
 * @throws UserError where there is nobody to ask
 */
export async function confirmed(
  shell: Shell,
  environment: string,
  yes: boolean,
  flag = "--yes",
): Promise<boolean> {
  if (yes) return true;
  if (shell.ask === undefined) {
    throw new UserError("There is nobody to ask whether to go on.", `Add ${flag} to go on without.`);
  }
  return (await shell.ask(`Type ${environment} to go on: `)) === environment;
}

/**
 * A shell that shows what would act on a terminal instead of letting it act: servers and others have a say in our texts.
 *
 * @param onPrint called before anything goes to standard output
 */
export function escaping(shell: Shell, onPrint: () => void): Shell {
  const { ask } = shell;
  return {
    env: shell.env,
    print: (text) => {
      onPrint();
      shell.print(printable(text));
    },
    note: (text) => shell.note(printable(text)),
    ...(ask !== undefined && { ask: (question: string) => ask.call(shell, printable(question)) }),
    changing: (what) => shell.changing(what),
    get underWay() {
      return shell.underWay;
    },
    delegate: (work) => shell.delegate(work),
  };
}

/** The shell that this process runs in. */
export class Terminal implements Shell {
  readonly env = process.env;
  readonly ask = process.stdin.isTTY ? askUser : undefined;
  private change?: string;
  private delegated = false;

  get underWay(): string | undefined {
    return this.change;
  }

  /** Whether another program sees to Ctrl-C. */
  get isDelegated(): boolean {
    return this.delegated;
  }

  print(text: string): void {
    process.stdout.write(`${printable(text)}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${printable(text)}\n`);
  }

  changing(what: string | undefined): void {
    this.change = what;
  }

  async delegate<T>(work: () => Promise<T>): Promise<T> {
    this.delegated = true;
    try {
      return await work();
    } finally {
      this.delegated = false;
    }
  }
}

/** The question goes to standard error, so that standard output can be a file. An end of input is an empty answer. */
async function askUser(question: string): Promise<string> {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stderr });
  // A terminal in line editing sends no signal.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await Promise.race([
      terminal.question(question),
      new Promise<string>((resolve) => terminal.once("close", () => resolve(""))),
    ]);
  } finally {
    terminal.close();
  }
}
