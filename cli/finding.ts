/** Every kind of finding. Each has a row in docs/operations.md. */
export const FINDING_KINDS = [
  "drained",
  "irrevocable-lease",
  "overdue-lease",
  "user-without-lease",
  /** A user whose password has no end, so that it goes on where a revocation fails. */
  "endless-user",
  "lease-without-user",
  "session-without-role",
  /** A user that may not log in any more and is not gone: its revocation has failed so far. Or a login that was shut. */
  "login-off",
  /** A user whose time is over, and that Vault has not ended. */
  "expired-user",
  /** A user whose memberships revocation has taken away, as its row was held so that its login could not be shut. */
  "stripped-user",
  "prepared-transaction",
  /** A role that is not declared any more, and has leases or is left on the engine. */
  "undeclared-role",
  "missing-connection",
  "changed-connection",
  "missing-role",
  "changed-role",
  "missing-base-role",
  "missing-login",
  "missing-database",
  /** A login lacks a right, without which nothing is issued, revoked or rotated, or its application may do nothing. */
  "missing-right",
  /** A role, a login or a user may do more than was declared. */
  "excess-right",
  /** A setting of a login, its database or the server with which the engine, or an application, cannot work. */
  "hindering-setting",
  /** The engine has not set the password of a static role in time. */
  "overdue-rotation",
  "login-without-password",
  /** Two static roles on one login. */
  "shared-login",
  /** An AppRole that is not declared any more, nor in the auth method, and whose tokens live on. */
  "undeclared-approle",
  "missing-approle",
  /** An AppRole has other settings, or another RoleID, than was declared. */
  "changed-approle",
  "locked-approle",
  "missing-policy",
  "changed-policy",
] as const;

/** Something that is not as it should be. */
export interface Finding {
  readonly kind: (typeof FINDING_KINDS)[number];
  /** The lease, the user, the process id, the connection, the role, the login, the AppRole, or the policy. */
  readonly subject: string;
  readonly detail: string;
  /** What to do about it, where that does not go without saying. */
  readonly remedy?: string;
}
