/** What a command says to the shell that called it. */
export const ExitCode = {
  /** Done, and all that was checked holds. */
  ok: 0,
  /** A check failed, or something is left to do. */
  failed: 1,
  /** The command line is wrong, or it could not be tried; nothing was changed. */
  notTried: 2,
  /** The user said no; nothing was changed. */
  declined: 3,
  /** By Ctrl-C. */
  interrupted: 130,
} as const;

export const EXIT_CODES =
  "Exit code: 0 done and as it should be, 1 a check failed or something is left, 2 not tried, " +
  "3 you said no, 130 interrupted.";
