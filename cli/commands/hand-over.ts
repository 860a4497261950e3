import type { Client } from "pg";
import { databaseLogin } from "../database-login";
import { describeError, UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { endedUsers, type EndedUser } from "../hand-over/ended-users";
import { handOver, type HandedOver } from "../hand-over/hand-over";
import { isThere, leaseFinder } from "../hand-over/lease-of";
import { namePrefix } from "../inventory";
import { hasLogin } from "../operator-login";
import { megabytes } from "../large-settings";
import { revokeLease } from "../revoke-leases";
import { confirmed, type Shell } from "../shell";
import { counted, inLine } from "../text";
import type { VaultClient } from "../vault-client";
import { open, OPERATOR_POLICY, type Command, type CommonArguments } from "./command";

interface HandOverArguments extends CommonArguments {
  readonly user?: string;
  readonly batch: number;
  readonly yes: boolean;
}

/** What came of a user, and of its lease. */
interface Result extends HandedOver {
  readonly user: string;
  readonly baseRole: string;
  /** Absent where it was not tried, or where it cannot be told which lease is the user's. */
  readonly lease?: { readonly id: string; readonly error?: string };
  /** That Vault has no lease of it, and so does not end it. */
  readonly hasNoLease?: true;
}

const LOGIN =
  "Set PGUSER and PGPASSWORD to the login that deploys (docs/rights/postgres-login.sql), or to an administrator's.";
const PROGRESS_MS = 1_000;

export const handOverCommand: Command<HandOverArguments> = {
  usage: "hand-over <environment>",
  summary: "hands over what revoked users own, where it is too much for a revocation",
  description:
    "A revocation hands over no more than a bounded number of objects, so that one user holds up no other: it ends the " +
    "login and its sessions, and fails; the lease stays. For users of the engine that may not log in any more and have no " +
    "session, this gives what they own in the environment's database to their base role and takes their privileges away, " +
    "in batches, resets its settings where they are so large that a revocation could not delete them in time, and then asks " +
    "Vault to revoke the lease again. No data is dropped. It may be interrupted at any time, and " +
    "goes on from there when it is run again.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl. PGUSER and PGPASSWORD name the login that deploys, as " +
    "in docs/rights/postgres-login.sql, which may act as the engine's login; or an administrator.",
  examples: [
    ["hand-over dev", "for every user that is waiting for it"],
    ["hand-over dev --user v-approle-reader-… --yes", "for one, without a question"],
  ],
  declare: (parser) =>
    parser
      .option("user", {
        type: "string",
        requiresArg: true,
        describe: "name of one user, as the message says it",
      })
      .option("batch", {
        type: "number",
        requiresArg: true,
        default: 1_000,
        describe: "how many objects go into one transaction, at most",
      })
      .option("yes", { type: "boolean", default: false, describe: "ask nothing" }),

  async run(args, shell) {
    const { environment, json, batch } = args;
    if (!Number.isInteger(batch) || batch < 1 || batch > 10_000) {
      throw new UserError(`--batch is ${batch}.`, "Give a whole number from 1 to 10000.");
    }
    const { outputs, vault } = await open(args, shell, OPERATOR_POLICY, "deployed");
    if (!hasLogin(shell.env)) throw new UserError("This needs a login of PostgreSQL.", LOGIN);
    const say = (text: string) => {
      const shown = inLine(text);
      return json ? shell.note(shown) : shell.print(shown);
    };
    const session = await databaseLogin(outputs, shell.env);
    try {
      const { client } = session;
      const users = chosen(await endedUsers(client, outputs, await namePrefix(outputs, vault)), args.user);
      const ready = users.filter(({ sessions }) => sessions === 0);
      const busy = users.filter(({ sessions }) => sessions > 0);
      for (const { name, sessions } of busy) {
        say(`${name} has ${counted(sessions, "session")}: end them first, by revoking its lease again.`);
      }
      if (ready.length === 0) {
        if (json) shell.print(JSON.stringify({ environment, users: [] }, null, 2));
        else say("No user of the engine is waiting for it.");
        return busy.length > 0 ? ExitCode.failed : ExitCode.ok;
      }
      for (const { name, baseRole, dependencies, elsewhere, settings } of ready) {
        if (elsewhere > 0)
          say(`${name} has ${elsewhere} in other databases, which are left: DROP OWNED BY there.`);
        say(
          `${name}: ${counted(dependencies, "object or privilege", "objects and privileges")}, to ${baseRole}.`,
        );
        if (settings.length > 0) say(`${name}: settings of ${megabytes(settings)}, which are reset.`);
      }
      if (!(await confirmed(shell, environment, args.yes))) {
        shell.note("Nothing was changed.");
        return ExitCode.declined;
      }
      shell.changing("handing over. What is handed over stays so: run this again to go on.");
      const results: Result[] = [];
      const leaseOf = leaseFinder(outputs, vault, client);
      let isBegun = false;
      for (const user of ready) {
        const onProgress = progress(shell, user);
        const result = await handOver(client, user, {
          manager: outputs.postgres.manager,
          batch,
          onProgress: (done, of) => {
            isBegun = true;
            onProgress(done, of);
          },
        }).catch((error: unknown) => {
          // The login may not: of its first transaction nothing is left.
          if (error instanceof UserError && !isBegun) shell.changing(undefined);
          throw error;
        });
        isBegun = true;
        // What is locked would hold up the engine's connection, and all who ask it for credentials.
        const isRefused = result.refused.length > 0;
        const lease = isRefused ? "untold" : await leaseOf(user);
        results.push({
          ...{ user: user.name, baseRole: user.baseRole, ...result },
          ...(lease === "none" && { hasNoLease: true as const }),
          ...(typeof lease === "object" && { lease: await ended(vault, client, user, lease.id) }),
        });
        resultLines(environment, results.at(-1)!).forEach(say);
      }
      if (json) shell.print(JSON.stringify({ environment, users: results }, null, 2));
      const isDone = results.every(({ lease }) => lease !== undefined && lease.error === undefined);
      return isDone && busy.length === 0 ? ExitCode.ok : ExitCode.failed;
    } finally {
      await session.close();
    }
  },
};

/** What came of a lease that is revoked, and whether its user went with it. */
async function ended(
  vault: VaultClient,
  client: Client,
  user: EndedUser,
  id: string,
): Promise<NonNullable<Result["lease"]>> {
  const failed = await revoked(vault, id);
  const isLeft = failed === undefined && (await isThere(client, user));
  const error = isLeft ? `Vault has revoked it, and ${user.name} is there still` : failed;
  return { id, ...(error !== undefined && { error }) };
}

/** Why Vault could not revoke a lease; undefined if it has. */
async function revoked(vault: VaultClient, id: string): Promise<string | undefined> {
  try {
    const failed = await revokeLease(vault, id);
    return failed && `${failed.cause}${failed.queued ? "; Vault tries again by itself" : ""}`;
  } catch (error) {
    return describeError(error);
  }
}

/** @throws UserError if the named one is not waiting for it */
function chosen(users: readonly EndedUser[], name: string | undefined): readonly EndedUser[] {
  const found = users.filter((user) => name === undefined || user.name === name);
  if (name !== undefined && found.length === 0) {
    throw new UserError(
      `"${name}" is no user of the environment's engine that may not log in any more.`,
      "A revocation that could not come to its end leaves such a user: revoke its lease first. vault-postgres status names it.",
    );
  }
  return found;
}

function progress(shell: Shell, { name }: EndedUser): (done: number, of: number) => void {
  let last = 0;
  return (done, of) => {
    if (Date.now() - last < PROGRESS_MS) return;
    last = Date.now();
    shell.note(inLine(`  ${name}: ${done} of ${of}`));
  };
}

function resultLines(
  environment: string,
  { user, before, left, refused, lease, hasNoLease, baseRole }: Result,
): string[] {
  const lines = [
    `${user}: ${before - left} of ${before} handed over to ${baseRole}, or taken away; ${left} left.`,
  ];
  lines.push(...refused.map((reason) => `  refused: ${reason}`));
  if (refused.length > 0) lines.push("  Its lease is left as it is: run this again, once that is solved.");
  else if (hasNoLease) {
    lines.push(
      `  Vault has no lease of it, and does not end it: vault-postgres status ${environment} says how it is dropped.`,
    );
  } else if (lease === undefined) {
    lines.push(
      `  Which lease is its cannot be told: revoke those of its role, vault-postgres revoke ${environment} --role …`,
    );
  } else if (lease.error === undefined) lines.push(`  Its lease ${lease.id} is revoked.`);
  else lines.push(`  Its lease ${lease.id} has not ended it: ${lease.error}`);
  return lines;
}
