import { Client } from "pg";
import { askVault, VaultRefusal } from "../shared/vault";

export interface EndlessClientOptions {
  /** Such as `https://vault.example.com:8200`. */
  readonly vaultAddress: string;
  /** Token that may read `credsPath`. */
  readonly vaultToken: string;
  /** `<engine>/creds/<role>` for dynamic credentials, `<engine>/static-creds/<role>` for static ones. */
  readonly credsPath: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** PEM of the certificate authority; absent for no TLS. */
  readonly caCertificate?: string;
  /** Pause between two rounds. @default 1000 */
  readonly intervalMilliseconds?: number;
  /** Ends the client. */
  readonly signal?: AbortSignal;
}

/** What the client met with in a round. No password is in it. */
export type ClientEvent =
  /** Read a credential from Vault. */
  | { readonly kind: "credential"; readonly username: string; readonly ttlSeconds: number }
  /** Did its work in the database. */
  | { readonly kind: "worked"; readonly username: string }
  /** PostgreSQL refused the credential, which is asked for anew in the next round. */
  | { readonly kind: "refused"; readonly username: string; readonly code: string }
  /** Vault or PostgreSQL did not answer as it should; the same again in the next round. */
  | { readonly kind: "failed"; readonly message: string };

interface Credential {
  readonly username: string;
  readonly password: string;
}

/**
 * Works for ever: connects, asks one thing, disconnects, waits. It keeps a credential until PostgreSQL refuses it, be it
 * revoked, expired or rotated, and then reads another.
 *
 * @throws Error if Vault denies the credential: no waiting helps against that
 */
export async function* endlessClient(options: EndlessClientOptions): AsyncGenerator<ClientEvent> {
  let credential: Credential | undefined;
  while (options.signal?.aborted !== true) {
    try {
      if (credential === undefined) {
        const { ttlSeconds, ...read } = await readCredential(options);
        credential = read;
        yield { kind: "credential", username: credential.username, ttlSeconds };
      }
      await work(options, credential);
      yield { kind: "worked", username: credential.username };
    } catch (error) {
      if (error instanceof VaultRefusal && error.status === 403) throw error;
      const code = (error as { code?: unknown }).code;
      // By its class: the text of a message depends on the server's language and version.
      if (credential !== undefined && typeof code === "string" && code.startsWith(INVALID_AUTHORIZATION)) {
        yield { kind: "refused", username: credential.username, code };
        credential = undefined;
        continue;
      }
      yield { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
    await pause(options.intervalMilliseconds ?? 1000, options.signal);
  }
}

/** Class of the SQLSTATEs 28000 and 28P01: no such login, or not with this password. */
const INVALID_AUTHORIZATION = "28";

async function readCredential(options: EndlessClientOptions): Promise<Credential & { ttlSeconds: number }> {
  const access = { address: options.vaultAddress, token: options.vaultToken };
  const answer = await askVault(access, options.credsPath, { signal: options.signal });
  const { username, password, ttl } = answer.data as unknown as Credential & { ttl?: number };
  // A dynamic credential has a lease; a static one says itself when its password changes.
  return { username, password, ttlSeconds: ttl ?? answer.lease_duration ?? 0 };
}

async function work(options: EndlessClientOptions, { username, password }: Credential): Promise<void> {
  const client = new Client({
    host: options.host,
    port: options.port,
    database: options.database,
    user: username,
    password,
    ssl: options.caCertificate === undefined ? false : { ca: options.caCertificate },
  });
  // An error between two queries is no reason to die; the next query reports it.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT current_user");
  } finally {
    await client.end().catch(() => undefined);
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
