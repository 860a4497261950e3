import { setTimeout as sleep } from "node:timers/promises";
import {
  resolveLogin,
  type Lease,
  type LoginSource,
  type LoginSources,
  type PassedSource,
} from "./resolve-login";
import { SwappingPool, type SwappingPoolOptions } from "./swapping-pool";
import { askVault, VaultRefusal } from "./vault";

/** What became of a look for a login. No secret is in it. */
export interface Taken {
  readonly source: LoginSource;
  readonly username: string;
  readonly passed: readonly PassedSource[];
}

export interface FallbackPoolOptions extends SwappingPoolOptions, LoginSources {
  /** Part of a lease's time after which it is renewed. @default 0.75 */
  readonly renewAt?: number;
  /** Seconds until it looks again for a source that comes earlier in the order. @default 60 */
  readonly retrySeconds?: number;
  /** Called when another login was taken. */
  readonly onTaken?: (taken: Taken) => void;
  /** Called after each renewal, with the seconds that the lease has from then on. */
  readonly onRenewed?: (seconds: number) => void;
}

/**
 * A pool that takes its login from the best source there is, renews the lease of a dynamic one and its own token, reads
 * another login when that has come to its longest time, and looks again from time to time while the login is from elsewhere.
 */
export class FallbackPool extends SwappingPool {
  static async open(options: FallbackPoolOptions): Promise<FallbackPool> {
    const pool = new FallbackPool(options);
    await pool.lookAgain();
    pool.following = pool.follow();
    return pool;
  }

  private readonly stop = new AbortController();
  private following: Promise<void> | undefined;
  private taken: LoginSource = "defaults";
  private lease: Lease | undefined;
  /** When the lease ends unless renewed. */
  private end = 0;

  private constructor(private readonly options: FallbackPoolOptions) {
    super(options);
  }

  get source(): LoginSource {
    return this.taken;
  }

  /** Stops renewing and waits for what runs. */
  override async close(): Promise<void> {
    this.stop.abort();
    await this.following;
    await super.close();
  }

  protected async lookAgain(): Promise<void> {
    let swapped = false;
    const found = await resolveLogin(this.options, async (login) => (swapped = await this.swap(login)));
    const { source, login, lease, passed } = found;
    this.taken = source;
    this.hold(lease);
    if (swapped) this.options.onTaken?.({ source, username: login.username, passed });
  }

  private async follow(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await sleep(this.pause(), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.renewToken();
      if (!(await this.renewed())) await this.refresh();
    }
  }

  /** A lease ends with the token that read it. A token that cannot be renewed is as good as it was. */
  private async renewToken(): Promise<void> {
    if (this.options.vault === undefined) return;
    await askVault(this.options.vault, "auth/token/renew-self", { body: {} }).catch((error: unknown) => {
      if (!(error instanceof VaultRefusal)) throw error;
    });
  }

  /** Milliseconds. */
  private pause(): number {
    if (this.lease === undefined) return (this.options.retrySeconds ?? 60) * 1000;
    const left = this.end - Date.now();
    const leftAtRenewal = this.lease.seconds * 1000 * (1 - (this.options.renewAt ?? 0.75));
    // Where Vault did not answer then, again after half of what is left, each time.
    return Math.max(100, left > leftAtRenewal ? left - leftAtRenewal : left / 2);
  }

  /** Whether the lease goes on, or may yet. */
  private async renewed(): Promise<boolean> {
    const { lease, options } = this;
    if (lease === undefined || options.vault === undefined) return false;
    try {
      const body = { lease_id: lease.id, increment: lease.seconds };
      const { lease_duration: seconds = 0 } = await askVault(options.vault, "sys/leases/renew", { body });
      // Less than asked for: it is near its longest time.
      if (seconds < lease.seconds) return false;
      this.hold(lease);
      options.onRenewed?.(seconds);
      return true;
    } catch (error) {
      if (!(error instanceof VaultRefusal)) throw error;
      options.onError?.(error);
      // A second is what it takes to get another login.
      return error.isOfServer && error.status !== 403 && this.end - Date.now() > 1000;
    }
  }

  private hold(lease: Lease | undefined): void {
    this.lease = lease;
    this.end = Date.now() + (lease?.seconds ?? 0) * 1000;
  }
}
