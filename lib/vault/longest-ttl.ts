import { Annotations } from "cdktf";
import type { IConstruct } from "constructs";
import { Duration } from "../duration";
import { show } from "../errors";
import { isUnresolved } from "../names";

/** What a server allows that is not told otherwise. */
const OF_A_SERVER = Duration.days(32);

/** What is known of a mount's own bound. */
export interface TtlBounds {
  /** Bound that the user has set or named; 0 for the server's own. */
  readonly given?: Duration;
  /** Whether the mount is declared elsewhere, which leaves its bound alone here. */
  readonly managedElsewhere?: boolean;
}

/** The mount that bounds the TTLs. */
export interface TtlMount extends TtlBounds {
  readonly kind: "auth method" | "secrets engine";
  readonly path: string;
}

/**
 * The TTLs that are declared on a mount. An engine cuts what is longer than the mount's maximum without a word, which is 32 days
 * unless the mount or the server is told otherwise: the maximum of a mount that is declared here follows the longest of them.
 */
export class LongestTtl {
  private readonly declared: (() => number | undefined)[] = [];

  constructor(private readonly bound: () => TtlMount) {}

  /**
   * Adds a TTL, and warns where it would be cut.
   *
   * @param scope construct that it belongs to
   * @param what it is, for the warning, such as `secretIdTtl of the AppRole "web"`
   * @param seconds asked for at synthesis, when a user may have changed it; 0 for the mount's own
   */
  add(scope: IConstruct, what: string, seconds: () => number | undefined): void {
    this.declared.push(seconds);
    const ttl = seconds();
    if (!isLong(ttl, this.limit)) return;
    const { kind, path, managedElsewhere } = this.bound();
    const remedy = managedElsewhere
      ? "See that it has a max_lease_ttl as long where it is declared, or set a shorter time."
      : "Set a longer maxLeaseTtl there, or a shorter time here.";
    Annotations.of(scope).addWarning(
      `The ${what} is ${Duration.seconds(ttl).toString()}, and the ${kind} ${show(path)} ends it after ${this.limit!.toString()}` +
        `${managedElsewhere ? ", unless it or its server is told otherwise" : ""}. ${remedy}`,
    );
  }

  /** What the mount has to be told, in seconds: the user's bound, the longest TTL if a server would cut it, or nothing. */
  get seconds(): number | undefined {
    const { given, managedElsewhere } = this.bound();
    if (managedElsewhere) return undefined;
    if (given !== undefined) return given.toSeconds();
    const long = this.declared.map((each) => each()).filter((ttl) => isLong(ttl, OF_A_SERVER));
    return long.length === 0 ? undefined : Math.max(...long);
  }

  /** From where on a TTL is cut, if at all. */
  private get limit(): Duration | undefined {
    const { given, managedElsewhere } = this.bound();
    if (given?.toSeconds() === 0) return OF_A_SERVER;
    return given ?? (managedElsewhere ? OF_A_SERVER : undefined);
  }
}

function isLong(ttl: number | undefined, limit: Duration | undefined): ttl is number {
  return ttl !== undefined && limit !== undefined && !isUnresolved(ttl) && ttl > limit.toSeconds();
}
