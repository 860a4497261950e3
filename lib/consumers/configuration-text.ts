import { ConfigurationError, show } from "../errors";
import { isToken, withStandIns } from "../tokens";
import { plainText } from "./plain-text";

/** The JSON form of a configuration, which its readers take for HCL. */
export function configurationText(configuration: object): string {
  return `${JSON.stringify(configuration, undefined, 2)}\n`;
}

/**
 * Checks the URL of the Vault or OpenBao API and returns it.
 *
 * @throws ConfigurationError unless it is http or https, a host and perhaps a port
 */
export function apiAddress(address: string): string {
  // A token by itself is the whole URL, and one in it a part.
  const known = withStandIns(address, isToken(address) ? "https://x" : "1");
  if (!URL.canParse(known) || !/^https?:\/\/[^/@?#\s]+\/?$/.test(known)) {
    // What stands before an "@" may be a password.
    const shown = address.includes("@") ? "with a login" : show(address);
    throw new ConfigurationError(
      `The address of Vault ${shown} is not usable.`,
      "Use http or https, a host and a port, such as https://vault.example.com:8200.",
    );
  }
  return plainText("address of Vault", address);
}
