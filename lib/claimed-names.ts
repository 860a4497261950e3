import { ConfigurationError, show } from "./errors";

/** The names given so far in one secrets engine or auth method, where a second of a name would overwrite the first. */
export class ClaimedNames {
  private readonly claimed = new Set<string>();

  /**
   * @param what kind of place, for the message
   * @param path where it is, for the message
   */
  constructor(
    private readonly what: string,
    private readonly path: () => string,
  ) {}

  /**
   * Takes a name. Of those that only Terraform knows, the same token is the same name.
   *
   * @throws ConfigurationError if it is taken; names that differ in case only count as one, since policies are named after
   *   them in lower case
   */
  claim(kind: string, name: string): void {
    this.requireFree(kind, name);
    this.claimed.add(key(kind, name));
  }

  /** Throws as {@link claim} does, and takes nothing. */
  requireFree(kind: string, name: string): void {
    if (this.claimed.has(key(kind, name))) {
      throw new ConfigurationError(
        `The ${this.what} at ${show(this.path())} has two ${kind}s named ${show(name)}.`,
        `The second would overwrite the first; give each ${kind} a name of its own, not only in case.`,
      );
    }
  }
}

function key(kind: string, name: string): string {
  return `${kind} ${name.toLowerCase()}`;
}
