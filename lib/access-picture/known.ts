import { isUnresolved } from "../names";
import type { Known } from "./report";

const LATER = "(known at deployment)";

/** A string or number as a report has it. */
export function known<T>(value: T): Known<T> {
  return isUnresolved(value) ? LATER : value;
}

/** A name as a report has it, also where only part of it is known. */
export function knownText(text: string): string {
  return text.replaceAll(/\$\{TfToken\[[^\]]*\]\}/g, LATER);
}

/** A list as a report has it. */
export function knownList(list: readonly string[] | undefined): readonly string[] {
  if (list === undefined) return [];
  return isUnresolved(list) ? [LATER] : list.map(knownText);
}
