import type { Aftermath } from "./revocation-check";
import type { Scope, Target } from "./revocation-target";
import { counted, shellWord } from "./text";

/** How many are told by their ids. */
const MOST_TOLD = 20;

/** What of an AppRole's roles its tokens' end has not ended, whose it may be, and what ends it. Empty where there is none. */
export function goOnText(
  environment: string,
  target: Target,
  { hasBatchTokens }: Scope,
  goOn: Aftermath["goOn"],
): string {
  if (target.kind !== "approle" || goOn.length === 0) return "";
  const { name } = target;
  const more = goOn.length - MOST_TOLD;
  const [verb, them, theyAre] = goOn.length === 1 ? ["goes", "it", "it is"] : ["go", "them", "they are"];
  const revoke = `vault-postgres revoke ${environment}`;
  const roles = [...new Set(goOn.map(({ role }) => role))];
  return [
    `${counted(goOn.length, "credential")} of roles that ${name} reads ${verb} on:`,
    ...goOn.slice(0, MOST_TOLD).map(({ lease }) => `  ${lease}`),
    ...(more > 0 ? [`  and ${counted(more, "other")}, which --json names`] : []),
    `${name} has ${them} not by its tokens: ${theyAre} somebody else's, or a batch token's.` +
      (hasBatchTokens
        ? ` ${name} has batch tokens, which read on until they end: take the right to read from it first.`
        : ""),
    `To end ${them} all the same: ${revoke} --lease with the id` +
      roles.map((role) => `, or ${revoke} --role ${shellWord(role)} for all of that role`).join(""),
  ].join("\n");
}
