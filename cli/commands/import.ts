import * as fs from "node:fs";
import { contextFrom, withoutOpenBaoVariables } from "../context";
import { describeError, UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { requireOurs, type ToImport } from "../import-check";
import { recoveries, type Recovery, type Resources } from "../import-ids";
import { addressesIn, completed, parseState, recorded } from "../import-state";
import type { Shell } from "../shell";
import { synthesized, TerraformError, type SynthesizedStack } from "../terraform";
import { counted, inLine, quoted } from "../text";
import type { Command, CommonArguments } from "./command";

const POLICY = "docs/rights/vault-policy.hcl";
const NOT_THERE = "Cannot import non-existent remote object";

interface ImportArguments extends CommonArguments {
  readonly "dry-run": boolean;
}

/** What became of each resource, by address. */
interface Result {
  readonly imported: string[];
  readonly known: string[];
  readonly absent: string[];
  readonly deployed: string[];
  readonly byHand: string[];
}

export const importResources: Command<ImportArguments> = {
  usage: "import <environment>",
  summary: "takes what stands on the servers into Terraform's state",
  description:
    "For a state that was lost, or that lacks what a deployment was killed over. Imports each resource of the stack that " +
    "can be imported, stands on the servers and is not in the state; changes no server. Grants and default privileges cannot " +
    "be imported: the next deployment makes them again, and writes each dynamic role once more, which changes nothing.\n\n" +
    "First it looks at all of it, and imports nothing where a role, database, mount, connection, role of the engine, " +
    "AppRole, policy, quota or audit device is of another kind than the code says: it may be another's.\n\n" +
    `The environment's variables are those of cdktf deploy, VAULT_TOKEN with the rights of ${POLICY}; any value ` +
    "will do for the variables of first passwords, for none is sent. BAO_* are not read.",
  examples: [
    ["import dev", "afterwards look at cdktf diff dev, and deploy"],
    ["import dev --dry-run", "prints the commands of Terraform, runs none"],
  ],
  declare: (parser) =>
    parser.option("dry-run", { type: "boolean", default: false, describe: "only print what would be done" }),

  async run(args, shell) {
    const { environment, json } = args;
    const env = withoutOpenBaoVariables(shell.env);
    const context = { ...contextFrom(env, POLICY), note: (text: string) => shell.note(text) };
    const stacks = await look(environment, args.output ?? "cdktf.out", env);
    await requireOurs(stacks, env, context);
    if (args["dry-run"]) {
      shell.print(
        json
          ? JSON.stringify({ environment, ...perStack(stacks, ({ todo }) => ({ todo })) }, null, 2)
          : plan(stacks),
      );
      return ExitCode.ok;
    }
    let isBegun = false;
    for (const { stack, resources, todo, result } of stacks) {
      shell.changing(`importing into the state of ${environment}: run this again before you deploy.`);
      try {
        for (const each of todo) await recover(stack, each, result, (line) => shell.note(line));
      } finally {
        // Also where one failed, so that no deployment takes what is imported by then for unfinished.
        const isWritten = await complete(stack, resources, todo, result);
        isBegun ||= isWritten || result.imported.length > 0;
        // Terraform has refused the first, say, and nothing was changed.
        if (!isBegun) shell.changing(undefined);
      }
    }
    shell.changing(undefined);
    report(shell, environment, stacks, json);
    return stacks.every(({ result }) => result.byHand.length === 0) ? ExitCode.ok : ExitCode.failed;
  },
};

/** A stack of the environment, and what is to be done and has been done about it. */
interface StackImport extends ToImport {
  readonly stack: SynthesizedStack;
  readonly result: Result;
}

/** Synthesizes, and reads what is wanted and what the states have. */
async function look(environment: string, output: string, env: NodeJS.ProcessEnv): Promise<StackImport[]> {
  try {
    const stacks = await synthesized(environment, output, env);
    const states = new Map<SynthesizedStack, Set<string>>();
    for (const stack of stacks) {
      states.set(stack, addressesIn(parseState(await stack.terraform(["state", "pull"]))));
    }
    return stacks.map((stack) => {
      const known = states.get(stack)!;
      const { resource: resources = {}, provider: providers = {} } = JSON.parse(
        fs.readFileSync(stack.file, "utf8"),
      ) as { resource?: Resources; provider?: ToImport["providers"] };
      const todo = recoveries(resources)
        .filter(({ address }) => !known.has(address))
        .map((recovery): Recovery => {
          const other = stacks.find((each) => states.get(each)!.has(recovery.address));
          if (other === undefined || recovery.way === "deploy") return recovery;
          // Each stack has one of its own at this address.
          if (recovery.address.startsWith("terraform_data.")) return { ...recovery, way: "deploy" };
          // The next deployment of the other stack would destroy what is now this one's.
          const reason = `it is in the state of ${other.name}: move it, as docs/groups.md says`;
          return { address: recovery.address, way: "by hand", reason };
        });
      const result: Result = { imported: [], known: [...known], absent: [], deployed: [], byHand: [] };
      return { stack, resources, providers, todo, result };
    });
  } catch (error) {
    throw new UserError(`Nothing was imported.\n${describeError(error)}`);
  }
}

async function recover(
  stack: SynthesizedStack,
  recovery: Recovery,
  result: Result,
  note: (line: string) => void,
): Promise<void> {
  const { address, way } = recovery;
  if (way === "deploy") result.deployed.push(address);
  if (way === "by hand") result.byHand.push(address);
  if (way !== "import") return;
  try {
    await stack.terraform(["import", "-input=false", "-no-color", address, recovery.id]);
    result.imported.push(address);
    note(`imported ${address} (${recovery.id})`);
  } catch (error) {
    if (!(error instanceof TerraformError)) throw error;
    if (!error.message.includes(NOT_THERE)) {
      throw new UserError(`${address} could not be imported as ${recovery.id}.\n${error.message}`);
    }
    result.absent.push(address);
    note(`${address} (${recovery.id}) is not there`);
  }
}

/**
 * Writes what no import brings, also of resources of an earlier run, which may have been interrupted.
 *
 * @returns whether there was something to write
 */
async function complete(
  stack: SynthesizedStack,
  resources: Resources,
  todo: readonly Recovery[],
  result: Result,
): Promise<boolean> {
  const pulled = parseState(await stack.terraform(["state", "pull"]));
  const withRecords = recorded(pulled, resources, todo);
  const state = completed(withRecords ?? pulled, resources) ?? withRecords;
  if (state !== undefined) await stack.terraform(["state", "push", "-"], JSON.stringify(state));
  const there = addressesIn(state ?? pulled);
  for (const { address } of todo.filter(({ way }) => way === "record")) {
    (there.has(address) ? result.imported : result.deployed).push(address);
  }
  return state !== undefined;
}

/** What is to be done, as a line of a shell script: a command, or a comment. */
export function describe(recovery: Recovery): string {
  const { address } = recovery;
  switch (recovery.way) {
    case "import":
      return `terraform import ${quoted(address)} ${quoted(recovery.id)}`;
    case "record":
      return inLine(`# ${address}: written into the state as ${recovery.id}`);
    case "deploy":
      return inLine(`# ${address}: cdktf deploy makes it again`);
    case "by hand":
      return inLine(`# ${address}: by hand, ${recovery.reason}`);
  }
}

/** For JSON: as it is where the environment is one stack, else by stack. */
function perStack<T extends object>(
  stacks: readonly StackImport[],
  of: (each: StackImport) => T,
): T | { readonly stacks: Readonly<Record<string, T>> } {
  const [first, ...others] = stacks;
  if (first !== undefined && others.length === 0) return of(first);
  return { stacks: Object.fromEntries(stacks.map((each) => [each.stack.name, of(each)])) };
}

function plan(stacks: readonly StackImport[]): string {
  const lines = stacks.flatMap(({ stack, todo }) => [
    ...(stacks.length > 1 ? [inLine(`# ${stack.name}, in the folder of that stack:`)] : []),
    ...todo.map(describe),
  ]);
  return lines.join("\n");
}

function report(shell: Shell, environment: string, stacks: readonly StackImport[], json: boolean): void {
  if (json) {
    return shell.print(JSON.stringify({ environment, ...perStack(stacks, ({ result }) => result) }, null, 2));
  }
  const results = stacks.map(({ result }) => result);
  const sum = (count: (result: Result) => number) => results.map(count).reduce((a, b) => a + b, 0);
  shell.print(
    `${counted(
      sum(({ imported }) => imported.length),
      "resource",
    )} imported, ` +
      `${sum(({ known }) => known.length)} in the state before, ` +
      `${sum(({ absent, deployed }) => absent.length + deployed.length)} for the next deployment to make.`,
  );
  for (const { todo, result } of stacks) {
    todo
      .filter(({ address }) => result.byHand.includes(address))
      .forEach((each) => shell.print(describe(each)));
  }
  const named = stacks.map(({ stack }) => stack.name);
  const commands = named.map((name) => `cdktf diff ${name}`).join(", ");
  shell.print(`Look at the plan, which must neither destroy nor replace anything: ${commands}`);
}
