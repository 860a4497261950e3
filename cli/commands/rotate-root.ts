import { describeError } from "../errors";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { checkIssuing } from "../rotation-checks";
import { open, type Command, type CommonArguments } from "./command";

export const rotateRoot: Command<CommonArguments> = {
  usage: "rotate-root <environment>",
  summary: "changes the engine's own password to one that nobody knows",
  description:
    "Credentials in use go on. Afterwards a credential is issued as an application would, tried in PostgreSQL and " +
    "revoked. Do this once after the first deployment, and whenever the password may be known.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [["rotate-root dev", "and sees that the engine still issues"]],
  declare: (parser) => parser,

  async run(args, shell) {
    const { environment, json } = args;
    const { outputs, vault, context } = await open(args, shell.env);
    const { mount, connection } = outputs.vault;
    const { manager } = outputs.postgres;
    const change = changes(shell, `rotating the password of ${manager}. Running this again is safe.`);
    await change(() => vault.done(`${mount}/rotate-root/${connection}`));
    if (!json) shell.print(`${manager} has a new password, which only the engine knows.`);
    let seen: string | undefined;
    let problem: string | undefined;
    try {
      seen = await checkIssuing(outputs, vault, context.postgresRootCertificateFile);
    } catch (error) {
      problem = describeError(error);
    }
    if (json) shell.print(JSON.stringify({ environment, rotated: true, check: seen, problem }, null, 2));
    else if (problem !== undefined) shell.note(`The check afterwards did not hold: ${problem}`);
    else shell.print(`Checked: ${seen}.`);
    return problem === undefined ? ExitCode.ok : ExitCode.failed;
  },
};
