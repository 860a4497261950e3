import { contextFrom, withoutOpenBaoVariables } from "../context";
import { cdktfDestroy, requireAllGroups, requireDestroyable, requireDroppable } from "../destroy-plan";
import { drain } from "../drain";
import { describeError, UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { progressOn } from "../progress";
import { confirmed } from "../shell";
import { open, type Command, type CommonArguments } from "./command";

const POLICY = "docs/rights/vault-policy.hcl";

interface DestroyArguments extends CommonArguments {
  readonly "auto-approve": boolean;
  readonly "skip-provider-lock": boolean;
}

export const destroy: Command<DestroyArguments> = {
  usage: "destroy <environment>",
  summary: "takes an environment down: drain, then cdktf destroy",
  description:
    "Sees that Terraform would do it, stops the secrets engine from issuing credentials, revokes all that it has issued, " +
    "which ends their sessions, and then runs cdktf destroy.\n\n" +
    "The environment's variables are those of cdktf destroy, VAULT_TOKEN with the rights of " +
    `${POLICY}. ` +
    "BAO_* are not read: Terraform's provider does not read them either.",
  examples: [["destroy dev --auto-approve", "asks nothing"]],
  declare: (parser) =>
    parser
      .option("auto-approve", {
        type: "boolean",
        default: false,
        describe: "ask neither before the credentials are revoked nor before the plan is carried out",
      })
      .option("skip-provider-lock", { type: "boolean", default: false, describe: "handed to cdktf" }),

  async run(args, shell) {
    const { environment, json, output = "cdktf.out" } = args;
    const env = withoutOpenBaoVariables(shell.env);
    const say = (text: string) => (json ? shell.note(text) : shell.print(text));
    contextFrom(env, POLICY);
    const stacks = await requireDestroyable(environment, output, env);
    // The plan has made the folders that the outputs are asked for in.
    const { outputs, vault } = await open(
      args,
      { env, note: (text) => shell.note(text) },
      POLICY,
      "deployed",
    );
    requireAllGroups(stacks, outputs);
    const roles = Object.keys(outputs.roles).join(", ");
    if (!args["auto-approve"]) {
      say(`This ends every credential of ${outputs.vault.mount} (${roles}) and its sessions.`);
    }
    if (!(await confirmed(shell, environment, args["auto-approve"], "--auto-approve"))) {
      say("Nothing was changed.");
      return ExitCode.declined;
    }
    const change = changes(
      shell,
      `draining ${outputs.vault.mount}; nothing is destroyed. Run this again, or cdktf deploy ${environment} to go back.`,
    );
    await drain(outputs, vault, change, progressOn(shell)).catch((error: unknown) => {
      throw new UserError(
        `The credentials could not all be revoked, and nothing was destroyed: ${describeError(error)}`,
        `Once that is solved, run this again; or let the engine issue credentials again: cdktf deploy ${environment}`,
        error instanceof UserError ? { ...error.details, destroyed: false } : { destroyed: false },
      );
    });
    say("No credential is left, and none is issued any more.");
    await requireDroppable(stacks, output, outputs, vault, env);
    shell.changing(`destroying ${environment}: run this again to go on.`);
    const options = [
      // What Terraform was asked about above is what it destroys.
      ...["--skip-synth", "--output", output],
      ...(args["auto-approve"] ? ["--auto-approve"] : []),
      ...(args["skip-provider-lock"] ? ["--skip-provider-lock"] : []),
    ];
    const code = await shell.delegate(() => cdktfDestroy(stacks, options, env, json));
    if (json) shell.print(JSON.stringify({ environment, destroyed: code === 0 }, null, 2));
    return code === 0 ? ExitCode.ok : ExitCode.failed;
  },
};
