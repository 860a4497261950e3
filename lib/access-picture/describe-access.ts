import type { IConstruct } from "constructs";
import { accessOf } from "./access-of";
import { DESCRIPTION, type Description } from "./described";
import type { AccessReport } from "./report";

/**
 * Where a program that runs somebody's app puts a function, to be told of each construct that describes itself, and how to
 * read the tree that it is in. `vault-postgres access` does, in cli/bin/access-preload.js; nobody else has to.
 */
const WATCHER = Symbol.for("cdktf-database-credentials.access-watcher");

type Watcher = (construct: IConstruct, accessOf: (...scopes: readonly IConstruct[]) => AccessReport) => void;

/**
 * Lets a construct describe itself to `accessOf`.
 *
 * @param describe called when a report is made, when all grants are known
 */
export function describeAccess(construct: IConstruct, describe: () => Description): void {
  Object.defineProperty(construct, DESCRIPTION, { value: describe });
  (globalThis as { [WATCHER]?: Watcher })[WATCHER]?.(construct, accessOf);
}
