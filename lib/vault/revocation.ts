import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import type { AccessLevel } from "../postgres/access";
import {
  assumingCreation,
  drainingRevocation,
  markingTerminated,
  membershipCreation,
  renewal,
  terminatingRevocation,
  type DrainTimeouts,
  type LoginLimits,
  type RevocationOptions,
  type RoleStatements,
} from "../statements";

/** Bound on a revocation. */
export interface TerminateOptions {
  /**
   * Longest time that the SQL of a revocation may take, during which its connection issues nothing. It has failed then:
   * nobody can log in with the credential any more, and the lease stays. The engine tries again, but for a revocation that it was
   * asked to answer (`sync`), which it tries once.
   *
   * @default Duration.seconds(2)
   */
  readonly timeout?: Duration;
}

/** Bounds on sessions that outlive their credential, which a client can lift for its own session, and on a revocation. */
export interface DrainOptions extends TerminateOptions {
  /** Ends a session that waits this long outside a transaction. @default Duration.minutes(1) */
  readonly idleSessionTimeout?: Duration;
  /** Ends a session that waits this long inside a transaction. @default Duration.minutes(10) */
  readonly idleInTransactionTimeout?: Duration;
}

/** PostgreSQL counts milliseconds in 32 bits. */
const LONGEST_TIMEOUT = Duration.seconds(2_147_483);

/** What becomes of a credential's sessions when it is revoked or expires. */
export class Revocation {
  /**
   * Revoked means gone: no new login, sessions ended, role dropped. Where one of these cannot be had, the revocation fails.
   *
   * @throws ConfigurationError for a timeout of 0, or over 2,147,483 seconds
   */
  static terminate(options: TerminateOptions = {}): Revocation {
    return new Revocation("terminate", options.timeout);
  }

  /**
   * No new login and the role dropped, but sessions go on: a transaction that runs commits, and idle ones are ended by
   * timeouts. Such a session keeps the rights of the base role until it ends, so choose it for clients that you trust to
   * let go of a connection.
   *
   * @throws ConfigurationError for a timeout of 0, or over 2,147,483 seconds
   */
  static drain(options: DrainOptions = {}): Revocation {
    return new Revocation("drain", options.timeout, {
      idleSession: options.idleSessionTimeout ?? Duration.minutes(1),
      idleInTransaction: options.idleInTransactionTimeout ?? Duration.minutes(10),
    });
  }

  private constructor(
    /** What revocation does with sessions. */
    readonly mode: "terminate" | "drain",
    private readonly timeout?: Duration,
    private readonly timeouts?: DrainTimeouts,
  ) {
    for (const each of [timeout, timeouts?.idleSession, timeouts?.idleInTransaction]) {
      if (each?.toSeconds() === 0) {
        throw new ConfigurationError(
          `A timeout of a revocation is ${show(each.toString())}, which means no limit to PostgreSQL.`,
          "Give a time of 1 second or more.",
        );
      }
      if (each?.isLongerThan(LONGEST_TIMEOUT) === true) {
        throw new ConfigurationError(
          `A timeout of a revocation is ${show(each.toString())}, which PostgreSQL does not take.`,
          `Give a time of ${LONGEST_TIMEOUT.toString()}, about 24 days, or less.`,
        );
      }
    }
  }

  /** The SQL of a role that hands out a base role. */
  statementsFor(
    baseRole: string,
    level: AccessLevel,
    options: LoginLimits & Pick<RevocationOptions, "namePrefix"> = {},
  ): RoleStatements {
    // Only as its base role can a session own tables on the base role's behalf, or go on after its login is dropped.
    const assumes = level === "owner" || this.mode === "drain";
    const creation = assumes
      ? assumingCreation(baseRole, this.timeouts, options)
      : membershipCreation(baseRole, options);
    return {
      creation: this.mode === "terminate" ? [...creation, ...markingTerminated()] : creation,
      renewal: renewal(),
      revocation: this.revocationTo(baseRole, options.namePrefix),
    };
  }

  /**
   * The SQL that ends a login.
   *
   * @param reassignTo role that gets what the login owned, as in {@link terminatingRevocation}
   * @param namePrefix how the names of the connection's users begin, and of no other's
   */
  revocationTo(reassignTo?: string, namePrefix?: string): string[] {
    const end = this.mode === "drain" ? drainingRevocation : terminatingRevocation;
    return end(reassignTo, { namePrefix, timeout: this.timeout });
  }
}
