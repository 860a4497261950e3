import { ConfigurationError } from "./errors";
import { isUnresolved } from "./tokens";

/**
 * Checks that a value is known at synthesis, where it decides what is declared or written, and returns it.
 *
 * @param what it is, for the message, such as `name of a field`
 * @throws ConfigurationError for a value that Terraform alone knows, or a part of it
 */
export function knownAtSynthesis<T extends string>(what: string, value: T): T {
  if (isUnresolved(value)) {
    throw new ConfigurationError(
      `The ${what} is known to Terraform only.`,
      "What is declared depends on it, so that it has to be known when the stack is synthesized: write it as a plain text.",
    );
  }
  return value;
}

/**
 * Checks that the elements of a list are known at synthesis, where each becomes a thing of its own, and returns it. An
 * element may be a token; a list that is one has no elements yet.
 *
 * @param what is listed, for the message, such as `schemas of an access level`
 * @throws ConfigurationError for a list that only Terraform knows
 */
export function listedOneByOne(what: string, list: readonly string[]): readonly string[] {
  if (isUnresolved(list) || list.some((element) => element.includes("#{TfToken["))) {
    throw new ConfigurationError(
      `The list of ${what} is known to Terraform only.`,
      "Something is declared or written for each, so that they have to be known when the stack is synthesized: list them one by one. A single one may be a token.",
    );
  }
  return list;
}
