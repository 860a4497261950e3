import { ConfigurationError } from "../lib/errors";
import type { Environment } from "./environment";

/**
 * What an environment's stacks call things on the servers. All of it is known before anything is deployed, so that the
 * stack of a group refers to the base's by name and reads no other stack's state.
 */
export interface EnvironmentNames {
  /** Stack of the environment; the base, where it has groups. */
  readonly stack: string;
  /** Begins every name: PostgreSQL's roles and Vault's mounts and policies belong to a whole server. */
  readonly prefix: string;
  readonly database: string;
  readonly manager: string;
  readonly engine: string;
  readonly auth: string;
  /** What the states of its stacks say whose they are; that of a group adds its name. */
  readonly owner: string;
}

/** @throws ConfigurationError if the environment's name or application is not usable */
export function namesOf({ name, application }: Environment): EnvironmentNames {
  checkName("environment's name", name);
  checkName("environment's application", application);
  const prefix = `${application}-${name}`;
  const database = prefix.replaceAll("-", "_");
  return {
    stack: name,
    prefix,
    database,
    manager: `${database}_manager`,
    engine: `${prefix}/database`,
    auth: `${prefix}/approle`,
    owner: `${application}/${name}`,
  };
}

/** Name of a group's stack. */
export function groupStackName(environment: string, group: string): string {
  checkName(`name of a group of environment ${JSON.stringify(environment)}`, group);
  return `${environment}-${group}`;
}

function checkName(what: string, name: string): void {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name.endsWith("-")) {
    throw new ConfigurationError(
      `The ${what} is ${JSON.stringify(name)}.`,
      "Use up to 31 lower-case letters, digits and dashes, with a letter first and no dash last.",
    );
  }
}
