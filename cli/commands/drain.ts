import { drain as drainEngine, drainRole } from "../drain";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { leaseIdsByRole } from "../leases";
import { readersOf, requireRole } from "../named";
import { progressOn } from "../progress";
import { confirmed } from "../shell";
import { counted, listed } from "../text";
import { OPERATOR_POLICY, open, type Command, type CommonArguments } from "./command";

interface DrainArguments extends CommonArguments {
  readonly role?: string;
  readonly yes: boolean;
}

export const drain: Command<DrainArguments> = {
  usage: "drain <environment>",
  summary: "stops the engine from issuing, and revokes all that it has issued, or does so for one role",
  description:
    "What a destroy needs first, and the way to stop everything: applications get no credential any more until the next " +
    "cdktf deploy. Sessions end as each role's revocation says. Static logins are left alone.\n\n" +
    "With --role it stops that role alone, which comes before the role is renamed or removed in the code.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [
    ["drain dev --yes", "without asking"],
    ["drain dev --role reader", "before reader is renamed or removed"],
  ],
  declare: (parser) =>
    parser
      .option("role", { type: "string", requiresArg: true, describe: "name of a dynamic role [all]" })
      .option("yes", { alias: "y", type: "boolean", default: false, describe: "do not ask" }),

  async run(args, shell) {
    const { environment, json, role } = args;
    const { outputs, vault } = await open(args, shell.env, OPERATOR_POLICY, "deployed");
    const say = (text: string) => (json ? shell.note(text) : shell.print(text));
    const { mount } = outputs.vault;
    const ids = await leaseIdsByRole(vault, outputs);
    if (role !== undefined) requireRole(outputs, role, [...ids.keys()]);
    const revoked = role === undefined ? [...ids.values()].flat().length : (ids.get(role) ?? []).length;
    const what = role === undefined ? "credentials" : `credentials of ${role}`;
    say(`This stops ${mount} from issuing ${what} and ends ${counted(revoked, "credential")} in use.`);
    const readers = role === undefined ? [] : readersOf(outputs, role);
    if (readers.length > 0) say(`${listed(readers)} will get none of it any more.`);
    if (!(await confirmed(shell, environment, args.yes))) {
      shell.note("Nothing was changed.");
      return ExitCode.declined;
    }
    const change = changes(
      shell,
      `draining ${role ?? mount}. It may issue nothing any more while credentials are left: run this again to go on, or ` +
        `cdktf deploy ${environment} to let it issue again.`,
    );
    const progress = progressOn(shell);
    await (role === undefined
      ? drainEngine(outputs, vault, change, progress)
      : drainRole(outputs, vault, role, change, progress));
    const ofRole = role === undefined ? {} : { role };
    if (json) shell.print(JSON.stringify({ environment, ...ofRole, drained: true, revoked }, null, 2));
    else {
      say(
        role === undefined
          ? `No credential is left, and none is issued any more; cdktf deploy ${environment} lets the engine issue again.`
          : `No credential of ${role} is left, and none is issued any more. Now rename or remove it and deploy; ` +
              `cdktf deploy ${environment} with ${role} still declared lets the engine issue it again.`,
      );
    }
    return ExitCode.ok;
  },
};
