import { ConfigurationError } from "../errors";
import { knownParts, withStandIns } from "../tokens";

/**
 * Checks the characters of a connection URL and returns it. It is not shown, for it may hold a password.
 *
 * @throws ConfigurationError for all that is not printable ASCII, for blanks, and for templates of Terraform's
 */
export function plainUrl(url: string): string {
  const known = withStandIns(url);
  // Terraform would not fill in what comes after it.
  const dollar = knownParts(url)
    .slice(0, -1)
    .some((part) => part.endsWith("$"));
  if (!/^[!-~]*$/.test(known) || known.includes("${") || known.includes("%{") || dollar) {
    throw new ConfigurationError(
      'The connection URL holds a character that is not printable ASCII, a blank, "${" or "%{", or a "$" before a token.',
      'Percent-encode it, such as "%20" for a blank and "%C3%A9" for "é".',
    );
  }
  return url;
}
