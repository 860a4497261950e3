import type { Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { describeError } from "./errors";
import { hasLogin, NO_LOGIN, operatorLogin } from "./operator-login";
import { sqlState, SqlState, type Session } from "./postgres-login";

/** The view of docs/rights/operator-login.sql. */
const VIEW = "credentials_operator.login_versions";

/** Sees whether PostgreSQL has written a login anew, as it does with a new password, which is not shown for that. */
export class LoginWatch {
  private constructor(
    private readonly login: string,
    private readonly session: Session | undefined,
    private readonly before: string | undefined,
    /** Why it cannot be seen; undefined where it can. */
    readonly blind: string | undefined,
  ) {}

  static async start(outputs: EnvironmentOutputs, env: NodeJS.ProcessEnv): Promise<LoginWatch> {
    const login = outputs.postgres.manager;
    if (!hasLogin(env)) return new LoginWatch(login, undefined, undefined, NO_LOGIN);
    try {
      const session = await operatorLogin(outputs, env);
      const before = await versionOf(session.client, login);
      const blind =
        before === undefined ? `PGUSER lacks the view ${VIEW} of docs/rights/operator-login.sql.` : undefined;
      return new LoginWatch(login, session, before, blind);
    } catch (error) {
      return new LoginWatch(login, undefined, undefined, describeError(error));
    }
  }

  /** Undefined where it cannot be seen. */
  async isChanged(): Promise<boolean | undefined> {
    if (this.session === undefined || this.before === undefined) return undefined;
    return (await versionOf(this.session.client, this.login)) !== this.before;
  }

  async end(): Promise<void> {
    await this.session?.close();
  }
}

async function versionOf(client: Client, login: string): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ version: string }>(
      `SELECT version FROM ${VIEW} WHERE rolname OPERATOR(pg_catalog.=) $1`,
      [login],
    );
    return rows[0]?.version;
  } catch (error) {
    const expected: readonly string[] = [
      ...[SqlState.insufficientPrivilege, SqlState.undefinedTable, SqlState.invalidSchema],
    ];
    if (!expected.includes(sqlState(error) ?? "")) throw error;
    return undefined;
  }
}
