import * as fs from "node:fs";
import { contextFrom, withoutOpenBaoVariables } from "../context";
import { UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { recoveries, type Recovery, type Resources } from "../import-ids";
import { addressesIn, completed, parseState, recorded } from "../import-state";
import type { Shell } from "../shell";
import { SynthesizedStack, TerraformError } from "../terraform";
import { counted } from "../text";
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
    "be imported: the next deployment makes them again, which changes nothing.\n\n" +
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
    contextFrom(env, POLICY);
    const stack = new SynthesizedStack(environment, args.output ?? "cdktf.out", env);
    const { resources, recovery, known } = await look(stack);
    const todo = recovery.filter(({ address }) => !known.has(address));
    if (args["dry-run"]) {
      shell.print(json ? JSON.stringify({ environment, todo }, null, 2) : todo.map(describe).join("\n"));
      return ExitCode.ok;
    }
    const result: Result = { imported: [], known: [...known], absent: [], deployed: [], byHand: [] };
    shell.changing(`importing into the state of ${environment}: run this again before you deploy.`);
    try {
      for (const each of todo) await recover(stack, each, result, (line) => shell.note(line));
    } finally {
      // Also where one failed, so that no deployment takes what is imported by then for unfinished.
      await complete(stack, resources, todo, result);
    }
    shell.changing(undefined);
    report(shell, environment, result, todo, json);
    return result.byHand.length === 0 ? ExitCode.ok : ExitCode.failed;
  },
};

/** Synthesizes, and reads what is wanted and what the state has. */
async function look(stack: SynthesizedStack) {
  try {
    await stack.prepare();
    const known = addressesIn(parseState(await stack.terraform(["state", "pull"])));
    const { resource: resources = {} } = JSON.parse(fs.readFileSync(stack.file, "utf8")) as {
      resource?: Resources;
    };
    return { resources, recovery: recoveries(resources), known };
  } catch (error) {
    throw new UserError(`Nothing was imported.\n${(error as Error).message}`);
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

/** Writes what no import brings, also of resources of an earlier run, which may have been interrupted. */
async function complete(
  stack: SynthesizedStack,
  resources: Resources,
  todo: readonly Recovery[],
  result: Result,
): Promise<void> {
  const pulled = parseState(await stack.terraform(["state", "pull"]));
  const withRecords = recorded(pulled, resources, todo);
  const state = completed(withRecords ?? pulled, resources) ?? withRecords;
  if (state !== undefined) await stack.terraform(["state", "push", "-"], JSON.stringify(state));
  const there = addressesIn(state ?? pulled);
  for (const { address } of todo.filter(({ way }) => way === "record")) {
    (there.has(address) ? result.imported : result.deployed).push(address);
  }
}

function describe(recovery: Recovery): string {
  const { address } = recovery;
  switch (recovery.way) {
    case "import":
      return `terraform import '${address}' '${recovery.id}'`;
    case "record":
      return `# ${address}: written into the state as ${recovery.id}`;
    case "deploy":
      return `# ${address}: cdktf deploy makes it again`;
    case "by hand":
      return `# ${address}: by hand, ${recovery.reason}`;
  }
}

function report(shell: Shell, environment: string, result: Result, todo: Recovery[], json: boolean): void {
  if (json) return shell.print(JSON.stringify({ environment, ...result }, null, 2));
  const { imported, known, absent, deployed, byHand } = result;
  shell.print(
    `${counted(imported.length, "resource")} imported, ${known.length} in the state before, ` +
      `${absent.length + deployed.length} for the next deployment to make.`,
  );
  todo.filter(({ address }) => byHand.includes(address)).forEach((each) => shell.print(describe(each)));
  shell.print(`Look at the plan, which must neither destroy nor replace anything: cdktf diff ${environment}`);
}
