import type { EnvironmentOutputs } from "../../stacks/outputs";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { hasLogin, LOGIN_REMEDY } from "../operator-login";
import { PostgresLook } from "../postgres-look";
import { UserError } from "../errors";
import { causeLines, failedRemedy } from "../failed-revocations";
import { progressOn } from "../progress";
import { leftAnnouncement, leftText, LOOKED_AT_AFTERWARDS, meant, withoutLease } from "../left-users";
import { goOnText } from "../going-on";
import { lookBefore, type RevocationLook } from "../revocation-look";
import { isMeant, lookAfterwards, type Aftermath } from "../revocation-check";
import {
  announcement,
  carryOut,
  scopeOf,
  targetOf,
  type CarriedOut,
  type Scope,
  type Target,
} from "../revocation-target";
import { revokeEach, type FailedRevocation } from "../revoke-leases";
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
    "--approle destroys the SecretIDs and revokes the tokens of the AppRole, and with them their credentials. What of its " +
    "roles does not end with the tokens goes on and is named: it is somebody else's, or a batch token's, which has no " +
    "accessor and cannot be revoked. A credential that cannot be revoked keeps no other: all that can be ended " +
    "is, and each that is left is named with its cause. Vault tries it again by itself then, and renews it no more.\n\n" +
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
    const { outputs, vault } = await open(args, shell, OPERATOR_POLICY, "deployed");
    const look = new PostgresLook(outputs, shell.env);
    try {
      const say = (text: string) => (json ? shell.note(text) : shell.print(text));
      const before = await look.with((session) => lookBefore(outputs, vault, session, target));
      const scope = scopeOf(outputs, before, target);
      say(
        announcement(outputs, target, scope) + leftBefore(outputs, vault.address, { before, target, scope }),
      );
      if (look.failure !== undefined) say(`${look.failure}\nVault is asked all the same.`);
      if (!(await confirmed(shell, environment, args.yes))) {
        shell.note("Nothing was changed.");
        return ExitCode.declined;
      }
      const revoking = "revoking. Some may be revoked and some not: run this again to end the rest.";
      const change = changes(shell, revoking);
      const progress = progressOn(shell);
      const carried = await carryOut(outputs, vault, target, change, progress, before.group);
      const lookAgain = (known: readonly FailedRevocation[]) =>
        look.with((session) =>
          lookAfterwards(
            ...([outputs, vault, session, { environment, look: before, scope, target }, end] as const),
            new Set(known.map(({ lease }) => lease)),
          ),
        );
      let aftermath = await lookAgain(carried.failed);
      const left = new Set(aftermath.leasesLeft);
      let failed = carried.failed.filter(({ lease }) => left.has(lease));
      failed.forEach(({ lease }) => left.delete(lease));
      const unexplained = [...left];
      // Vault says why only to whoever asks for the lease itself.
      if (unexplained.length > 0) {
        failed = [...failed, ...(await revokeEach(vault, unexplained, change, progress))];
        aftermath = await lookAgain(failed);
      }
      const ended = { ...carried, failed };
      const { failure } = look;
      if (json) {
        const notLookedAt = failure !== undefined ? { notLookedAt: failure } : {};
        shell.print(JSON.stringify({ environment, target, ...ended, ...aftermath, ...notLookedAt }, null, 2));
      } else {
        const goOn = goOnText(environment, target, scope, aftermath.goOn);
        shell.print(resultText(ended, aftermath, look.unseen) + (goOn === "" ? "" : `\n${goOn}`));
      }
      const mayOutlive = scope.roles.some((role) => outputs.roles[role]?.revocation !== "terminate");
      const mayBeIts = scope.hasBatchTokens && aftermath.goOn.length > 0;
      const isAll = isDone(aftermath, mayOutlive && !end) && !mayBeIts && failure === undefined;
      return isAll ? ExitCode.ok : ExitCode.failed;
    } finally {
      await look.close();
    }
  },
};

function leftBefore(
  outputs: EnvironmentOutputs,
  address: string,
  about: { readonly before: RevocationLook; readonly target: Target; readonly scope: Scope },
): string {
  const { postgres, leaseIds } = about.before;
  if (postgres === undefined || about.target.kind === "lease") return "";
  if (postgres.matching === undefined) return `\n${LOOKED_AT_AFTERWARDS}`;
  const users = meant(withoutLease(postgres.matching), isMeant(outputs, about.target, about.scope));
  return leftAnnouncement(outputs, address, users, leaseIds.length > 0);
}

function isDone({ leasesLeft, postgres }: Aftermath, mayOutlive: boolean): boolean {
  if (leasesLeft.length > 0 || (postgres?.usersLeft.length ?? 0) > 0) return false;
  return mayOutlive || (postgres?.sessionsLeft.length ?? 0) === 0;
}

function resultText(
  { tokens, secretIds, failed }: CarriedOut,
  { leasesEnded, leasesLeft, postgres }: Aftermath,
  unseen: string | undefined,
): string {
  const ended = [
    ...(secretIds > 0 ? [counted(secretIds, "SecretID")] : []),
    ...(tokens > 0 ? [counted(tokens, "token")] : []),
    counted(leasesEnded, "credential"),
  ];
  const lines = [`Ended: ${ended.join(", ")}.`];
  if (leasesLeft.length > 0) {
    lines.push(`LEFT: ${counted(leasesLeft.length, "credential")}.`, ...causeLines(failed));
    lines.push(failedRemedy(failed));
  }
  if (postgres === undefined) return [...lines, ...(unseen === undefined ? [] : [unseen])].join("\n");
  lines.push(`Gone from PostgreSQL: ${counted(postgres.usersGone, "user")}.`);
  if (postgres.remedy !== undefined) lines.push(leftText(postgres.usersLeft, postgres.remedy));
  if (postgres.sessionsEnded > 0)
    lines.push(`Ended: ${counted(postgres.sessionsEnded, "session")} without a role.`);
  if (postgres.sessionsLeft.length > 0) {
    lines.push(
      `${counted(postgres.sessionsLeft.length, "session")} without a role go on; --end-sessions ends them.`,
    );
  }
  return lines.join("\n");
}
