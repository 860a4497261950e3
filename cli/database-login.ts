import { escapeIdentifier } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { setting } from "./context";
import { UserError } from "./errors";
import { operatorLogin } from "./operator-login";
import type { Session } from "./postgres-login";

/**
 * Logs in to the environment's own database, with the user's variables of libpq but for PGDATABASE. Nothing that others have
 * made there is found by a name that is not qualified.
 *
 * @throws UserError if it is refused
 */
export async function databaseLogin(outputs: EnvironmentOutputs, env: NodeJS.ProcessEnv): Promise<Session> {
  const { database } = outputs.postgres;
  const session = await operatorLogin(outputs, { ...env, PGDATABASE: database }).catch((error: unknown) => {
    if (error instanceof UserError && error.message.includes("permission denied for database")) {
      const user = setting(env.PGUSER) ?? "";
      throw new UserError(
        error.message,
        `Let it in, as Terraform's login: GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${escapeIdentifier(user)}`,
      );
    }
    throw error;
  });
  await session.client.query("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)");
  return session;
}
