// As much of the API of Vault and OpenBao as an application needs. For a certificate authority that is not the system's,
// start Node.js with NODE_EXTRA_CA_CERTS.

/** Where Vault is, and as whom to ask it. */
export interface VaultAccess {
  /** Such as `https://vault.example.com:8200`. */
  readonly address: string;
  readonly token: string;
}

export interface VaultAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly lease_id?: string;
  /** Seconds. */
  readonly lease_duration?: number;
  readonly renewable?: boolean;
}

/** Vault gave no answer, or not what was asked for. Names the path, and nothing of what was sent or answered. */
export class VaultRefusal extends Error {
  /** @param status of HTTP; 0 if Vault cannot be reached, 502 if what answered is not Vault */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether it may be otherwise at another time or for another token; if not, the request itself is wrong. */
  get isOfServer(): boolean {
    return [0, 403, 404, 429].includes(this.status) || this.status >= 500 || isRedirect(this.status);
  }
}

const TIMEOUT_MS = 10_000;

/** Reads a path, or writes to it where there is a body. */
export async function askVault(
  { address, token }: VaultAccess,
  path: string,
  options: { readonly body?: object; readonly signal?: AbortSignal } = {},
): Promise<VaultAnswer> {
  const url = new URL(`/v1/${path}`, address);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method: options.body === undefined ? "GET" : "PUT",
      headers: { "X-Vault-Request": "true", "X-Vault-Token": token },
      body: options.body && JSON.stringify(options.body),
      // To follow one would take the token to whatever host it names.
      redirect: "manual",
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  } catch (error) {
    throw unreachable(path, error, timeout.aborted);
  }
  if (response.status === 403) throw new VaultRefusal(403, `Vault denies ${path} to this token`);
  if (isRedirect(response.status)) {
    const said = `Vault answers ${response.status} to ${path}, a redirect, which is not followed`;
    throw new VaultRefusal(response.status, said);
  }
  if (!response.ok) throw new VaultRefusal(response.status, `Vault answers ${response.status} to ${path}`);
  const answer: unknown = await response.json().catch(() => undefined);
  if (typeof answer !== "object" || answer === null) {
    throw new VaultRefusal(502, `Vault's answer to ${path} is not JSON`);
  }
  return answer;
}

/** A standby that hands no request on answers so, and a balancer. */
function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** What `fetch` throws: for a failure of the network it has a cause with a code; all else is no word about Vault. */
function unreachable(path: string, error: unknown, timedOut: boolean): unknown {
  const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
  if (timedOut) return new VaultRefusal(0, `Vault gives no answer to ${path} within ${TIMEOUT_MS / 1000} s`);
  if (typeof code === "string") return new VaultRefusal(0, `Vault cannot be reached for ${path}: ${code}`);
  return error;
}
