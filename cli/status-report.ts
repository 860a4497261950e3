import type { EnvironmentOutputs } from "../stacks/outputs";
import { endlessUserFindings } from "./endless-users";
import { engineFindings } from "./engine-findings";
import type { Finding } from "./finding";
import type { Inventory } from "./inventory";
import type { Lease } from "./leases";
import { endingRemedy } from "./left-users";
import type { Together } from "./matching";
import { servedBy } from "./serves";
import { statusLimits } from "./status-limits";
import type { Survey } from "./survey";
import { allReadersOf } from "./undeclared-approles";
import { unmanagedUserFindings } from "./unmanaged-users";
import { preparedFindings, shutUserFindings } from "./user-findings";

export type { Finding } from "./finding";

/** What `status` says: the inventory, counted and judged. It is printed as it is with `--json`. */
export interface StatusReport {
  readonly environment: string;
  readonly vault: { readonly address: string; readonly mount: string };
  readonly connections: readonly { readonly name: string; readonly allowedRoles: readonly string[] }[];
  readonly roles: readonly RoleStatus[];
  readonly staticRoles: readonly StaticRoleStatus[];
  readonly approles: readonly AppRoleStatus[];
  /** Each lease, oldest first. */
  readonly leases: readonly LeaseStatus[];
  /** Absent where PostgreSQL was not looked at. */
  readonly postgres?: PostgresStatus;
  /** What is not as it should be. */
  readonly findings: readonly Finding[];
  /** What was not looked at, and why. */
  readonly notLookedAt: readonly string[];
  /** What is never looked at, and what does. */
  readonly limits: readonly string[];
}

export interface RoleStatus {
  /** Also that of a role that another stack has on the engine, while it has leases. */
  readonly name: string;
  readonly leases: number;
  /** Age of the oldest lease. */
  readonly oldestSeconds?: number;
  /** Until the first lease ends, unless it is renewed. */
  readonly nextEndSeconds?: number;
  /** AppRoles that are known to read it: declared, or with tokens that have its policy. */
  readonly readers: readonly string[];
}

export interface StaticRoleStatus {
  readonly name: string;
  readonly username: string;
  /** Since the last new password. */
  readonly rotatedSecondsAgo: number;
  readonly rotationPeriodSeconds: number;
  readonly readers: readonly string[];
}

export interface AppRoleStatus {
  readonly name: string;
  readonly secretIds: number;
  readonly tokens: number;
  readonly oldestTokenSeconds?: number;
  /** Leases of roles that no other AppRole is known to read; whose they are, Vault does not tell. */
  readonly leases: number;
  /** Leases of roles that others may read as well; whose they are cannot be told. */
  readonly sharedLeases: Readonly<Record<string, number>>;
}

export interface LeaseStatus {
  readonly id: string;
  readonly role: string;
  readonly ageSeconds: number;
  readonly endsInSeconds: number;
  /** Its user in PostgreSQL, where that can be told. */
  readonly user?: string;
}

export interface PostgresStatus {
  readonly users: number;
  readonly sessions: number;
  /** Users and leases that were made at the same moment: who is whose cannot be told. */
  readonly together: readonly { readonly users: readonly string[]; readonly leases: readonly string[] }[];
}

/** @param now milliseconds since 1970, by the clock that the ages are taken from */
export function reportStatus(
  environment: string,
  address: string,
  outputs: EnvironmentOutputs,
  inventory: Inventory,
  found: Survey,
  now: number,
): Omit<StatusReport, "notLookedAt"> {
  const { postgres, leases } = inventory;
  const since = (then: number) => Math.round((now - then) / 1_000);
  const readers = (role: string) => allReadersOf(outputs, inventory.tokens, role);
  const ofRole = (role: string) => leases.filter((lease) => lease.role === role);
  return {
    environment,
    vault: { address, mount: outputs.vault.mount },
    connections: inventory.connections.map(({ name, allowedRoles }) => ({ name, allowedRoles })),
    roles: [...new Set([...Object.keys(outputs.roles), ...leases.map(({ role }) => role)])].map((name) => ({
      name,
      leases: ofRole(name).length,
      ...extremes(ofRole(name), since),
      readers: readers(name),
    })),
    staticRoles: Object.entries(outputs.static_roles ?? {}).map(([name, role]) => ({
      name,
      username: role.username,
      rotatedSecondsAgo: since(inventory.staticRoles.get(name)?.rotatedAt ?? now),
      rotationPeriodSeconds: role.rotation_period,
      readers: readers(name),
    })),
    approles: Object.keys(outputs.approles).map((name) => appRoleStatus(name, outputs, inventory, since)),
    leases: [...leases]
      .sort((a, b) => a.issuedAt - b.issuedAt)
      .map((lease) => {
        const user = postgres?.userOfLease.get(lease.id)?.name;
        return {
          ...{ id: lease.id, role: lease.role },
          ...{ ageSeconds: since(lease.issuedAt), endsInSeconds: -since(lease.expiresAt) },
          ...(user !== undefined && { user }),
        };
      }),
    ...(postgres && {
      postgres: {
        users: postgres.users.length,
        sessions: postgres.users.reduce((sum, { sessions }) => sum + sessions, 0),
        together: postgres.together.map((found) => ({
          users: found.users.map(({ name }) => name),
          leases: found.leases.map(({ id }) => id),
        })),
      },
    }),
    findings: [
      ...findings(environment, outputs, inventory, found, since),
      ...(postgres && found.postgres
        ? [
            ...shutUserFindings(environment, outputs, inventory, found.postgres, now),
            ...preparedFindings(found.postgres),
            ...unmanagedUserFindings(environment, outputs, postgres),
          ]
        : []),
      ...engineFindings(environment, outputs, inventory, found, now),
    ],
    limits: statusLimits(environment, Object.keys(outputs.static_roles ?? {})),
  };
}

type Since = (then: number) => number;

function extremes(leases: readonly Lease[], since: Since): Partial<RoleStatus> {
  if (leases.length === 0) return {};
  return {
    oldestSeconds: since(Math.min(...leases.map(({ issuedAt }) => issuedAt))),
    nextEndSeconds: -since(Math.min(...leases.map(({ expiresAt }) => expiresAt))),
  };
}

function appRoleStatus(
  name: string,
  outputs: EnvironmentOutputs,
  { leases, tokens, secretIds }: Inventory,
  since: Since,
): AppRoleStatus {
  const own = tokens.filter(({ approle }) => approle === name);
  const dynamic = (outputs.approles[name]?.roles ?? []).filter((role) => outputs.roles[role] !== undefined);
  const count = (role: string) => leases.filter((lease) => lease.role === role).length;
  const isShared = (role: string) => allReadersOf(outputs, tokens, role).length > 1;
  return {
    name,
    secretIds: secretIds.get(name) ?? 0,
    tokens: own.length,
    ...(own.length > 0 && { oldestTokenSeconds: since(Math.min(...own.map(({ createdAt }) => createdAt))) }),
    leases: dynamic.filter((role) => !isShared(role)).reduce((sum, role) => sum + count(role), 0),
    sharedLeases: Object.fromEntries(dynamic.filter(isShared).map((role) => [role, count(role)])),
  };
}

/** Longer than a revocation takes that does not fail. */
const OVERDUE_SECONDS = 30;

function findings(
  environment: string,
  outputs: EnvironmentOutputs,
  inventory: Inventory,
  { postgres: surveyed }: Survey,
  since: Since,
): Finding[] {
  const { postgres, irrevocable, leases } = inventory;
  const shut = new Set((surveyed?.shut ?? []).map(({ user }) => user.oid));
  const overdue = leases.filter(({ id, expiresAt }) => {
    const user = postgres?.userOfLease.get(id);
    // What keeps its user is told with the user.
    return since(expiresAt) > OVERDUE_SECONDS && !(user && shut.has(user.oid));
  });
  return [
    ...drained(outputs, inventory),
    ...overdue.map(({ id, expiresAt }): Finding => ({
      kind: "overdue-lease",
      subject: id,
      detail: `its time ended ${since(expiresAt)} s ago, and it is not revoked`,
      remedy:
        "Vault tries again by itself; why it fails is in Vault's log, and told by vault-postgres revoke --lease.",
    })),
    ...irrevocable.map(({ id, error }): Finding => ({
      kind: "irrevocable-lease",
      subject: id,
      detail: error || "no reason given",
      remedy: `Vault tries no more: mend the cause; then vault-postgres revoke ${environment} --lease ${id}`,
    })),
    ...(postgres?.usersWithoutLease ?? [])
      .filter(({ oid }) => !shut.has(oid))
      .map((user): Finding => ({
        kind: "user-without-lease",
        subject: user.name,
        detail: `member of ${user.baseRoles.join(", ") || "no role any more"}, ${user.sessions} sessions`,
        remedy: `After a look at who made it. ${endingRemedy(environment, outputs, { certain: [user], untold: [] })}`,
      })),
    ...endlessUserFindings(postgres?.users ?? []),
    ...(postgres?.together ?? []).flatMap((group) => tooMany(environment, outputs, group)),
    ...(postgres?.leasesWithoutUser ?? []).map(({ id, issuedAt }): Finding => ({
      kind: "lease-without-user",
      subject: id,
      detail: `issued ${since(issuedAt)} s ago`,
    })),
    ...(postgres?.outlivedSessions ?? []).map(({ pid, state, startedAt }): Finding => ({
      kind: "session-without-role",
      subject: String(pid),
      detail:
        startedAt === undefined
          ? "state and age are shown to members of pg_read_all_stats"
          : `${state ?? "state unknown"}, connected ${since(startedAt)} s ago`,
    })),
  ];
}

/** That the connection issues nothing, or nothing of a role. */
function drained(outputs: EnvironmentOutputs, { connections }: Inventory): Finding[] {
  const connection = connections.find(({ name }) => name === outputs.vault.connection);
  if (connection === undefined) {
    const detail = "the engine does not have this connection: it issues and revokes nothing on it";
    const remedy =
      `ALTER ROLE ${outputs.postgres.manager} PASSWORD … to TF_VAR_manager_password, for after a rotation nobody knows its ` +
      "password; then cdktf deploy, and rotate-root";
    return [{ kind: "missing-connection", subject: outputs.vault.connection, detail, remedy }];
  }
  const { name, allowedRoles } = connection;
  if (allowedRoles.length === 0) {
    return [
      { kind: "drained", subject: name, detail: "it issues no credential until the next cdktf deploy" },
    ];
  }
  const declared = [...Object.keys(outputs.roles), ...Object.keys(outputs.static_roles ?? {})];
  return declared
    .filter((role) => servedBy(allowedRoles, role) === undefined)
    .map((role) => ({
      kind: "drained",
      subject: role,
      detail: `${name} issues no credential of it until the next cdktf deploy`,
    }));
}

/** Of users and leases that were made at the same moment, one side may have more. */
function tooMany(environment: string, outputs: EnvironmentOutputs, { users, leases }: Together): Finding[] {
  const surplus = users.length - leases.length;
  const ofOthers = leases.some(({ role }) => outputs.roles[role] === undefined);
  if (surplus === 0 || (surplus < 0 && ofOthers)) return [];
  const kind = surplus > 0 ? "user-without-lease" : "lease-without-user";
  const names = surplus > 0 ? users.map(({ name }) => name) : leases.map(({ id }) => id);
  const detail = `${Math.abs(surplus)} of these, made at the same moment; which cannot be told`;
  const remedy =
    `vault-postgres revoke ${environment} --role ${leases[0]?.role ?? "…"} ends those that have a lease; it names who is left ` +
    "then, and what ends them.";
  return [{ kind, subject: names.join(", "), detail, ...(surplus > 0 && { remedy }) }];
}
