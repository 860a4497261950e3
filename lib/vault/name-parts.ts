/** A part of a name, in order: the same each time, or another. */
export interface NamePart {
  /** Characters at most. */
  readonly length: number;
  /** How much each of them differs from one name to the next, 1 for a random one; 0 for one that is the same. */
  readonly worth: number;
}

export const same = (length: number): NamePart => ({ length, worth: 0 });
export const random = (length: number): NamePart => ({ length, worth: 1 });

export function lengthOf(parts: readonly NamePart[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** How many random characters the names have, or what is worth as much. */
export function worthOf(parts: readonly NamePart[]): number {
  return parts.reduce((sum, { length, worth }) => sum + (worth === 0 ? 0 : length * worth), 0);
}

/** What is left where names are cut. */
export function cut(parts: readonly NamePart[], most: number): readonly NamePart[] {
  let left = most;
  return parts.map(({ length, worth }) => {
    const kept = Math.min(length, left);
    left -= kept;
    return { length: kept, worth };
  });
}

/** A hash differs from its beginning on, and no more than what it is made from. */
export function hashed(parts: readonly NamePart[], length: number): readonly NamePart[] {
  const differing = Math.min(length, Math.ceil(worthOf(parts)));
  return [random(differing), same(length - differing)];
}
