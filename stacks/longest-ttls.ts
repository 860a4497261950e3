import { Duration } from "../lib/duration";
import type { Environment, RolesAndApplications } from "./environment";

/** What a mount allows that is not told otherwise. */
const OF_A_SERVER = Duration.days(32);

/** Bounds that the mounts of an environment need, for what its own stack and those of its groups declare. */
export interface LongestTtls {
  /** Of the secrets engine; absent where the server's own will do. */
  readonly engine?: Duration;
  /** Of the auth method; absent where the server's own will do. */
  readonly auth?: Duration;
}

/** The stack of the environment declares the mounts, and does not see what the groups' stacks declare on them. */
export function longestTtls(environment: Environment): LongestTtls {
  const parts: Partial<RolesAndApplications>[] = [environment, ...Object.values(environment.groups ?? {})];
  const roles = parts.flatMap((part) => Object.values(part.roles ?? {}));
  const applications = parts.flatMap((part) => Object.values(part.applications ?? {}));
  return {
    engine: longest(roles.map(({ maxTtl }) => maxTtl)),
    auth: longest(
      applications.flatMap((application) => [
        application.secretIdTtl,
        application.tokenTtl,
        application.tokenMaxTtl,
        application.tokenPeriod,
        application.tokenExplicitMaxTtl,
      ]),
    ),
  };
}

function longest(ttls: readonly (Duration | undefined)[]): Duration | undefined {
  return ttls.reduce(
    (found, ttl) => (ttl?.isLongerThan(found ?? OF_A_SERVER) === true ? ttl : found),
    undefined,
  );
}
