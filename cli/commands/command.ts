import type { Argv } from "yargs";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { contextFrom, operatorClient } from "../context";
import { EXIT_CODES } from "../exit-code";
import { outputsOf, type GroupsNeeded } from "../outputs";
import type { ProofContext } from "../context";
import { requireVault } from "../reachable";
import type { Shell } from "../shell";
import type { VaultClient } from "../vault-client";

/** Arguments that every command takes. */
export interface CommonArguments {
  readonly environment: string;
  readonly json: boolean;
  readonly outputs?: string;
  readonly output?: string;
}

/** One command of the program. */
export interface Command<A extends object> {
  /** Its name and what follows the environment, such as `rotate <environment> <static-role>`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What to know before it is used, below the usage line. */
  readonly description: string;
  /** Command lines without the program's name, and what they do. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
  /** Whether it looks at no deployed environment, and so declares all its arguments itself. @default false */
  readonly undeployed?: boolean;
  /** Declares its own arguments. */
  readonly declare: (parser: Argv<CommonArguments>) => Argv<A>;
  /** @returns the exit code */
  readonly run: (args: A, shell: Shell) => Promise<number>;
}

export type Run = (shell: Shell) => Promise<number>;

/** The command that was called, with its arguments. */
export interface Chosen extends Partial<Pick<CommonArguments, "environment" | "json">> {
  readonly run: Run;
}

export interface Registration {
  readonly name: string;
  readonly add: (parser: Argv, choose: (chosen: Chosen) => void) => void;
}

/** Makes a command known to the parser; when it is the one called, `choose` gets what is to be run. */
export function register<A extends object>(command: Command<A>): Registration {
  const add: Registration["add"] = (parser, choose) =>
    parser.command(
      command.usage,
      command.summary,
      (own) => {
        const declared = command.declare(
          command.undeployed === true ? (own as Argv<CommonArguments>) : withCommon(own),
        );
        for (const [line, meaning] of command.examples) declared.example(`$0 ${line}`, meaning);
        return declared.usage(`$0 ${command.usage}\n\n${command.description}`).epilogue(EXIT_CODES);
      },
      (args) => {
        const { environment, json } = args as Partial<CommonArguments>;
        choose({ run: (shell) => command.run(args as unknown as A, shell), environment, json });
      },
    );
  return { name: command.usage.split(" ")[0] ?? "", add };
}

function withCommon(parser: Argv): Argv<CommonArguments> {
  return parser
    .positional("environment", {
      type: "string",
      demandOption: true,
      describe: "name of the environment, which is that of its stack; its groups are meant, too",
    })
    .option("json", { type: "boolean", default: false, describe: "print JSON, for machines" })
    .option("outputs", {
      type: "string",
      requiresArg: true,
      describe: "file with the outputs: cdktf deploy --outputs-file, terraform output -json",
    })
    .option("output", {
      type: "string",
      requiresArg: true,
      describe: "folder that cdktf synthesizes into, where Terraform is asked for the outputs [cdktf.out]",
    });
}

/** A deployed environment and the way to it. */
export interface OpenEnvironment {
  readonly outputs: EnvironmentOutputs;
  readonly context: ProofContext;
  /** With the operator's token. */
  readonly vault: VaultClient;
  /** What time it is by Vault's clock, in milliseconds since 1970: the times that it tells are by that. */
  readonly now: () => number;
}

/** The policy that the commands need, but for those that deploy and destroy. */
export const OPERATOR_POLICY = "docs/rights/operator-policy.hcl";

/**
 * Reads the outputs, and the user's variables, and sees that Vault answers.
 *
 * @param groups whether it is an error that a group of the environment is not deployed
 * @throws UserError if one of them is missing
 */
export async function open(
  args: CommonArguments,
  shell: Pick<Shell, "env" | "note">,
  policy = OPERATOR_POLICY,
  groups: GroupsNeeded = "all",
): Promise<OpenEnvironment> {
  const note = (text: string) => shell.note(text);
  const context = { ...contextFrom(shell.env, policy), note };
  const outputs = await outputsOf(args.environment, args, shell.env, groups);
  const vault = operatorClient(outputs, context);
  const ahead = await requireVault(vault);
  return { outputs, context, vault, now: () => Date.now() + ahead };
}
