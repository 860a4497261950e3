import { UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { keep, keptList, type KeptList } from "../footholds/file";
import { difference, isEmpty } from "../footholds/foothold";
import { listFootholds } from "../footholds/look";
import { differenceText, line } from "../footholds/text";
import { hasLogin, LOGIN_REMEDY } from "../operator-login";
import { databaseLogin } from "../database-login";
import { outputsOf } from "../outputs";
import { requirePlace } from "../secret-file";
import { counted, inLine, listed } from "../text";
import type { Command, CommonArguments } from "./command";

interface FootholdsArguments extends CommonArguments {
  readonly save?: string;
  readonly compare?: string;
  readonly force: boolean;
}

export const footholds: Command<FootholdsArguments> = {
  usage: "footholds <environment>",
  summary: "lists what in the database can act for others, and compares it with a list kept",
  description:
    "Whoever had an owner's credential can have left something that goes on without it: functions, triggers, rules, views, " +
    "policies, defaults, operators, casts, types, privileges and default privileges, memberships, settings. This lists all of " +
    "it that there is in the environment's database, and says what was added, changed or removed since a list was kept. See " +
    "docs/security/leaked-owner.md.\n\n" +
    "PGUSER and PGPASSWORD name a login that may connect to that database, such as Terraform's, or the one of " +
    "docs/rights/operator-login.sql. It reads catalogs alone, and needs no Vault. Exit code 1 if there is a difference, 2 if " +
    "something could not be looked at.",
  examples: [
    ["footholds dev --save footholds.json", "after each deployment and migration"],
    ["footholds dev --compare footholds.json", "what has changed since"],
  ],
  declare: (parser) =>
    parser
      .option("save", { type: "string", requiresArg: true, describe: "file to keep the list in" })
      .option("compare", { type: "string", requiresArg: true, describe: "file with a list that was kept" })
      .option("force", {
        type: "boolean",
        default: false,
        describe: "replace the file of --save if it is there",
      }),

  async run(args, shell) {
    const { environment, json, save, compare, force } = args;
    if (!hasLogin(shell.env)) throw new UserError("This needs a login of PostgreSQL.", LOGIN_REMEDY);
    if (save !== undefined) requirePlace(save, force);
    const outputs = await outputsOf(environment, args, shell.env, "deployed");
    const { database } = outputs.postgres;
    const kept = compare === undefined ? undefined : keptList(compare, environment, database);
    const session = await databaseLogin(outputs, shell.env);
    const list = await listFootholds(session.client, outputs).finally(() => session.close());
    const found: KeptList = { environment, database, takenAt: new Date().toISOString(), ...list };
    if (save !== undefined) keep(save, found, force);
    const notLookedAt = [
      ...found.notLookedAt,
      ...(kept?.notLookedAt ?? []).map((sentence) => `When ${compare} was kept: ${sentence}`),
      ...(kept !== undefined && kept.unknownKinds.length > 0
        ? [`Not compared, since ${compare} says that it knows nothing of them: ${listed(kept.unknownKinds)}.`]
        : []),
    ].map(inLine);
    const differences = kept && difference(kept, found);
    if (json) shell.print(JSON.stringify({ ...found, notLookedAt, ...differences }, null, 2));
    else {
      if (differences !== undefined) {
        shell.print(isEmpty(differences) ? sameText(kept!, notLookedAt) : differenceText(differences));
      } else if (save === undefined) found.footholds.forEach((foothold) => shell.print(line(foothold)));
      if (save !== undefined) {
        shell.note(`${counted(found.footholds.length, "entry", "entries")} kept in ${save}.`);
      }
      notLookedAt.forEach((sentence) => shell.note(sentence));
    }
    if (differences !== undefined && !isEmpty(differences)) return ExitCode.failed;
    return notLookedAt.length > 0 ? ExitCode.notTried : ExitCode.ok;
  },
};

function sameText({ takenAt }: KeptList, notLookedAt: readonly string[]): string {
  const restriction = notLookedAt.length > 0 ? " in what could be looked at" : "";
  return `No difference${restriction} since ${takenAt}.`;
}
