import { terraformLine } from "../terraform-text";

/** Checks a namespace and returns it; what is a namespace, its server knows. */
export function checkNamespace(namespace: string | undefined): string | undefined {
  return namespace === undefined ? undefined : terraformLine("namespace", namespace);
}
