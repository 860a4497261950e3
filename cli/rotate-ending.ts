import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "./errors";
import type { LoginSessions } from "./login-sessions";
import { VaultError } from "./vault-client";

const ROUNDS = 5;

/**
 * Has a login's password set anew so that whoever has had it, or a session by it, has nothing any more. A session may set the
 * password to one of its own; a client that has begun to log in may still come in with the password before. So the login is
 * shut until such clients have had their time, and the password is set when it has no session.
 *
 * @param rotate has the engine set a password
 * @throws UserError if its sessions cannot be ended
 */
export async function rotateShut(
  login: LoginSessions,
  rotate: () => Promise<void>,
  isTaken: () => Promise<boolean>,
  onWait: (secondsLeft: number) => void,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await login.shut();
    const deadline = Date.now() + login.loginMs;
    const tick = async () => {
      while (Date.now() < deadline) {
        onWait(Math.ceil((deadline - Date.now()) / 1_000));
        await pause(Math.min(1_000, login.loginMs / 10));
      }
    };
    await login.endDuring(tick());
    if ((await login.end()) > 0) throw stubborn(login);
    await rotate();
    const before = await login.now();
    await login.reopen();
    // One that was on its way in when the login was shut, on a server that is busy, shows only now.
    await login.end(before);
    if (await isTaken()) return;
  }
  throw new UserError(
    `PostgreSQL does not take the password that was set for ${login.username}.`,
    "See who else may set it, a role with CREATEROLE, say, or another static role; then run this again.",
  );
}

/**
 * The same for those who may not shut the login: sessions are ended while the password is set, and those that began before
 * until clients that had begun to log in have had their time. A session may be faster and set its own password: then it is done
 * again.
 *
 * @param isTaken whether PostgreSQL takes the password that the engine has set
 * @throws UserError if somebody is faster each time
 */
export async function rotateOpen(
  login: LoginSessions,
  rotate: () => Promise<void>,
  isTaken: () => Promise<boolean>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await login.end();
    const isSet = await login.endDuring(rotate().then(() => true, unlessHeld));
    const before = await login.now();
    await login.endDuring(pause(login.loginMs), before);
    if ((await login.end(before)) > 0) throw stubborn(login);
    if (isSet && (await isTaken())) return;
  }
  throw new UserError(
    `Somebody keeps the password of ${login.username} from being set, or sets another as soon as it is set.`,
    "Run this again with PGUSER and PGPASSWORD of the login that deploys (docs/rights/postgres-login.sql), or of an " +
      "administrator: these may shut the login meanwhile.",
  );
}

/** A session that holds the login's row keeps the engine from setting a password; it is told to end meanwhile. */
function unlessHeld(error: unknown): false {
  if (!(error instanceof VaultError) || error.status === 403) throw error;
  return false;
}

function stubborn({ username }: LoginSessions): UserError {
  return new UserError(
    `Sessions of ${username} do not end.`,
    "See what they do, SELECT pid, query FROM pg_catalog.pg_stat_activity, and run this again; as a superuser of the operating system: kill.",
  );
}
