import { UserError } from "./errors";
import { AnswerFields, VaultError, type VaultClient, type VaultWrapInfo } from "./vault-client";

/**
 * Issues a SecretID that Vault wraps, so that only the first to unwrap it gets it.
 *
 * @param path API path that issues it
 */
export async function issueWrapped(
  vault: VaultClient,
  path: string,
  wrapSeconds: number,
): Promise<VaultWrapInfo> {
  const { wrap_info } = await vault.call({ method: "PUT", path, body: {}, wrapSeconds });
  if (!wrap_info) throw new UserError("Vault gave the SecretID without a wrapping.");
  requireCreatedAt(wrap_info.creation_path, path);
  return wrap_info;
}

/**
 * Unwraps a SecretID, after a look at what made the wrapping: one that another request made is a sign of a SecretID that
 * was swapped on the way.
 */
export async function unwrap(vault: VaultClient, wrappingToken: string, path: string): Promise<string> {
  const holder = vault.withToken(wrappingToken);
  try {
    const { data } = await holder.write("sys/wrapping/lookup", {});
    requireCreatedAt(data?.creation_path, path);
    const unwrapped = await holder.write("sys/wrapping/unwrap");
    return new AnswerFields("sys/wrapping/unwrap", unwrapped.data).text("secret_id");
  } catch (error) {
    if (!(error instanceof VaultError) || error.status >= 500) throw error;
    throw new UserError(
      `The SecretID cannot be unwrapped: ${error.message}`,
      "If the wrapping was used before us, somebody else has the SecretID: revoke it, and find out who.",
    );
  }
}

function requireCreatedAt(seen: unknown, path: string): void {
  if (seen === path) return;
  throw new UserError(
    `The wrapping was made by a request to ${String(seen)}, not to ${path}.`,
    "It was not unwrapped: somebody may have put another SecretID in its place.",
  );
}
