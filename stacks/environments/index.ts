import type { Environment } from "../environment";
import { dev } from "./dev";
import { local } from "./local";
import { production } from "./production";
import { staging } from "./staging";

/**
 * All environments of the app.
 *
 * @param variables the process's environment, which only `local` looks at
 */
export function environments(
  variables: Readonly<Record<string, string | undefined>>,
): readonly Environment[] {
  return [local(variables), dev, staging, production];
}
