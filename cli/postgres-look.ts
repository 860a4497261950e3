import type { EnvironmentOutputs } from "../stacks/outputs";
import { describeError } from "./errors";
import { hasLogin, NO_LOGIN, operatorLogin } from "./operator-login";
import type { Session } from "./postgres-login";

/**
 * A look at PostgreSQL beside what Vault is asked to do. Where PostgreSQL lets nobody in, or keeps a query waiting, Vault is
 * asked all the same: the engine may have a connection open, and what it ends may be what is in the way.
 */
export class PostgresLook {
  private session?: Session;
  private reason?: string;

  constructor(
    private readonly outputs: EnvironmentOutputs,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Why the last look came to nothing; undefined where it did not, or where no login was named. */
  get failure(): string | undefined {
    return this.reason === undefined ? undefined : `PostgreSQL could not be looked at: ${this.reason}`;
  }

  /** That nothing was seen, and why; undefined where something was. */
  get unseen(): string | undefined {
    return hasLogin(this.env) ? this.failure : NO_LOGIN;
  }

  /** Does something with a session; without one where there is none, or where it fails. */
  async with<T>(work: (session: Session | undefined) => Promise<T>): Promise<T> {
    if (!hasLogin(this.env)) return work(undefined);
    try {
      if (this.session?.isEnded() !== false) {
        await this.close();
        this.session = await operatorLogin(this.outputs, this.env);
      }
      this.reason = undefined;
      return await work(this.session);
    } catch (error) {
      this.reason = describeError(error);
      await this.close();
      return work(undefined);
    }
  }

  async close(): Promise<void> {
    await this.session?.close();
    this.session = undefined;
  }
}
