import { createHash } from "node:crypto";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Forgotten } from "../forgotten";
import { inLowerCase, isUnresolved } from "../tokens";
import type { IGrantee } from "./app-role";

/** Vault has no bound; what is longer is hard to read. */
const LONGEST = 128;

/** How a policy is called by which one stack lets somebody read what another stack declares, or nobody. */
export interface OwnPolicy {
  /** Of its construct. */
  readonly id: string;
  readonly name: string;
}

/**
 * Two stacks that gave their policies one name, such as that of the path, would write one policy, and whichever is destroyed
 * first would take it from the other's applications. So the name holds for whom it is, which is theirs alone on a server, and
 * a mark of the construct that refers to the path, so that two of these in a stack do not share a policy either.
 *
 * @param reader construct that refers to what is read
 * @param path that is read
 * @param grantee for whom it is; without, for whomever the stack gives it to
 */
export function ownPolicy(reader: Construct, path: string, grantee?: IGrantee): OwnPolicy {
  const whom = grantee?.identity ?? TerraformStack.of(reader).node.id;
  const place = Construct.isConstruct(grantee) && grantee.identity === undefined ? grantee.node.path : "";
  const mark = hash(reader.node.path, grantee?.identity ?? "", place).slice(0, 8);
  const id = `ReadPolicy-${mark}`;
  if (isUnresolved(path) || isUnresolved(whom)) {
    return { id, name: inLowerCase(`${path}.for.${whom}-${mark}`) };
  }
  // In the last segment, for what deploys may be let write policies that are named like paths of credentials only.
  const name = `${path}.for.${whom.replace(/[^A-Za-z0-9_-]+/g, ".")}`.toLowerCase();
  return { id, name: `${name.slice(0, LONGEST - mark.length - 1)}-${mark}` };
}

function hash(...texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

/**
 * Takes out of a state the policy that an earlier version declared there, and leaves it on the server: it has the name of the
 * one that the role's own stack declares, whose applications need it.
 */
export class ForgottenPolicy extends Forgotten {
  /** @param reader construct that refers to what is read; the policy was a part of it */
  constructor(reader: Construct) {
    super(new Construct(reader, "ReadPolicy"), "Resource", "vault_policy");
  }
}
