import { ConfigurationError, show } from "../lib/errors";
import { isToken, withStandIns } from "../lib/tokens";

/**
 * Checks the URL of the Vault or OpenBao API of an environment and returns it. It gets into the synthesized file, the state and
 * the outputs.
 *
 * @throws ConfigurationError unless it is http or https, with a host and nothing that may be a secret
 */
export function vaultAddress(address: string): string {
  // A token, or an expression of Terraform's, is the whole URL by itself, and a part in it.
  const isWhole = isToken(address) || /^\$\{[^}]*\}$/.test(address);
  if (isWhole || isUsable(withStandIns(address, "1").replaceAll(/\$\{[^}]*\}/g, "1"))) return address;
  // What stands before an "@" may be a password, and so may a query.
  const shown = /[@?#]/.test(address) ? "has more in it than a place, and" : show(address);
  throw new ConfigurationError(
    `The address of Vault ${shown} is not usable.`,
    "Use http or https, a host and a port, such as https://vault.example.com:8200: no login, since it would be in the state, and no /v1.",
  );
}

function isUsable(address: string): boolean {
  if (!URL.canParse(address) || !/^https?:\/\/[^/\s]/i.test(address) || /\s/.test(address)) return false;
  const { username, password, search, hash, pathname } = new URL(address);
  const isPlain = [username, password, search, hash].every((part) => part === "");
  return isPlain && !/[@?#]/.test(address) && !/\/v1\/?$/.test(pathname);
}
