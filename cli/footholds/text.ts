import { counted, inLine } from "../text";
import type { Difference, Foothold } from "./foothold";

/** One foothold, as a line. Names are whatever somebody wanted them to be. */
export function line({ kind, identity, owner, detail, hash }: Foothold): string {
  return inLine(
    [
      `${kind} ${identity}`,
      ...(owner === undefined ? [] : [`owner ${owner}`]),
      ...(detail === "" ? [] : [detail]),
      ...(hash === undefined ? [] : [hash.slice(0, 12)]),
    ].join("; "),
  );
}

/** What was added, changed and removed, a line each. */
export function differenceText({ added, changed, removed }: Difference): string {
  return [
    ...added.map((foothold) => `added    ${line(foothold)}`),
    ...changed.map(({ before, after }) => `changed  ${line(before)}\n     to  ${line(after)}`),
    ...removed.map((foothold) => `removed  ${line(foothold)}`),
    `${counted(added.length + changed.length + removed.length, "difference")}: ` +
      `${added.length} added, ${changed.length} changed, ${removed.length} removed.`,
  ].join("\n");
}
