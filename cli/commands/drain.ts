import { drain as drainEngine } from "../drain";
import { ExitCode } from "../exit-code";
import { leaseIdsByRole } from "../leases";
import { confirmed } from "../shell";
import { counted } from "../text";
import { OPERATOR_POLICY, open, type Command, type CommonArguments } from "./command";

interface DrainArguments extends CommonArguments {
  readonly yes: boolean;
}

export const drain: Command<DrainArguments> = {
  usage: "drain <environment>",
  summary: "stops the engine from issuing, and revokes all that it has issued",
  description:
    "What a destroy needs first, and the way to stop everything: applications get no credential any more until the next " +
    "cdktf deploy. Sessions end as each role's revocation says. Static logins are left alone.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [["drain dev --yes", "without asking"]],
  declare: (parser) =>
    parser.option("yes", { alias: "y", type: "boolean", default: false, describe: "do not ask" }),

  async run(args, shell) {
    const { environment, json } = args;
    const { outputs, vault } = await open(args, shell.env, OPERATOR_POLICY, "deployed");
    const say = (text: string) => (json ? shell.note(text) : shell.print(text));
    const { mount } = outputs.vault;
    const revoked = [...(await leaseIdsByRole(vault, outputs)).values()].flat().length;
    say(`This stops ${mount} from issuing credentials and ends ${counted(revoked, "credential")} in use.`);
    if (!(await confirmed(shell, environment, args.yes))) {
      shell.note("Nothing was changed.");
      return ExitCode.declined;
    }
    shell.changing(
      `draining ${mount}. It may issue nothing any more while credentials are left: run this again to go on, or ` +
        `cdktf deploy ${environment} to let it issue again.`,
    );
    await drainEngine(outputs, vault);
    if (json) shell.print(JSON.stringify({ environment, drained: true, revoked }, null, 2));
    else {
      say(
        `No credential is left, and none is issued any more; cdktf deploy ${environment} lets the engine issue again.`,
      );
    }
    return ExitCode.ok;
  },
};
