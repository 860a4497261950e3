import { drain as drainEngine, drainRole } from "../drain";
import { UserError } from "../errors";
import type { EnvironmentOutputs } from "../../stacks/outputs";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { knownNames } from "../inventory";
import { leaseIdsByRole } from "../leases";
import {
  endingRemedy,
  leftAnnouncement,
  leftText,
  LOOKED_AT_AFTERWARDS,
  mayBeOf,
  meant,
  withoutLease,
  namedIn,
  usersWithoutLease,
  type UsersWithoutLease,
} from "../left-users";
import { readersOf, requireRole } from "../named";
import { progressOn } from "../progress";
import { PostgresLook } from "../postgres-look";
import { usersAndLeases } from "../revocation-look";
import { confirmed, type Shell } from "../shell";
import type { VaultClient } from "../vault-client";
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
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl. PGUSER and PGPASSWORD name a login as in " +
    "docs/rights/operator-login.sql, to see whether PostgreSQL has a user that is left; without, that is not looked at.",
  examples: [
    ["drain dev --yes", "without asking"],
    ["drain dev --role reader", "before reader is renamed or removed"],
  ],
  declare: (parser) =>
    parser
      .option("role", { type: "string", requiresArg: true, describe: "name of a dynamic role [all]" })
      .option("yes", { alias: "y", type: "boolean", default: false, describe: "do not ask" }),

  async run(args, shell) {
    const { outputs, vault } = await open(args, shell, OPERATOR_POLICY, "deployed");
    const look = new PostgresLook(outputs, shell.env);
    try {
      return await drainAndLook(args, shell, outputs, vault, look);
    } finally {
      await look.close();
    }
  },
};

async function drainAndLook(
  { environment, json, role, yes }: DrainArguments,
  shell: Shell,
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  look: PostgresLook,
): Promise<number> {
  const say = (text: string) => (json ? shell.note(text) : shell.print(text));
  const { mount } = outputs.vault;
  const ids = await leaseIdsByRole(vault, outputs);
  if (role !== undefined) requireRole(outputs, role, [...ids.keys()]);
  const revoked = role === undefined ? [...ids.values()].flat().length : (ids.get(role) ?? []).length;
  const what = role === undefined ? "credentials" : `credentials of ${role}`;
  const isMeant = role === undefined ? () => true : mayBeOf(outputs, role);
  const found = await look.with((session) => usersAndLeases(outputs, vault, session));
  const { matching } = found.postgres ?? {};
  const before = found.postgres && {
    ...{ known: found.postgres.known, users: found.postgres.users },
    ...{ leases: found.leases ?? [], leaseIds: found.leaseIds },
  };
  say(
    `This stops ${mount} from issuing ${what} and ends ${counted(revoked, "credential")} in use.` +
      leftAnnouncement(
        outputs,
        vault.address,
        matching ? meant(withoutLease(matching), isMeant) : NOBODY,
        [...ids.values()].flat().length > 0,
      ) +
      (before && !matching ? `\n${LOOKED_AT_AFTERWARDS}` : ""),
  );
  const readers = role === undefined ? [] : readersOf(outputs, role);
  if (look.failure !== undefined) say(`${look.failure}\nVault is asked all the same.`);
  if (readers.length > 0)
    say(`${listed(readers)} will get none of it any more, nor will anybody else who reads it.`);
  if (!(await confirmed(shell, environment, yes))) {
    shell.note("Nothing was changed.");
    return ExitCode.declined;
  }
  const change = changes(
    shell,
    `draining ${role ?? mount}. It may issue nothing any more while credentials are left: run this again to go on, or ` +
      `cdktf deploy ${environment} to let it issue again.`,
  );
  const progress = progressOn(shell);
  const ofRole = role === undefined ? {} : { role };
  await (
    role === undefined
      ? drainEngine(outputs, vault, change, progress)
      : drainRole(outputs, vault, role, change, progress)
  ).catch((error: unknown) => {
    throw error instanceof UserError
      ? new UserError(error.message, error.remedy, { ...ofRole, ...error.details })
      : error;
  });
  const left = await look.with(
    async (session) =>
      session &&
      usersWithoutLease(
        outputs,
        vault,
        session.client,
        before ?? { known: await knownNames(outputs, vault), leases: [], users: [] },
        isMeant,
      ),
  );
  const { failure } = look;
  const names = namedIn(left ?? NOBODY).map(({ name }) => name);
  const remedy = names.length > 0 ? endingRemedy(environment, outputs, left ?? NOBODY) : undefined;
  if (json) {
    const postgres = left && { usersLeft: names, ...(remedy !== undefined && { remedy }) };
    const done = {
      environment,
      ...ofRole,
      drained: true,
      revoked,
      ...(postgres && { postgres }),
      ...(failure !== undefined && { notLookedAt: failure }),
    };
    shell.print(JSON.stringify(done, null, 2));
  } else if (remedy !== undefined) {
    say(`${mount} issues no ${what} any more, and has no lease of them.\n${leftText(names, remedy)}`);
  } else {
    say(
      role === undefined
        ? `No credential is left, and none is issued any more; cdktf deploy ${environment} lets the engine issue again.`
        : `No credential of ${role} is left, and none is issued any more. Now rename or remove it and deploy; ` +
            `cdktf deploy ${environment} with ${role} still declared lets the engine issue it again.`,
    );
    if (look.unseen !== undefined) say(look.unseen);
  }
  return names.length > 0 || failure !== undefined ? ExitCode.failed : ExitCode.ok;
}

const NOBODY: UsersWithoutLease = { certain: [], untold: [] };
