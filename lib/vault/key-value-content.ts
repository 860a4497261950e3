import { Fn } from "cdktf";
import { ConfigurationError, show } from "../errors";
import { checkNoSecrets, type NoSecrets } from "../secret-looking";
import { terraformText } from "../terraform-text";
import { asArgument, isUnresolved } from "../tokens";
import type { WriteOnlySecret } from "../write-only-secret";

/** What the provider takes of a secret's content. */
interface ContentArguments {
  readonly dataJson?: string;
  readonly dataJsonWo?: string;
  readonly dataJsonWoVersion?: number;
}

/** What a secret of a key-value engine holds, and whether the plan may show it. */
export class KeyValueContent {
  /**
   * Values that are no secret, such as a host and a port. They stand in the synthesized file and in the state.
   *
   * @throws ConfigurationError for keys that name a secret, such as `dbPassword`, and values that look like one, such as a
   *   URL with a password or a private key, unless `notSecret` lists the key
   */
  static visible(
    values: Readonly<Record<string, string | number | boolean>>,
    options: NoSecrets = {},
  ): KeyValueContent {
    const keys = checkKeys(Object.keys(values));
    checkNoSecrets("visible key-value content", values, "pass it to KeyValueContent.writeOnly", options);
    for (const value of Object.values(values)) {
      if (typeof value === "string") terraformText("key-value content", value);
      if (typeof value === "number" && !isUnresolved(value) && !Number.isFinite(value)) {
        throw new ConfigurationError(
          `The key-value content has the number ${show(value)}.`,
          "JSON has no such number; use a finite one.",
        );
      }
    }
    const sorted = Object.fromEntries(keys.map((key) => [key, values[key]]));
    const json = Object.values(values).some(isUnresolved)
      ? Fn.jsonencode(asArguments(sorted))
      : JSON.stringify(sorted);
    return new KeyValueContent({ dataJson: json });
  }

  /**
   * Secret values, which stand in no file. They are sent together, when the secret is new and whenever their version
   * changes: raise it, too, when a key is added or renamed.
   *
   * @throws ConfigurationError for values whose versions differ
   */
  static writeOnly(values: Readonly<Record<string, WriteOnlySecret>>): KeyValueContent {
    const keys = checkKeys(Object.keys(values));
    const versions = [...new Set(Object.values(values).map(({ version }) => version))];
    // Of two that Terraform knows, nobody can say here that they differ.
    if (versions.length > 1 && !versions.some(isUnresolved)) {
      throw new ConfigurationError(
        `The values of the key-value content have the versions ${versions.sort((a, b) => a - b).join(" and ")}.`,
        "They are sent together; give them one version, higher than before.",
      );
    }
    return new KeyValueContent({
      dataJsonWo: Fn.jsonencode(Object.fromEntries(keys.map((key) => [key, values[key]?.value]))),
      dataJsonWoVersion: versions[0],
    });
  }

  private constructor(
    /** @internal What a secret passes to the provider. */
    readonly resourceArguments: ContentArguments,
  ) {}
}

function asArguments(values: Readonly<Record<string, string | number | boolean | undefined>>) {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "string" ? asArgument(value) : value]),
  );
}

/** Sorted, as the servers keep them. */
function checkKeys(keys: readonly string[]): string[] {
  if (keys.includes("__proto__")) {
    throw new ConfigurationError(
      'The key-value content has the key "__proto__".',
      "JavaScript loses it; use another.",
    );
  }
  if (keys.length === 0) {
    throw new ConfigurationError("The key-value content is empty.", "Give it one key and value or more.");
  }
  if (keys.some(isUnresolved)) {
    throw new ConfigurationError(
      "The key-value content has keys that only Terraform knows.",
      "Whether one names a secret has to be known when the stack is synthesized: list the keys; their values may be tokens.",
    );
  }
  const unusable = keys.find((key) => !/^[A-Za-z0-9_.-]+$/.test(key));
  if (unusable !== undefined) {
    throw new ConfigurationError(
      `The key-value content has the key ${show(unusable)}.`,
      'Use letters, digits, "_", "-" and ".".',
    );
  }
  return [...keys].sort();
}
