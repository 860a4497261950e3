/** Something that is not as it should be. */
export interface Finding {
  readonly kind:
    | "drained"
    | "irrevocable-lease"
    | "overdue-lease"
    | "user-without-lease"
    /** A user whose password has no end, so that it goes on where a revocation fails. */
    | "endless-user"
    | "lease-without-user"
    | "session-without-role"
    /** A user that may not log in any more and is not gone: its revocation has failed so far. */
    | "login-off"
    /** A user whose time is over, and that Vault has not ended. */
    | "expired-user"
    | "prepared-transaction"
    /** A role that is not declared any more, and has leases or is left on the engine. */
    | "undeclared-role"
    | "missing-connection"
    | "missing-role"
    | "changed-role"
    | "missing-base-role"
    | "missing-login"
    | "missing-approle"
    | "missing-database"
    /** The engine's login lacks a right, without which nothing is issued, revoked or rotated. */
    | "missing-right"
    | "changed-connection"
    /** The engine has not set the password of a static role in time. */
    | "overdue-rotation"
    | "login-without-password"
    /** Two static roles on one login. */
    | "shared-login"
    | "locked-approle";
  /** The lease, the user, the process id, the connection, the role, the login, or the AppRole. */
  readonly subject: string;
  readonly detail: string;
  /** What to do about it, where that does not go without saying. */
  readonly remedy?: string;
}
