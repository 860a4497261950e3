import { describeError, UserError } from "../errors";
import { ExitCode } from "../exit-code";
import { changes } from "../first-change";
import { LoginSessions } from "../login-sessions";
import { staticRoleNamed } from "../named";
import { hasLogin, operatorLogin } from "../operator-login";
import type { Login } from "../postgres-login";
import { progressOn } from "../progress";
import { rotateOpen, rotateShut } from "../rotate-ending";
import { checkRotated, isTaken, readStaticLogin } from "../rotation-checks";
import { counted, listed } from "../text";
import { VaultError } from "../vault-client";
import { open, type Command, type CommonArguments } from "./command";

interface RotateArguments extends CommonArguments {
  readonly "static-role": string;
  readonly "end-sessions": boolean;
}

const LOGIN_REMEDY =
  "Set PGUSER and PGPASSWORD to the login that deploys (docs/rights/postgres-login.sql) or to an administrator's, which may " +
  "shut the login meanwhile; or to a login as in docs/rights/operator-login.sql.";

export const rotate: Command<RotateArguments> = {
  usage: "rotate <environment> <static-role>",
  summary: "gives the login of a static role a new password",
  description:
    "Whoever has the old password is refused from then on. Afterwards the new password is tried in PostgreSQL, and so is the " +
    "old one. Neither is shown: applications read it from Vault.\n\n" +
    "Open sessions go on, and may set a password of their own. So where a password has leaked, --end-sessions: it ends the " +
    "login's sessions, those of its applications too, and sets the password when there is none. With PGUSER and PGPASSWORD of " +
    "the login that deploys or of an administrator nobody gets in meanwhile, for as long as the server lets a client take to " +
    "log in (authentication_timeout, a minute). A login as in docs/rights/operator-login.sql may not shut the login: it ends " +
    "sessions while the password is set, sees whether somebody was faster, and fails then.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl.",
  examples: [
    ["rotate dev legacy", "the static role legacy"],
    ["rotate dev legacy --end-sessions", "where its password has leaked"],
  ],
  declare: (parser) =>
    parser
      .positional("static-role", {
        type: "string",
        demandOption: true,
        describe: "name of the static role",
      })
      .option("end-sessions", {
        type: "boolean",
        default: false,
        describe: "end the login's sessions, so that none sets a password of its own",
      }),

  async run(args, shell) {
    const { environment, json, "static-role": name, "end-sessions": end } = args;
    if (end && !hasLogin(shell.env)) {
      throw new UserError("--end-sessions needs a login of PostgreSQL.", LOGIN_REMEDY);
    }
    const { outputs, vault, context } = await open(args, shell);
    const role = staticRoleNamed(outputs, name);
    const certificate = context.postgresRootCertificateFile;
    const say = (text: string) => (json ? shell.note(text) : shell.print(text));
    const read = () => readStaticLogin(outputs, vault, name, role);
    const session = end ? await operatorLogin(outputs, shell.env) : undefined;
    let login: LoginSessions | undefined;
    try {
      login = session && (await LoginSessions.of(session.client, role.username));
      const problems: string[] = [];
      const before = await read().catch((error: unknown) => {
        problems.push(`the password before it could not be read: ${describeError(error)}`);
        return undefined;
      });
      const wasOther = before !== undefined && (await isTaken(outputs, before, certificate)) === false;
      const rotating = `rotating the password of ${role.username}. Running this again is safe.`;
      const setPassword = () => vault.done(role.rotate_path);
      try {
        await changes(shell, rotating)(setPassword);
      } catch (error) {
        // A session may hold the login's row, which is ended below.
        const isHeld = error instanceof VaultError && shell.underWay !== undefined;
        if (login === undefined || !isHeld) throw error;
      }
      // Where it cannot be read, that is among the problems.
      const isTakenNow = async () =>
        before === undefined || (await isTaken(outputs, await read(), certificate)) !== false;
      if (login?.canShut === true) {
        shell.changing(
          `rotating the password of ${role.username}, which is shut meanwhile (NOLOGIN). Running this again opens it.`,
        );
        const progress = progressOn(shell);
        await rotateShut(login, setPassword, isTakenNow, (seconds) =>
          progress(
            `${role.username} is shut for another ${seconds} s, until whoever has begun to log in has had their time.`,
          ),
        );
        shell.changing(rotating);
      } else if (login !== undefined) {
        await rotateOpen(login, setPassword, isTakenNow);
      }
      say(`${role.username} has a new password.`);
      if (login !== undefined) say(`Ended: ${counted(login.ended, "session")} of ${role.username}.`);
      if (wasOther) say(otherPassword(before, end));
      let seen: string | undefined;
      if (before !== undefined) {
        try {
          seen = await checkRotated(outputs, before, await read(), certificate);
        } catch (error) {
          problems.push(describeError(error));
        }
      }
      const guests = (await login?.guests()) ?? [];
      if (guests.length > 0) {
        problems.push(
          `${listed(guests)} may act as ${role.username}, by what it has granted itself: as a superuser, REVOKE that, and end ` +
            "their sessions",
        );
      }
      const problem = problems.length > 0 ? problems.join("; ") : undefined;
      if (json) {
        const ended = login && { sessionsEnded: login.ended };
        const result = {
          environment,
          rotated: true,
          ...ended,
          hadOtherPassword: wasOther,
          check: seen,
          problem,
        };
        shell.print(JSON.stringify(result, null, 2));
      } else {
        if (seen !== undefined) shell.print(`Checked: ${seen}.`);
        if (problem !== undefined) shell.note(`The check afterwards did not hold: ${problem}`);
      }
      return problem === undefined ? ExitCode.ok : ExitCode.failed;
    } finally {
      await login?.close();
      await session?.close();
    }
  },
};

/** The engine's password was refused before: the login was made again, or somebody who had a session set another. */
function otherPassword({ username }: Login, end: boolean): string {
  return (
    `PostgreSQL did not take the password that the engine had for ${username}: somebody had set another, or the login was made ` +
    `again.${end ? "" : " Whoever did may have a session and set one anew; --end-sessions ends it."}`
  );
}
