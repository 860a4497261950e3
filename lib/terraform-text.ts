import { ConfigurationError, show } from "./errors";
import { knownAtSynthesis } from "./known-at-synthesis";
import { knownParts } from "./tokens";

/** Control characters, and halves of characters that are no Unicode alone. */
// eslint-disable-next-line no-control-regex -- control characters are just what must not pass
export const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

/** What no text may hold on its way to a server, lines or not. */
// eslint-disable-next-line no-control-regex -- PostgreSQL has no NUL in a text, and neither has a process argument
const UNTRANSPORTABLE = /\u0000|\p{Surrogate}/u;

/**
 * Checks a text that Terraform is to hand on as it is, and returns it. Tokens of CDKTF pass, what stands around them is
 * checked.
 *
 * @param what it is, for the message
 * @throws ConfigurationError for what Terraform would read as a template of its own, for NUL and for what is no Unicode,
 *   and as {@link composed}
 */
export function terraformText(what: string, text: string): string {
  const parts = knownParts(text);
  const sequence = ["${", "%{"].find((candidate) => parts.some((part) => part.includes(candidate)));
  if (sequence !== undefined) {
    throw new ConfigurationError(
      `The ${what} holds ${show(sequence)}, which Terraform reads as a template: ${show(text)}`,
      "Leave it out, or pass a CDKTF token for a value that Terraform knows.",
    );
  }
  if (parts.some((part) => UNTRANSPORTABLE.test(part))) {
    throw new ConfigurationError(
      `The ${what} holds a NUL or is not valid Unicode: ${show(text)}`,
      "Leave the character out.",
    );
  }
  return composed(what, text);
}

/** As {@link terraformText}, for a text of one line. */
export function terraformLine(what: string, text: string): string {
  if (knownParts(text).some((part) => UNPRINTABLE.test(part))) {
    throw new ConfigurationError(
      `The ${what} holds a control character or is not valid Unicode: ${show(text)}`,
      "Use printable characters only.",
    );
  }
  return terraformText(what, text);
}

/**
 * Refuses what would arrive as another text than what was given: characters that are written as several where one would do,
 * which Terraform composes (NFC), and a "$" before a token, by which Terraform takes the token for a text.
 */
export function composed(what: string, text: string): string {
  const parts = knownParts(text);
  if (parts.slice(0, -1).some((part) => part.endsWith("$"))) {
    throw new ConfigurationError(
      `The ${what} ${show(text)} has a "$" before a value that Terraform knows, which it would not fill in then.`,
      "Write something between them.",
    );
  }
  for (const part of parts) {
    const normal = part.normalize("NFC");
    if (normal === part) continue;
    throw new ConfigurationError(
      `The ${what} ${show(part)} has characters that Terraform changes: it composes letters and their marks (NFC).`,
      `Write it as ${show(normal)}, which looks the same.`,
    );
  }
  return text;
}

/**
 * Checks the name of a variable or an output of Terraform and returns it.
 *
 * @throws ConfigurationError unless it is letters, digits, `_` and `-`, with a letter or `_` first, or if it is `__proto__`
 */
export function terraformName(what: string, name: string): string {
  knownAtSynthesis(`name of a Terraform ${what}`, name);
  // JavaScript loses an entry of the name "__proto__".
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) || name === "__proto__") {
    throw new ConfigurationError(
      `The name ${show(name)} of a Terraform ${what} is not usable.`,
      'Use letters, digits, "_" and "-", with a letter or "_" first.',
    );
  }
  return name;
}
