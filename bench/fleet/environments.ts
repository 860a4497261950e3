import { Access, Duration } from "../../lib";
import type { Environment } from "../../stacks/environment";
import { local } from "../../stacks/environments/local";
import { namesOf } from "../synthesis/names";

/** A part of a fleet: databases on the servers of one sandbox, each an environment and a stack of its own. */
export interface Fleet {
  /** Begins all names, so that several fit on the same servers: the name of an application. */
  readonly name: string;
  readonly stacks: number;
  /** In each stack; they read, and each has an application. */
  readonly roles: number;
  /** Whether a role of the first stack has another lifetime than the rest. @default false */
  readonly changed?: boolean;
}

/** Names of the stacks, such as `d0001`. */
export function stacksOf({ stacks }: Fleet): string[] {
  return Array.from({ length: stacks }, (_, index) => `d${String(index + 1).padStart(4, "0")}`);
}

/** @param variables the process's environment, which names the servers */
export function environmentsOf(fleet: Fleet, variables: NodeJS.ProcessEnv): Environment[] {
  const names = namesOf(fleet.roles);
  const access = Access.readOnly({ schemas: ["app"] });
  return stacksOf(fleet).map((name, index) => ({
    ...local(variables),
    application: fleet.name,
    name,
    roles: Object.fromEntries(
      names.map((role) => [
        role,
        role === names[0] && index === 0 && fleet.changed === true
          ? { access, defaultTtl: Duration.minutes(30) }
          : { access },
      ]),
    ),
    applications: Object.fromEntries(names.map((role) => [`reads-${role}`, { roles: [role] }])),
  }));
}
