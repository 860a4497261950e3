import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { takeInventory } from "../inventory";
import { hasLogin, LOGIN_REMEDY, NO_LOGIN, operatorLogin } from "../operator-login";
import { UserError } from "../errors";
import { lookAfterwards, type Aftermath } from "../revocation-check";
import { announcement, carryOut, scopeOf, targetOf, type Ended } from "../revocation-target";
import { confirmed } from "../shell";
import { counted } from "../text";
import { OPERATOR_POLICY, open, type Command, type CommonArguments } from "./command";

interface RevokeArguments extends CommonArguments {
  readonly lease?: string;
  readonly role?: string;
  readonly approle?: string;
  readonly all: boolean;
  readonly "end-sessions": boolean;
  readonly yes: boolean;
}

export const revoke: Command<RevokeArguments> = {
  usage: "revoke <environment>",
  summary: "ends one credential, a role's, an AppRole's whole group, or all",
  description:
    "Says what it will end, asks, and sees afterwards that it is so. With --role and --all, applications that may read the " +
    "role obtain new credentials at once; to keep them out, end their group with --approle, or drain the engine. " +
    "--approle destroys the SecretIDs and revokes the tokens of the AppRole, and with them their credentials; batch " +
    "tokens have no accessor and cannot be revoked.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl. PGUSER and PGPASSWORD name a login as in " +
    "docs/rights/operator-login.sql, for the check in PostgreSQL and for --end-sessions.",
  examples: [
    ["revoke dev --lease orders-dev/database/creds/reader/JbBC…", "one credential"],
    ["revoke dev --role reader", "everybody's credentials of one role"],
    ["revoke dev --approle orders-dev-api", "one application, for good"],
    ["revoke dev --all --end-sessions --yes", "all credentials, and sessions without a role"],
  ],
  declare: (parser) =>
    parser
      .option("lease", { type: "string", requiresArg: true, describe: "id of a lease" })
      .option("role", { type: "string", requiresArg: true, describe: "name of a dynamic role" })
      .option("approle", { type: "string", requiresArg: true, describe: "name of an AppRole" })
      .option("all", { type: "boolean", default: false, describe: "every credential of the engine" })
      .option("end-sessions", {
        type: "boolean",
        default: false,
        describe: "end sessions that outlive their role; with --all, earlier ones too",
      })
      .option("yes", { alias: "y", type: "boolean", default: false, describe: "do not ask" }),

  async run(args, shell) {
    const { environment, json, "end-sessions": end } = args;
    const target = targetOf(args);
    if (end && !hasLogin(shell.env)) {
      throw new UserError("--end-sessions needs a login of PostgreSQL.", LOGIN_REMEDY);
    }
    const { outputs, vault } = await open(args, shell.env, OPERATOR_POLICY, "deployed");
    const session = hasLogin(shell.env) ? await operatorLogin(outputs, shell.env) : undefined;
    try {
      const say = (text: string) => (json ? shell.note(text) : shell.print(text));
      const inventory = await takeInventory(outputs, vault, session);
      const scope = scopeOf(outputs, inventory, target);
      say(announcement(outputs, target, scope));
      if (!(await confirmed(shell, environment, args.yes))) {
        shell.note("Nothing was changed.");
        return ExitCode.declined;
      }
      const revoking = "revoking. Some may be revoked and some not: run this again to end the rest.";
      const ended = await carryOut(outputs, vault, target, changes(shell, revoking));
      // Those that Vault could not revoke are not waited for.
      const kept = ended.failed.map(({ id }) => id);
      const going = { ...scope, certain: scope.certain.filter((id) => !kept.includes(id)) };
      const seen = await lookAfterwards(outputs, vault, session, { inventory, scope: going, target }, end);
      const aftermath = { ...seen, leasesLeft: [...seen.leasesLeft, ...kept] };
      if (json) shell.print(JSON.stringify({ environment, target, ...ended, ...aftermath }, null, 2));
      else shell.print(resultText(ended, aftermath));
      const mayOutlive = scope.roles.some((role) => outputs.roles[role]?.revocation !== "terminate");
      return isDone(aftermath, mayOutlive && !end) ? ExitCode.ok : ExitCode.failed;
    } finally {
      await session?.close();
    }
  },
};

function isDone({ leasesLeft, postgres }: Aftermath, mayOutlive: boolean): boolean {
  if (leasesLeft.length > 0 || (postgres?.usersLeft.length ?? 0) > 0) return false;
  return mayOutlive || (postgres?.sessionsLeft.length ?? 0) === 0;
}

function resultText(
  { tokens, secretIds, failed }: Ended,
  { leasesEnded, leasesLeft, postgres }: Aftermath,
): string {
  const ended = [
    ...(secretIds > 0 ? [counted(secretIds, "SecretID")] : []),
    ...(tokens > 0 ? [counted(tokens, "token")] : []),
    counted(leasesEnded, "credential"),
  ];
  const lines = [`Ended: ${ended.join(", ")}.`];
  if (leasesLeft.length > 0) lines.push(`LEFT, though revoked: ${leasesLeft.join(", ")}`);
  lines.push(...failed.map(({ id, error }) => `Not revoked: ${id}: ${error}`));
  if (failed.length > 0)
    lines.push("vault-postgres status says what keeps them. Once that is solved, run this again.");
  if (postgres === undefined) return [...lines, NO_LOGIN].join("\n");
  lines.push(`Gone from PostgreSQL: ${counted(postgres.usersGone, "user")}.`);
  if (postgres.usersLeft.length > 0) lines.push(`LEFT in PostgreSQL: ${postgres.usersLeft.join(", ")}`);
  if (postgres.sessionsEnded > 0)
    lines.push(`Ended: ${counted(postgres.sessionsEnded, "session")} without a role.`);
  if (postgres.sessionsLeft.length > 0) {
    lines.push(
      `${counted(postgres.sessionsLeft.length, "session")} without a role go on; --end-sessions ends them.`,
    );
  }
  return lines.join("\n");
}
