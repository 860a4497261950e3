import { escapeIdentifier } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { DatabaseUser } from "./database-users";
import type { Finding } from "./finding";
import { holdDetails, holdRemedies } from "./hold-texts";
import type { Inventory } from "./inventory";
import { megabytes } from "./large-settings";
import type { LockHolder } from "./lock-holders";
import { nextAttempt } from "./next-attempt";
import type { PreparedTransaction } from "./prepared-transactions";
import type { Holdings } from "./shut-users";
import { shownLiteral } from "./sql-text";
import { leasesOf, strippedText } from "./stripped-users";
import type { PostgresSurvey, ShutUser } from "./survey";
import { counted, inLine, lasting, listed } from "./text";
import { unmanagedRemedy, unmanagedText } from "./unmanaged-users";

type Counts = Holdings["owned"];

/** What a revocation hands over at most. */
const MOST_OBJECTS = 1_000;

/**
 * Users that may not log in any more and are not gone: what keeps each, and how it is ended. Revocation has failed so far,
 * or nobody tries any more.
 */
export function shutUserFindings(
  environment: string,
  outputs: EnvironmentOutputs,
  inventory: Inventory,
  { shut, prepared }: PostgresSurvey,
  now: number,
): Finding[] {
  return shut.map((found): Finding => {
    const { user, holdings } = found;
    const leases = inventory.postgres === undefined ? [] : leasesOf(inventory.postgres, user);
    const attempt = leases.length === 0 ? undefined : nextAttempt(environment, leases, inventory, now);
    const own = prepared.filter(({ owner }) => owner === user.name);
    const { kind, state } = stateOf(user, now);
    return {
      kind,
      subject: user.name,
      detail: [
        state,
        leases.length === 0
          ? "no lease, so that Vault does not end it"
          : `${leases.length === 1 ? "lease" : "one of the leases"} ${listed(leases)} is kept`,
        ...(user.isManaged ? [] : [unmanagedText(outputs)]),
        ...holdingTexts(user, holdings, own),
        ...obstacleTexts(found, outputs.postgres.database),
        ...holdDetails(holdersOf(found, own)),
      ].join("; "),
      remedy: remedyFor(environment, outputs, found, own, attempt),
    };
  });
}

function stateOf(
  user: DatabaseUser,
  now: number,
): { readonly kind: Finding["kind"]; readonly state: string } {
  switch (user.shut) {
    case "NOLOGIN":
      return { kind: "login-off", state: "may not log in any more, and is not gone" };
    case "stripped":
      return { kind: "stripped-user", state: strippedText };
    case "expired":
    case undefined: {
      const since = lasting((now - user.validUntil) / 1_000);
      return { kind: "expired-user", state: `its time ended ${since} ago, and it is not gone` };
    }
  }
}

/** Whoever may hold something is told where nothing else explains why the revocation has failed. */
function holdersOf(
  { user, holdings: { owned, members, settings = [] }, hold }: ShutUser,
  prepared: readonly PreparedTransaction[],
): readonly LockHolder[] {
  const causes = [user.pids, prepared, owned, members, settings, hold.holders];
  const isExplained = user.shut === "expired" || causes.some((found) => found.length > 0);
  return isExplained ? hold.holders : hold.suspects;
}

function holdingTexts(
  { pids }: DatabaseUser,
  { owned, granted, members, settings = [] }: Holdings,
  prepared: readonly PreparedTransaction[],
): string[] {
  const where = (counts: Counts) =>
    counts.map(({ database, count }) => `${counted(count, "object")} ${place(database)}`).join(", ");
  return [
    ...(pids.length > 0
      ? [`its ${pids.length === 1 ? "session goes" : "sessions go"} on: process ${pids.join(", ")}`]
      : []),
    ...(prepared.length > 0 ? [`it has ${counted(prepared.length, "prepared transaction")}`] : []),
    ...(owned.length > 0 ? [`it owns ${where(owned)}`] : []),
    ...(granted.length > 0 ? [`it has rights of its own on ${where(granted)}`] : []),
    ...(members.length > 0 ? [`${members.join(", ")} may act as it`] : []),
    ...(settings.length > 0
      ? [
          `it has settings of ${megabytes(settings)}, which a revocation cannot delete in the time that it has`,
        ]
      : []),
  ];
}

function obstacleTexts({ obstacles, holdings: { granted } }: ShutUser, database: string): string[] {
  if (obstacles === undefined) {
    return granted.some((counts) => counts.database === database)
      ? [
          "who gave it these is seen from within that database alone: a revocation gets at no right that " +
            "somebody gave it who is not the owner",
        ]
      : [];
  }
  const { given, outOfReach } = obstacles;
  return [
    ...(given.length > 0
      ? [
          `rights among these are not its owner's gift, so that a revocation may not get at them: ${given.join("; ")}`,
        ]
      : []),
    ...(outOfReach.length > 0
      ? [`its base role may make nothing in the schema of ${outOfReach.join(", ")}, and so cannot get that`]
      : []),
  ];
}

function place(database: string): string {
  return database === "" ? "of the whole server" : `in ${database}`;
}

function remedyFor(
  environment: string,
  outputs: EnvironmentOutputs,
  found: ShutUser,
  prepared: readonly PreparedTransaction[],
  attempt: string | undefined,
): string {
  const { user, hold } = found;
  const { postgres } = outputs;
  const { owned, granted, members, settings = [] } = found.holdings;
  const name = escapeIdentifier(user.name);
  const databases = [...new Set([...owned, ...granted].map(({ database }) => database))];
  const elsewhere = databases.filter((database) => database !== "" && database !== postgres.database);
  const steps = [
    ...user.pids.map((pid) => `SELECT pg_catalog.pg_terminate_backend(${pid});`),
    ...members.map((member) => `REVOKE ${name} FROM ${escapeIdentifier(member)};`),
  ];
  const first = [
    ...(user.isManaged ? [] : [unmanagedRemedy(outputs, user.name)]),
    ...(steps.length > 0 ? [`As a superuser: ${steps.join(" ")}`] : []),
    ...holdRemedies(user, hold.sessions, holdersOf(found, prepared)),
    ...prepared.map(rollback),
    ...elsewhere.map(
      (database) =>
        `As a superuser in ${database}, after a look at what it owns there: DROP OWNED BY ${name}; ` +
        `or REASSIGN OWNED BY ${name} TO another role first, which keeps it.`,
    ),
  ];
  const here = [...owned, ...granted].filter(({ database }) => database === postgres.database);
  const objects = here.reduce((sum, { count }) => sum + count, 0);
  // A revocation takes no more, and without a lease nothing hands over what DROP OWNED would drop.
  const handOver = `vault-postgres hand-over ${environment} --user ${user.name} gives that to its base role`;
  if (objects > (attempt === undefined ? 0 : MOST_OBJECTS)) first.push(`${handOver}.`);
  // Few objects may take long as well: tables of many columns or indexes, say.
  else if (here.some((counts) => owned.includes(counts))) {
    first.push(`Where Vault fails with it time after time: ${handOver}, in small batches.`);
  } else if ([...here, ...granted].some(({ database }) => [postgres.database, ""].includes(database))) {
    first.push(
      `Where Vault fails with it time after time: vault-postgres hand-over ${environment} --user ${user.name} takes its rights ` +
        "back, whoever gave them.",
    );
  }
  // Without a lease, nothing has to be through in a second.
  if (settings.length > 0 && attempt !== undefined && objects <= MOST_OBJECTS) {
    first.push(
      `vault-postgres hand-over ${environment} --user ${user.name} resets its settings, in as much time as that takes.`,
    );
  }
  const then = attempt ?? `As a superuser in ${postgres.database}: DROP OWNED BY ${name}; DROP ROLE ${name};`;
  return [...first, then].join("\n    ");
}

/** Prepared transactions keep their locks for ever, and keep their owner from being dropped. */
export function preparedFindings({ prepared }: PostgresSurvey): Finding[] {
  return prepared.map(({ gid, owner, database, ageSeconds }): Finding => ({
    kind: "prepared-transaction",
    subject: inLine(gid),
    detail:
      `of ${owner ?? "a role that is gone"} in ${database}, prepared ${lasting(ageSeconds)} ago; it keeps its locks, ` +
      "and its owner cannot be revoked while it is there",
    remedy: rollback({ gid, owner, database }),
  }));
}

function rollback({ gid, owner, database }: Pick<PreparedTransaction, "gid" | "owner" | "database">): string {
  return (
    `If nobody is to commit it any more, as ${owner === undefined ? "a superuser" : "its owner or a superuser"} in ` +
    `${database}: ROLLBACK PREPARED ${shownLiteral(gid)};`
  );
}
