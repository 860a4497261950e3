/** Something in a database that can act for others, or lets somebody in, once the credential that made it has ended. */
export interface Foothold {
  /** Such as `trigger`, `default privilege`. */
  readonly kind: string;
  /** Its name, with the schema; with the kind it names one thing. */
  readonly identity: string;
  /** Name of the role that owns it, where it has an owner. */
  readonly owner?: string;
  /** What to know of it, in the words of SQL; may be empty. Nothing of it is secret. */
  readonly detail: string;
  /** SHA-256 of its definition, where it has one. */
  readonly hash?: string;
}

/** What was found, and what could not be looked at. */
export interface FootholdList {
  readonly footholds: readonly Foothold[];
  /** Sentences; empty if everything was looked at. */
  readonly notLookedAt: readonly string[];
  /** Kinds of which nothing is known. */
  readonly unknownKinds: readonly string[];
}

const keyOf = ({ kind, identity, owner = "" }: Foothold) =>
  // One kind of ownership can have several owners; all else is named by kind and identity.
  JSON.stringify(kind === "ownership" ? [kind, identity, owner] : [kind, identity]);

/** In an order that does not depend on the server's. */
export function sorted(footholds: readonly Foothold[]): Foothold[] {
  return footholds
    .map((foothold) => [keyOf(foothold), foothold] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, foothold]) => foothold);
}

/** How a list differs from one that was kept. */
export interface Difference {
  readonly added: readonly Foothold[];
  readonly changed: readonly { readonly before: Foothold; readonly after: Foothold }[];
  readonly removed: readonly Foothold[];
}

/** Of kinds that one of the two lists knows nothing of, nothing is said. */
export function difference(earlier: FootholdList, later: FootholdList): Difference {
  const unknown = new Set([...earlier.unknownKinds, ...later.unknownKinds]);
  const [before, after] = [earlier, later].map(({ footholds }) =>
    footholds.filter(({ kind }) => !unknown.has(kind)),
  ) as [Foothold[], Foothold[]];
  const kept = new Map(before.map((foothold) => [keyOf(foothold), foothold]));
  const found = new Map(after.map((foothold) => [keyOf(foothold), foothold]));
  const changed = [...found].flatMap(([key, foothold]) => {
    const old = kept.get(key);
    return old === undefined || isSame(old, foothold) ? [] : [{ before: old, after: foothold }];
  });
  return {
    added: sorted(after.filter((foothold) => !kept.has(keyOf(foothold)))),
    changed,
    removed: sorted(before.filter((foothold) => !found.has(keyOf(foothold)))),
  };
}

export function isEmpty({ added, changed, removed }: Difference): boolean {
  return added.length + changed.length + removed.length === 0;
}

function isSame(a: Foothold, b: Foothold): boolean {
  return a.owner === b.owner && a.detail === b.detail && a.hash === b.hash;
}
