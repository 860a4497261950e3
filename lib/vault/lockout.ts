import { GenericEndpoint } from "@cdktf/provider-vault/lib/generic-endpoint";
import type { Construct } from "constructs";
import { dependOn } from "../dependencies";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import type { AppRoleAuth } from "./app-role-auth";

/** Options of `Lockout.after`. */
export interface LockoutOptions {
  /** How long a RoleID is locked: 1 second or more. @default Duration.minutes(15) */
  readonly duration?: Duration;
  /** How long after a failed login it counts no more: 1 second or more. @default Duration.minutes(15) */
  readonly countFor?: Duration;
}

/**
 * What an auth method does with an AppRole of which logins fail. While its RoleID is locked, valid SecretIDs are refused as
 * well, with 403, and so are all instances of the application.
 *
 * SecretIDs that the server makes cannot be guessed, so that a lock keeps nobody out who would get in otherwise; but whoever
 * knows the RoleID, such as an agent whose SecretID has ended, can have the others locked out. `off` is the answer to that. It
 * is not the default, for SecretIDs that are chosen by hand can be guessed.
 */
export class Lockout {
  /** No RoleID is ever locked. */
  static off(): Lockout {
    return new Lockout(true);
  }

  /**
   * A RoleID is locked after so many failed logins.
   *
   * @param failures whole number, 1 or more
   * @throws ConfigurationError for a number that is none, and a duration of 0
   */
  static after(failures: number, options: LockoutOptions = {}): Lockout {
    if (!Number.isSafeInteger(failures) || failures < 1) {
      throw new ConfigurationError(
        `A RoleID is to be locked after ${show(failures)} failed logins.`,
        "Use a whole number, 1 or more, or Lockout.off().",
      );
    }
    const { duration = Duration.minutes(15), countFor = Duration.minutes(15) } = options;
    for (const [name, given] of Object.entries({ duration, countFor })) {
      if (given.toSeconds() === 0) {
        throw new ConfigurationError(
          `The lockout has a ${name} of 0.`,
          "Give a time of 1 second or more, or use Lockout.off().",
        );
      }
    }
    return new Lockout(false, failures, duration, countFor);
  }

  private constructor(
    private readonly disabled: boolean,
    private readonly failures?: number,
    private readonly duration?: Duration,
    private readonly countFor?: Duration,
  ) {}

  /** @internal Fields as the server is told them, and as it tells them: by that, Terraform sees a change by hand. */
  get fields(): Readonly<Record<string, unknown>> {
    const [duration, countFor] = [this.duration, this.countFor].map((each) => each?.toSeconds());
    return {
      user_lockout_config: {
        lockout_disable: this.disabled,
        ...(this.failures !== undefined && { lockout_threshold: `${this.failures}` }),
        ...(duration !== undefined && { lockout_duration: `${duration}` }),
        ...(countFor !== undefined && { lockout_counter_reset_duration: `${countFor}` }),
      },
      user_lockout_disable: this.disabled,
      ...(this.failures !== undefined && { user_lockout_threshold: this.failures }),
      ...(duration !== undefined && { user_lockout_duration: duration }),
      ...(countFor !== undefined && { user_lockout_counter_reset_duration: countFor }),
    };
  }
}

/** Writes a lockout to an auth method, whose own resource (5.6 to 5.11) does not know it. It stays when it is taken away. */
export class LockoutOfMethod extends GenericEndpoint {
  constructor(scope: Construct, { path, namespace, provider, resource }: AppRoleAuth, lockout: Lockout) {
    super(scope, "Lockout", {
      path: `sys/mounts/auth/${path}/tune`,
      dataJson: JSON.stringify(lockout.fields),
      ignoreAbsentFields: true,
      disableDelete: true,
      namespace,
      provider,
    });
    dependOn(this, resource);
  }
}
