import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";

/** How long the credentials of a dynamic role live. */
export interface RoleTtls {
  /** How long a credential lives unless renewed: 1 second or more. @default Duration.hours(1) */
  readonly defaultTtl?: Duration;
  /** How long it lives however often renewed; not under `defaultTtl`. @default Duration.hours(24) */
  readonly maxTtl?: Duration;
}

/**
 * Checks the TTLs of a role and fills in their defaults.
 *
 * @throws ConfigurationError for a TTL of 0, or a maxTtl under defaultTtl
 */
export function checkTtls(role: string, given: RoleTtls): Required<RoleTtls> {
  const { defaultTtl = Duration.hours(1), maxTtl = Duration.hours(24) } = given;
  if (defaultTtl.toSeconds() === 0 || maxTtl.toSeconds() === 0) {
    throw new ConfigurationError(
      `The role ${show(role)} has a TTL of 0.`,
      "The engine would take its own default, up to 32 days; give a time of 1 second or more.",
    );
  }
  if (defaultTtl.isLongerThan(maxTtl)) {
    const shown = (name: "defaultTtl" | "maxTtl", ttl: Duration) =>
      `${name} ${ttl.toString()}${given[name] ? "" : " (the default)"}`;
    throw new ConfigurationError(
      `The role ${show(role)} has ${shown("maxTtl", maxTtl)} under ${shown("defaultTtl", defaultTtl)}.`,
      "Set a maxTtl that is as long as defaultTtl or longer.",
    );
  }
  return { defaultTtl, maxTtl };
}
