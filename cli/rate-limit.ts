import { setTimeout as pause } from "node:timers/promises";
import { refusal, type VaultResponse } from "./vault-answer";

/** How long a request waits for its turn in all. A quota that lets nothing through for so long is not one of requests. */
const LONGEST_MS = 5 * 60_000;
const FIRST_MS = 500;
const MOST_MS = 15_000;
const TOLD_EVERY_MS = 5_000;

/**
 * Waits where the server limits the rate of requests, as its own client does. What was limited was not carried out, so that
 * every request may be made again.
 */
export class RateLimit {
  private toldAt = -Infinity;

  /** @param note for whoever waits, such as on standard error */
  constructor(private readonly note: (text: string) => void = () => undefined) {}

  /** Makes a request until it is not limited, or has waited long enough. @returns the last answer */
  async obey(asked: string, request: () => Promise<VaultResponse>): Promise<VaultResponse> {
    let waited = 0;
    for (let attempt = 0; ; attempt++) {
      const answer = await request();
      if (!isLimited(answer)) return answer;
      const wait = waitingTime(answer, attempt);
      if (waited + wait > LONGEST_MS) return answer;
      this.tell(asked, wait);
      await pause(wait);
      waited += wait;
    }
  }

  private tell(asked: string, wait: number): void {
    if (Date.now() - this.toldAt < TOLD_EVERY_MS) return;
    this.toldAt = Date.now();
    const seconds = Math.max(1, Math.round(wait / 1_000));
    this.note(
      `Vault limits the rate of requests (429 to ${asked}): asking again in ${seconds} s, for ${LONGEST_MS / 60_000} min at most.`,
    );
  }
}

/** Whether Vault has put a request off. A quota of leases is full until leases end, and a standby's health is no refusal. */
function isLimited({ status, body }: VaultResponse): boolean {
  const errors = status === 429 ? refusal(body) : undefined;
  return errors !== undefined && !errors.some((words) => /lease count/i.test(words));
}

/** What the server says, in whole seconds; else longer each time. Not the same for all that were refused at once. */
function waitingTime({ retryAfterSeconds }: VaultResponse, attempt: number): number {
  const own = Math.min(FIRST_MS * 2 ** attempt, MOST_MS);
  const base = retryAfterSeconds === undefined ? own : Math.min(retryAfterSeconds * 1_000, 4 * MOST_MS);
  return base + Math.random() * Math.min(base, FIRST_MS);
}
