import type { EnvironmentOutputs, StaticRoleOutput } from "../stacks/outputs";
import { asReader } from "./as-reader";
import { Failure } from "./checks";
import { describeError } from "./errors";
import { readersOf } from "./named";
import { logIn, sqlState, SqlState, type Login } from "./postgres-login";
import { hasAllSessions } from "./session-limit";
import type { VaultClient } from "./vault-client";

/** A request that was under way during the rotation of the root password may fail, and succeeds when tried again. */
const ATTEMPTS = 3;

/**
 * Sees that the engine can still make users: issues a credential as an application would, logs in with it, and revokes it.
 *
 * @returns what was seen
 * @throws Failure if no role could be tried, or the credential is no good
 */
export async function checkIssuing(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  rootCertificateFile?: string,
): Promise<string> {
  const problems: string[] = [];
  const roles = Object.entries(outputs.roles).filter(([name]) => readersOf(outputs, name).length > 0);
  for (const [name, role] of roles) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        return await asReader(outputs, vault, name, async (application, client) => {
          const credential = await application.issue(client, role);
          await (await logIn(outputs.postgres, credential.login, rootCertificateFile)).close();
          await application.revoke(client, credential);
          return `${application.name} obtained a credential of ${name}, logged in to PostgreSQL, and gave it up`;
        });
      } catch (error) {
        problems.push(describeError(error));
      }
    }
  }
  throw new Failure([...new Set(problems)].join("; ") || "no AppRole of the environment may read a role");
}

/** The login and password of a static role, as an application reads them. */
export function readStaticLogin(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  name: string,
  role: StaticRoleOutput,
): Promise<Login> {
  return asReader(outputs, vault, name, async (application, client) => {
    return (await application.readStatic(client, role)).login;
  });
}

/** Whether PostgreSQL takes a password; undefined where that cannot be told, since the login is shut, say. */
export async function isTaken(
  outputs: EnvironmentOutputs,
  login: Login,
  rootCertificateFile?: string,
): Promise<boolean | undefined> {
  try {
    await (await logIn(outputs.postgres, login, rootCertificateFile)).close();
    return true;
  } catch (error) {
    if (hasAllSessions(error, login.username)) return true;
    return sqlState(error) === SqlState.invalidPassword ? false : undefined;
  }
}

/**
 * Sees that a static role's new password logs in and its old one does not.
 *
 * @throws Failure if it is otherwise
 */
export async function checkRotated(
  outputs: EnvironmentOutputs,
  before: Login,
  after: Login,
  rootCertificateFile?: string,
): Promise<string> {
  if (before.password === after.password) throw new Failure("Vault shows the same password as before");
  await logIn(outputs.postgres, after, rootCertificateFile).then(
    (session) => session.close(),
    (error: unknown) => {
      // Others have all the sessions that the login may have, which PostgreSQL says once it has taken the password.
      if (!hasAllSessions(error, after.username)) throw error;
    },
  );
  try {
    await (await logIn(outputs.postgres, before, rootCertificateFile)).close();
  } catch (error) {
    if (hasAllSessions(error, before.username)) throw stillTaken(before);
    const state = sqlState(error);
    if (state !== SqlState.invalidPassword && state !== SqlState.invalidAuthorization) throw error;
    return `${after.username} logs in with the new password, and is refused with the old one`;
  }
  throw stillTaken(after);
}

function stillTaken({ username }: Login): Failure {
  return new Failure(`${username} still logs in with the old password`);
}
