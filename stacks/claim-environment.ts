import type { IConstruct } from "constructs";
import { ConfigurationError } from "../lib/errors";
import { isOfEveryObject } from "../lib/free-id";
import type { Environment } from "./environment";
import type { EnvironmentNames } from "./environment-names";

/** The environments of each app, by what begins their names on the servers. */
const apps = new WeakMap<IConstruct, Map<string, Environment[]>>();

/**
 * Takes the names of an environment for it.
 *
 * @throws ConfigurationError if another environment of the app has a stack of the name, or names on a server that begin
 *   alike: `orders-eu` in `dev` and `orders` in `eu-dev`, say
 */
export function claimEnvironment(
  scope: IConstruct,
  environment: Environment,
  { stack, prefix }: EnvironmentNames,
): void {
  requireFreeStack(scope, stack, described(environment));
  const { root } = scope.node;
  const claimed = apps.get(root) ?? new Map<string, Environment[]>();
  apps.set(root, claimed);
  const others = claimed.get(prefix) ?? [];
  for (const other of others) {
    const server = sharedServer(environment, other);
    if (server === undefined) continue;
    throw new ConfigurationError(
      `The names of ${described(other)} and of ${described(environment)} would all begin with "${prefix}", on ${server}.`,
      "Roles, databases, mounts and policies are named after the application and the environment, joined by a dash: rename " +
        "one of them, so that the whole differs.",
    );
  }
  claimed.set(prefix, [...others, environment]);
}

/** @throws ConfigurationError if the app has a stack of the name, or can have none */
export function requireFreeStack(scope: IConstruct, stack: string, what: string): void {
  if (isOfEveryObject(stack)) {
    throw new ConfigurationError(
      `The stack of ${what} would be named "${stack}", as something that every object of JavaScript has.`,
      "A stack is named after its environment, and after its group: use another name.",
    );
  }
  if (scope.node.tryFindChild(stack) === undefined) return;
  throw new ConfigurationError(
    `The stack of ${what} would be named "${stack}", as another stack of the app is.`,
    "A stack is named after its environment, and after its group: give each environment of an app a name of its own.",
  );
}

function described({ name, application }: Environment): string {
  return `environment "${name}" of application "${application}"`;
}

/** A server that both are on, for the message. */
function sharedServer(a: Environment, b: Environment): string | undefined {
  const { host } = a.postgres;
  if (
    host.toLowerCase() === b.postgres.host.toLowerCase() &&
    (a.postgres.port ?? 5432) === (b.postgres.port ?? 5432)
  ) {
    return `the PostgreSQL server ${host}`;
  }
  const same =
    spelled(a.vault.address) === spelled(b.vault.address) &&
    spelled(a.vault.namespace) === spelled(b.vault.namespace);
  return same ? `the Vault server ${a.vault.address}` : undefined;
}

/** In the one spelling that servers have for it. */
function spelled(text = ""): string {
  return text.replace(/^\/+|\/+$/g, "").toLowerCase();
}
