import type { EnvironmentOutputs } from "../stacks/outputs";
import { setting } from "./context";
import { baseRolesOf, missingBaseRoles } from "./database-users";
import { describeError, UserError } from "./errors";
import { plainHost } from "./shown-address";
import { logIn, sqlState, type Session } from "./postgres-login";

export const LOGIN_REMEDY = "Set PGUSER and PGPASSWORD to a login as in docs/rights/operator-login.sql.";
export const NO_LOGIN = `PostgreSQL was not looked at. ${LOGIN_REMEDY}`;

/** Whether the user's shell names a login of PostgreSQL. */
export function hasLogin(env: NodeJS.ProcessEnv): boolean {
  return setting(env.PGUSER) !== undefined;
}

/**
 * Logs in to PostgreSQL as the user's shell says, with libpq's variables: PGUSER and PGPASSWORD;
 * PGDATABASE (postgres); PGHOST, PGPORT and PGSSLMODE where they are not those of the outputs; PGSSLROOTCERT.
 *
 * @throws UserError if it is refused, or if the server is not that of the environment
 */
export async function operatorLogin(outputs: EnvironmentOutputs, env: NodeJS.ProcessEnv): Promise<Session> {
  const { server, login } = variablesOf(outputs, env);
  const { username } = login;
  const where = `PostgreSQL at ${server.host}:${server.port}`;
  const session = await logIn(
    server,
    login,
    setting(env.PGSSLROOTCERT),
    setting(env.PGDATABASE) ?? "postgres",
  ).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    const reason = describeError(error);
    if (sqlState(error) === undefined) {
      throw new UserError(
        `${where} does not answer: ${reason}`,
        "See whether it runs, and set PGHOST, PGPORT and PGSSLMODE if it is reached otherwise from here.",
      );
    }
    throw new UserError(`${where} does not let ${username} in: ${reason}`, LOGIN_REMEDY);
  });
  const missing = await missingBaseRoles(session.client, outputs).catch(async (error: unknown) => {
    await session.close();
    throw error;
  });
  // One that was dropped by hand is for status to tell; a server without any is another.
  if (missing.length > 0 && missing.length === baseRolesOf(outputs).length) {
    await session.close();
    throw new UserError(
      `${where} has no role ${missing.join(", ")}.`,
      "Set PGHOST and PGPORT to the environment's server, or unset them.",
    );
  }
  return session;
}

function variablesOf(outputs: EnvironmentOutputs, env: NodeJS.ProcessEnv) {
  return {
    server: {
      ...outputs.postgres,
      host: hostOf(env) ?? outputs.postgres.host,
      port: Number(setting(env.PGPORT) ?? outputs.postgres.port),
      sslmode: setting(env.PGSSLMODE) ?? outputs.postgres.sslmode,
    },
    login: { username: setting(env.PGUSER) ?? "", password: setting(env.PGPASSWORD) },
  };
}

/** @throws UserError if it may hold a password */
export function hostOf(env: NodeJS.ProcessEnv): string | undefined {
  const host = setting(env.PGHOST);
  return host === undefined ? undefined : plainHost("PGHOST", host);
}
