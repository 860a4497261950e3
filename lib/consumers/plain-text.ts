import { ConfigurationError, show } from "../errors";
import { composed, UNPRINTABLE } from "../terraform-text";
import { knownParts, pathWithStandIns } from "../tokens";

// eslint-disable-next-line no-control-regex -- as UNPRINTABLE, but for tab and line feed
const UNPRINTABLE_BUT_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

/**
 * Checks a text that goes into an agent's configuration and returns it. What only Terraform knows passes, what stands around
 * it is checked.
 *
 * @param what it is, for the message
 * @param allow line feeds and tabs, or delimiters of templates
 * @throws ConfigurationError for control characters, and for what a template language would replace
 */
export function plainText(
  what: string,
  text: string,
  allow: { readonly lines?: boolean; readonly delimiters?: boolean } = {},
): string {
  const parts = knownParts(text);
  const unprintable = allow.lines === true ? UNPRINTABLE_BUT_LINES : UNPRINTABLE;
  if (parts.some((part) => unprintable.test(part))) {
    throw new ConfigurationError(
      `The ${what} ${show(text)} holds a control character or is not valid Unicode.`,
      "Use printable characters only.",
    );
  }
  const delimiter =
    allow.delimiters === true
      ? undefined
      : ["{{", "}}"].find((each) => parts.some((part) => part.includes(each)));
  if (delimiter !== undefined) {
    throw new ConfigurationError(
      `The ${what} ${show(text)} holds ${show(delimiter)}, which the agent reads as a template.`,
      "Leave it out.",
    );
  }
  const terraform = ["${", "%{"].find((each) => parts.some((part) => part.includes(each)));
  if (terraform !== undefined) {
    throw new ConfigurationError(
      `The ${what} ${show(text)} holds ${show(terraform)}, which Terraform reads as a template in an output.`,
      allow.delimiters === true
        ? `Write {{ "${terraform.charAt(0)}" }}{ instead, or pass a CDKTF token for a value that Terraform knows.`
        : "Leave it out, or pass a CDKTF token for a value that Terraform knows.",
    );
  }
  return composed(what, text);
}

/**
 * Checks a path on the agent's machine and returns it.
 *
 * @throws ConfigurationError unless it is absolute, names a file, and has no `.` or `..` in it
 */
export function absolutePath(what: string, path: string): string {
  plainText(what, path);
  const [root, ...segments] = pathWithStandIns(path).split("/");
  if (
    root !== "" ||
    segments.length === 0 ||
    segments.some((segment) => segment === "" || segment === "." || segment === "..")
  ) {
    throw new ConfigurationError(
      `The ${what} ${show(path)} is not an absolute path.`,
      'Start it with "/" and leave out "//", "." and "..": what an agent takes it for would hang on where it was started.',
    );
  }
  return path;
}
