import { escapeIdentifier } from "pg";

/** One privilege that somebody has on something. */
export interface AclEntry {
  readonly grantor: string;
  /** `null` for PUBLIC. */
  readonly grantee: string | null;
  /** Such as `SELECT`. */
  readonly privilege: string;
  /** Whether it was given WITH GRANT OPTION. */
  readonly grantable: boolean;
}

/** Who may do what on an object, or on one column of a table. */
export interface AccessList {
  readonly owner: string;
  /** Absent for the object itself. */
  readonly column?: string;
  readonly entries: readonly AclEntry[];
}

/**
 * Whether the owner's REVOKE … CASCADE of what a user has would leave something that names the user: what others gave it, or
 * what it gave to others.
 */
export function isGivenOn(lists: readonly AccessList[], user: string): boolean {
  return lists.some(({ owner, entries }) =>
    entries.some(({ grantor, grantee }) => (grantee === user && grantor !== owner) || grantor === user),
  );
}

/**
 * The user, and all by way of whom it was given something. None of them may be a member of the owner meanwhile: then
 * PostgreSQL takes nothing back of what they gave, whoever asks.
 */
export function giversOf(lists: readonly AccessList[], user: string): string[] {
  if (!isGivenOn(lists, user)) return [];
  return [...new Set(lists.flatMap(({ owner, entries }) => [...giversTo(entries, user, owner)]))];
}

/**
 * What the owner of an object runs to take back what was given to a user by somebody else, who has it with GRANT OPTION.
 * An owner's REVOKE reaches that only by way of the one who gave it: each of those on the way loses the privilege, and with
 * it all that they gave. What others lose by that they get again, from the owner.
 *
 * A column's privilege may have been given by somebody who holds the option on the table alone, and would outlive that. So
 * whoever gave something gets the option first.
 *
 * @param on the object, such as `TABLE app.orders`
 */
export function takingBack(lists: readonly AccessList[], on: string, user: string): string[] {
  // A table's REVOKE takes the same privilege on its columns along.
  const [ofObject, ofColumns] = [
    lists.filter(({ column }) => column === undefined),
    lists.filter(({ column }) => column !== undefined),
  ];
  const statements: string[] = [];
  const lost = new Map<string, ReadonlySet<string>>();
  for (const list of [...ofObject, ...ofColumns]) {
    for (const privilege of new Set(list.entries.map((entry) => entry.privilege))) {
      const more = list.column === undefined ? undefined : lost.get(privilege);
      const { touched, run } = ofPrivilege(list, privilege, on, user, more);
      if (list.column === undefined) lost.set(privilege, touched);
      statements.push(...run);
    }
  }
  return [...statements, `REVOKE ALL ON ${on} FROM ${escapeIdentifier(user)} CASCADE`];
}

function ofPrivilege(
  { owner, column, entries }: AccessList,
  privilege: string,
  on: string,
  user: string,
  more: ReadonlySet<string> = new Set(),
): { readonly touched: ReadonlySet<string>; readonly run: readonly string[] } {
  const own = entries.filter((entry) => entry.privilege === privilege);
  const isNamed = own.some(({ grantor, grantee }) => grantor === user || grantee === user);
  const touched = new Set([...(isNamed ? giversTo(own, user, owner) : []), ...more]);
  const derived = reached(own, touched);
  if (!isNamed && derived.size === 0 && !own.some(({ grantee }) => grantee !== null && more.has(grantee))) {
    return { touched, run: [] };
  }
  const what = `${privilege}${column === undefined ? "" : ` (${escapeIdentifier(column)})`} ON ${on}`;
  const name = (role: string | null) => (role === null ? "PUBLIC" : escapeIdentifier(role));
  const optionless = [...touched].filter(
    (role) => own.some(({ grantor }) => grantor === role) && !mayGrant(own, owner, role, privilege),
  );
  // Whoever has it by way of the user alone does not keep it.
  const entitled = reached(
    own.filter(({ grantor }) => grantor !== user),
    new Set([owner]),
    (entry) => entry.grantable,
  );
  const kept = new Map<string | null, boolean>();
  for (const { grantor, grantee, grantable } of own) {
    const isLost = grantee === null ? grantor !== owner : touched.has(grantee) || derived.has(grantee);
    if (!isLost || grantee === user || grantee === owner) continue;
    if (grantor !== owner && !entitled.has(grantor) && !(column !== undefined && grantor !== user)) continue;
    kept.set(grantee, (kept.get(grantee) ?? false) || grantable);
  }
  return {
    touched,
    run: [
      ...optionless.map((role) => `GRANT ${what} TO ${name(role)} WITH GRANT OPTION`),
      ...[...touched].map((role) => `REVOKE ${what} FROM ${name(role)} CASCADE`),
      ...[...kept].map(
        ([role, grantable]) => `GRANT ${what} TO ${name(role)}${grantable ? " WITH GRANT OPTION" : ""}`,
      ),
    ],
  };
}

/** The user, and all who gave it the privilege, by whatever way; the owner aside, who cannot lose it. */
function giversTo(entries: readonly AclEntry[], user: string, owner: string): Set<string> {
  const found = new Set([user]);
  for (const role of found) {
    for (const { grantor, grantee } of entries) {
      if (grantee === role && grantor !== owner) found.add(grantor);
    }
  }
  return found;
}

/** All who have something from some roles, by whatever way. */
function reached(
  entries: readonly AclEntry[],
  from: ReadonlySet<string>,
  counts: (entry: AclEntry) => boolean = () => true,
): Set<string> {
  const found = new Set<string>();
  const givers = new Set(from);
  for (const role of givers) {
    for (const entry of entries) {
      if (entry.grantor !== role || entry.grantee === null || !counts(entry)) continue;
      found.add(entry.grantee);
      givers.add(entry.grantee);
    }
  }
  return found;
}

/** Whether a role has the option from the owner itself. */
function mayGrant(entries: readonly AclEntry[], owner: string, role: string, privilege: string): boolean {
  return (
    role === owner ||
    entries.some(
      (entry) =>
        entry.grantor === owner && entry.grantee === role && entry.privilege === privilege && entry.grantable,
    )
  );
}
