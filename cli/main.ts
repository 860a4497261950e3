import * as fs from "node:fs";
import * as path from "node:path";
import yargs from "yargs";
import { access } from "./commands/access";
import { register, type Chosen, type Registration } from "./commands/command";
import { destroy } from "./commands/destroy";
import { drain } from "./commands/drain";
import { footholds } from "./commands/footholds";
import { handOverCommand } from "./commands/hand-over";
import { importResources } from "./commands/import";
import { revoke } from "./commands/revoke";
import { rotate } from "./commands/rotate";
import { rotateRoot } from "./commands/rotate-root";
import { secretId } from "./commands/secret-id";
import { status } from "./commands/status";
import { verify } from "./commands/verify";
import { describeError, UserError } from "./errors";
import { EXIT_CODES, ExitCode } from "./exit-code";
import { escaping, Terminal, type Shell } from "./shell";
import { VaultError } from "./vault-client";

const COMMANDS: readonly Registration[] = [
  register(status),
  register(verify),
  register(secretId),
  register(rotateRoot),
  register(rotate),
  register(revoke),
  register(drain),
  register(destroy),
  register(importResources),
  register(access),
  register(footholds),
  register(handOverCommand),
];

/** The parser's words, and ours. */
const TOO_FEW = "Not enough non-option arguments";
const MISSING = "No environment is named, or not all that has to follow it.";

const EPILOGUE = `Environment: VAULT_TOKEN; VAULT_ADDR and VAULT_NAMESPACE if they are not those of the outputs, and VAULT_CACERT. \
BAO_TOKEN, BAO_ADDR, BAO_NAMESPACE and BAO_CACERT come before them, as with bao. PGUSER, PGPASSWORD and libpq's other \
variables, where PostgreSQL is looked at.

${EXIT_CODES}`;

/**
 * Runs the command that the arguments name.
 *
 * @returns the exit code
 */
export async function main(args: readonly string[], caller: Shell): Promise<number> {
  let hasPrinted = false;
  const shell = escaping(caller, () => (hasPrinted = true));
  let chosen: Chosen | undefined;
  try {
    chosen = await parse(args);
    if (chosen === undefined) return ExitCode.ok;
    const exitCode = await chosen.run(shell);
    if (!hasPrinted) tell(shell, chosen, { exitCode, changed: false });
    return exitCode;
  } catch (error) {
    const text = explain(error, args);
    shell.note(text);
    const isChanged = shell.underWay !== undefined;
    if (isChanged) shell.note(`This was while ${shell.underWay}`);
    const exitCode = isChanged ? ExitCode.failed : ExitCode.notTried;
    const details = error instanceof UserError ? error.details : {};
    if (!hasPrinted) tell(shell, chosen, { exitCode, changed: isChanged, ...details, error: text });
    return exitCode;
  }
}

/** A machine that asked for JSON gets a document in any case: also where a command did not come to the end that has one. */
function tell(shell: Shell, chosen: Chosen | undefined, outcome: Readonly<Record<string, unknown>>): void {
  if (chosen?.json !== true) return;
  shell.print(JSON.stringify({ environment: chosen.environment, ...outcome }, null, 2));
}

/** What the arguments ask for; undefined where that was help, which is printed by then. */
async function parse(args: readonly string[]): Promise<Chosen | undefined> {
  let chosen: Chosen | undefined;
  const parser = yargs([...args])
    .scriptName("vault-postgres")
    .usage("$0 <command> <environment>\n\nLooks after the PostgreSQL credentials of a deployed environment.")
    .parserConfiguration({ "boolean-negation": false, "parse-positional-numbers": false })
    .detectLocale(false)
    .exitProcess(false)
    .strict()
    .demandCommand(1, "No command is named.")
    .check(noRepeatedOption)
    .completion("completion", "prints the completion of this command for bash or zsh", complete)
    .epilogue(EPILOGUE)
    .help()
    .alias("help", "h")
    .version(false)
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .fail((message, error) => {
      if (error instanceof UserError) throw error;
      const problem = message ?? (error as Error | undefined)?.message ?? "The command line is wrong.";
      throw usageError(problem, args);
    });
  for (const { add } of COMMANDS) add(parser, (found) => (chosen = found));
  await parser.parseAsync();
  return chosen;
}

/** The parser would make a list of an option that is given twice. */
function noRepeatedOption(args: Record<string, unknown>): true {
  for (const [name, value] of Object.entries(args)) {
    const isList = name === "_" || name === "environments";
    if (!isList && Array.isArray(value)) throw new UserError(`--${name} is given more than once.`);
  }
  return true;
}

function usageError(problem: string, [command = ""]: readonly string[]): UserError {
  const names = COMMANDS.map(({ name }) => name);
  if (names.includes(command)) {
    const words = problem.startsWith(TOO_FEW) ? MISSING : problem;
    return new UserError(words, `See vault-postgres ${command} --help`);
  }
  if (command === "" || command.startsWith("-")) return new UserError(problem, "See vault-postgres --help");
  return new UserError(`There is no command "${command}".`, `There are ${names.join(", ")} and completion.`);
}

/** After a command, offers the environments that were synthesized here besides the parser's own words. */
function complete(
  _current: string,
  { _: words }: { readonly _?: readonly unknown[] },
  own: (done: (error: Error | null, found: string[] | undefined) => void) => void,
  done: (found: string[]) => void,
): void {
  own((_error, found = []) => done(words?.length === 3 ? [...found, ...synthesizedStacks()] : found));
}

function synthesizedStacks(): string[] {
  const folder = path.resolve("cdktf.out", "stacks");
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

/** For people: what went wrong and what to do, never a stack trace. */
function explain(error: unknown, [command = ""]: readonly string[]): string {
  if (error instanceof VaultError && error.status === 403) {
    const remedy = `Is the token valid, and does it have the rights that vault-postgres ${command} --help names?`;
    return describeError(new UserError(error.message, remedy));
  }
  if (error instanceof VaultError && error.status === 503) {
    return describeError(
      new UserError(error.message, "Is it unsealed, and does its cluster have an active server?"),
    );
  }
  if (error instanceof VaultError && error.status === 404 && error.message.includes("no handler for route")) {
    const remedy =
      "Vault has nothing mounted there. Set VAULT_NAMESPACE or VAULT_ADDR if the environment is in another namespace or on another " +
      "server. Where the mount itself is gone: ALTER ROLE of the manager to the password in TF_VAR_manager_password, cdktf deploy, " +
      "vault-postgres rotate-root.";
    return describeError(new UserError(error.message, remedy));
  }
  return describeError(error);
}

/** Node has no text that is longer, and no buffer. */
const TOO_LARGE: readonly (string | undefined)[] = ["ERR_STRING_TOO_LONG", "ERR_BUFFER_TOO_LARGE"];

/** Says of an error that no command has met that nothing can be told, or what may be half done; returns the exit code. */
function broken(error: NodeJS.ErrnoException, shell: Shell): number {
  const remedy = TOO_LARGE.includes(error.code)
    ? "A server has sent a value that is larger than this program can take. Where it is PostgreSQL, somebody has made a setting that " +
      "large; as any login: SELECT setrole::pg_catalog.regrole, setdatabase, pg_catalog.pg_column_size(setconfig) FROM " +
      "pg_catalog.pg_db_role_setting ORDER BY 3 DESC; " +
      "and as a superuser: ALTER ROLE … RESET ALL;"
    : "That is none of the errors that this command knows. Run it again; if it stays, report it with this message.";
  shell.note(describeError(new UserError(`Broken off by an error: ${error.message}`, remedy)));
  if (shell.underWay === undefined) return ExitCode.notTried;
  shell.note(`This was while ${shell.underWay}`);
  return ExitCode.failed;
}

/** Runs as the program of this process. */
export function start(): void {
  const terminal = new Terminal();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (terminal.isDelegated) return;
      const { underWay } = terminal;
      terminal.note(
        `\nInterrupted${underWay === undefined ? "; nothing was changed." : ` while ${underWay}`}`,
      );
      process.exit(ExitCode.interrupted);
    });
  }
  // What a library throws where nobody waits for it, such as for a message of a server that is longer than a text can be.
  process.on("uncaughtException", (error) => process.exit(broken(error, terminal)));
  // Output goes to a pipe whose reader may end first; that must not keep us from ending what was begun.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  void main(process.argv.slice(2), terminal).then((code) => (process.exitCode = code));
}

if (require.main === module) start();
