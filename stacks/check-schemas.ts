import { ConfigurationError, show } from "../lib/errors";
import { isUnresolved, mayBeOneOf } from "../lib/tokens";
import { groupsOf } from "./check-groups";
import type { Environment, EnvironmentRole } from "./environment";

/** Schemas that an environment makes unless it says otherwise. */
export const DEFAULT_SCHEMAS: readonly string[] = ["app"];

/** What a template of the user's own may bring schemas with. */
const EMPTY_TEMPLATES: readonly string[] = ["template0", "template1"];

/** Schemas of every database. */
const OF_THE_SERVER = /^(?:public|information_schema|pg_.*)$/;

/**
 * Checks that roles have access to schemas which the environment makes. Of another, a deployment would end halfway: the role
 * is made, and Terraform's provider "could not find schema".
 *
 * @throws ConfigurationError for a schema that is not among the environment's, unless roles or the template may make others
 */
export function checkSchemas(environment: Environment): void {
  const { name: ofEnvironment, schemas = DEFAULT_SCHEMAS, databaseTemplate = "template0" } = environment;
  const parts = [environment, ...groupsOf(environment).map(([, group]) => group)];
  const roles = parts.flatMap((part) => Object.entries(part.roles ?? {}));
  const isKnown =
    EMPTY_TEMPLATES.includes(databaseTemplate) &&
    !schemas.some((schema) => isUnresolved(schema)) &&
    !roles.some(([, role]) => makesSchemas(role));
  if (!isKnown) return;
  for (const [name, { access }] of roles) {
    const other = access.schemas.find((each) => !mayBeOneOf(each, schemas) && !mayBeOfTheServer(each));
    if (other === undefined) continue;
    throw new ConfigurationError(
      `The role ${show(name)} of environment ${show(ofEnvironment)} has access to the schema ${show(other)}, which is not there.`,
      `Use one of ${[...schemas, "public"].join(", ")}, or add it to schemas: a schema that stands already is taken as it is.`,
    );
  }
}

function makesSchemas({ access }: EnvironmentRole): boolean {
  return access.grants.some(({ on, privileges }) => on === "database" && mayInclude(privileges, "CREATE"));
}

function mayInclude(privileges: readonly string[], wanted: string): boolean {
  return privileges.some((privilege) => mayBeOneOf(privilege, [wanted]));
}

function mayBeOfTheServer(schema: string): boolean {
  return isUnresolved(schema) || OF_THE_SERVER.test(schema);
}
