import type { Construct } from "constructs";
import { ConfigurationError, show } from "./errors";
import { isUnresolved } from "./tokens";

/**
 * Returns a construct id that a name gives, for a child that is yet to be made.
 *
 * @param what kind of thing has the name, for the message
 * @param id of the child @default - the name
 * @throws ConfigurationError if the name is empty, if the id would hold what only Terraform knows, or if it is that of another child: of one with the same name, of a part
 *   of the library's own, or of one whose name differs by `/` and `--`, for which a Terraform address has one spelling
 */
export function freeId(scope: Construct, what: string, name: string, id = name): string {
  if (name === "") {
    throw new ConfigurationError(`A ${what} has an empty name.`, "Give it one of 1 character or more.");
  }
  if (isUnresolved(id)) {
    throw new ConfigurationError(
      `The name ${show(name)} of a ${what} is known to Terraform only, and no address can be made of it.`,
      `Give the ${what} an id of your own beside its name, which may be a token then: its constructor takes both, and so do addBaseRole and addLogin.`,
    );
  }
  if (isOfEveryObject(id)) {
    throw new ConfigurationError(
      `The ${what} ${show(name)} has the name of something that every object of JavaScript has, by which constructs cannot be told.`,
      `Give the ${what} another name.`,
    );
  }
  if (scope.node.tryFindChild(id)) {
    throw new ConfigurationError(
      `The ${what} ${show(name)} would have the Terraform address of another part of ${show(scope.node.path)}.`,
      `Give each ${what} a name of its own, not only in "/" and "--"; "Resource" and "config-…" are the library's.`,
    );
  }
  return id;
}

/** Such as `constructor`, `toString`: constructs keeps children in a plain object, and takes each of these for a child that is there. */
export function isOfEveryObject(id: string): boolean {
  return id in {};
}
