// When two values mean the same to the real plugins: their SDK keeps no difference between a value that is absent
// and one that is "", 0, false or empty.
import { isList, isRecord, UNKNOWN, type Value } from "../protocol/values";

export function isZero(value: Value): boolean {
  if (value === null || value === "" || value === 0 || value === false) {
    return true;
  }
  if (value === UNKNOWN) {
    return false;
  }
  if (isList(value)) {
    return value.length === 0;
  }
  return isRecord(value) && Object.keys(value).length === 0;
}

export function equivalent(a: Value, b: Value): boolean {
  if (a === b || (isZero(a) && isZero(b))) {
    return true;
  }
  if (isList(a) && isList(b)) {
    return a.length === b.length && sameElements(a, b);
  }
  if (isRecord(a) && isRecord(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
      equivalent(a[key] ?? null, b[key] ?? null),
    );
  }
  return false;
}

function sameElements(a: readonly Value[], b: readonly Value[]): boolean {
  return a.every((element, index) => equivalent(element, b[index] ?? null));
}
