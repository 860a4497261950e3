import { Failure } from "../checks";
import { describeError } from "../errors";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { LoginWatch } from "../login-version";
import { checkIssuing } from "../rotation-checks";
import { open, type Command, type CommonArguments } from "./command";

export const rotateRoot: Command<CommonArguments> = {
  usage: "rotate-root <environment>",
  summary: "changes the engine's own password to one that nobody knows",
  description:
    "Credentials in use go on. With PGUSER and PGPASSWORD, as in docs/rights/operator-login.sql, this sees that PostgreSQL has " +
    "the login anew; without, it says that this was not seen. Afterwards a credential is issued as an application would, tried in PostgreSQL and " +
    "revoked. Do this once after the first deployment, and whenever the password may be known.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [["rotate-root dev", "and sees that the engine still issues"]],
  declare: (parser) => parser,

  async run(args, shell) {
    const { environment, json } = args;
    const { outputs, vault, context } = await open(args, shell);
    const { mount, connection } = outputs.vault;
    const { manager } = outputs.postgres;
    const change = changes(shell, `rotating the password of ${manager}. Running this again is safe.`);
    const watch = await LoginWatch.start(outputs, shell.env);
    let rotated: boolean | undefined;
    let seen: string | undefined;
    let problem: string | undefined;
    try {
      await change(() => vault.done(`${mount}/rotate-root/${connection}`));
      rotated = await watch.isChanged();
    } finally {
      await watch.end();
    }
    if (!json) shell.print(outcome(manager, rotated, watch.blind));
    try {
      if (rotated === false) {
        throw new Failure(
          `PostgreSQL has ${manager} as before, whatever was answered. Is VAULT_ADDR the address of Vault or OpenBao, and of ` +
            "nothing in front of it that answers itself?",
        );
      }
      seen = await checkIssuing(outputs, vault, context.postgresRootCertificateFile);
    } catch (error) {
      problem = describeError(error);
    }
    if (json)
      shell.print(JSON.stringify({ environment, rotated: rotated ?? null, check: seen, problem }, null, 2));
    else if (problem !== undefined) shell.note(`The check afterwards did not hold: ${problem}`);
    else shell.print(`Checked: ${seen}.`);
    return problem === undefined ? ExitCode.ok : ExitCode.failed;
  },
};

/** No more than was seen: the answer alone may be somebody else's. */
function outcome(manager: string, rotated: boolean | undefined, blind: string | undefined): string {
  if (rotated === true) return `${manager} has a new password, which only the engine knows.`;
  if (rotated === false) return `${manager} has no new password.`;
  return `A new password of ${manager} was asked for, and answered as done. That PostgreSQL has it was not seen: ${blind}`;
}
