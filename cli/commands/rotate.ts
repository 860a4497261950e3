import { describeError } from "../errors";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { staticRoleNamed } from "../named";
import { checkRotated, readStaticLogin } from "../rotation-checks";
import { open, type Command, type CommonArguments } from "./command";

interface RotateArguments extends CommonArguments {
  readonly "static-role": string;
}

export const rotate: Command<RotateArguments> = {
  usage: "rotate <environment> <static-role>",
  summary: "gives the login of a static role a new password",
  description:
    "Whoever has the old password is refused from then on; open sessions go on. Afterwards the new password is tried in " +
    "PostgreSQL, and so is the old one. Neither is shown: applications read it from Vault.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [["rotate dev legacy", "the static role legacy"]],
  declare: (parser) =>
    parser.positional("static-role", {
      type: "string",
      demandOption: true,
      describe: "name of the static role",
    }),

  async run(args, shell) {
    const { environment, json, "static-role": name } = args;
    const { outputs, vault, context } = await open(args, shell.env);
    const role = staticRoleNamed(outputs, name);
    const read = () => readStaticLogin(outputs, vault, name, role);
    let problem: string | undefined;
    const before = await read().catch((error: unknown) => {
      problem = `the password before it could not be read: ${describeError(error)}`;
      return undefined;
    });
    const change = changes(shell, `rotating the password of ${role.username}. Running this again is safe.`);
    await change(() => vault.done(role.rotate_path));
    if (!json) shell.print(`${role.username} has a new password.`);
    let seen: string | undefined;
    if (before !== undefined) {
      try {
        seen = await checkRotated(outputs, before, await read(), context.postgresRootCertificateFile);
      } catch (error) {
        problem = describeError(error);
      }
    }
    if (json) shell.print(JSON.stringify({ environment, rotated: true, check: seen, problem }, null, 2));
    else if (problem !== undefined) shell.note(`The check afterwards did not hold: ${problem}`);
    else shell.print(`Checked: ${seen}.`);
    return problem === undefined ? ExitCode.ok : ExitCode.failed;
  },
};
