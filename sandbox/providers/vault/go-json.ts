// JSON as Go writes it, which is the form in which the real plugin keeps what it is given as JSON.
import { isList, isRecord, type Value } from "../protocol/values";

/** On one line, keys sorted, safe to put into HTML. */
export function goJson(value: Value): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(withSortedKeys(value)).replace(/[<>&\u2028\u2029]/g, escaped);
}

/** A text of JSON, written anew. */
export function normalJson(text: string): string {
  return goJson(JSON.parse(text) as Value);
}

function withSortedKeys(value: Value): Value {
  if (isList(value)) {
    return value.map(withSortedKeys);
  }
  if (!isRecord(value)) {
    return value;
  }
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, withSortedKeys(value[key] ?? null)]));
}
