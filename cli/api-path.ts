import { UserError } from "./errors";
import { inLine } from "./text";

/**
 * An API path as it goes into a URL. Each part stays one part: what is special in a URL is encoded, and a path that a server
 * would lead elsewhere is refused, since the token would go there.
 *
 * @param path below `/v1/`, such as `orders-dev/database/creds/reader`
 * @throws UserError for a path with an empty part, `.`, `..` or a control character
 */
export function encodedPath(path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part)) || inLine(path) !== path) {
    throw new UserError(
      `"${inLine(path)}" is no path of Vault's API.`,
      'Such a path has no part that is empty, "." or "..", and no control character. Look where it comes from.',
    );
  }
  return parts.map(encodeURIComponent).join("/");
}
