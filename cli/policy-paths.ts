/** A rule of a policy in HCL, whose body may hold blocks of one level, such as those of parameters. */
const RULE = /"?\bpath"?\s*"((?:[^"\\]|\\.)*)"\s*\{(?:[^{}"]|"(?:[^"\\]|\\.)*"|\{[^{}]*\})*\}/g;
const COMMENTS = /^\s*(?:#|\/\/).*$/gm;

/** The paths that a policy says something of; undefined where it is not understood as a whole. */
export function pathsOfPolicy(policy: string): readonly string[] | undefined {
  try {
    return pathsOfJson(JSON.parse(policy));
  } catch {
    const paths: string[] = [];
    const rest = policy.replaceAll(COMMENTS, "").replaceAll(RULE, (_rule, path: string) => {
      paths.push(path);
      return "";
    });
    return rest.trim() === "" ? paths : undefined;
  }
}

function pathsOfJson(policy: unknown): readonly string[] | undefined {
  const { path: rules, ...others } = (policy ?? {}) as Readonly<Record<string, unknown>>;
  if (Object.keys(others).length > 0) return undefined;
  const blocks: unknown[] = Array.isArray(rules) ? rules : [rules];
  if (!blocks.every((block) => typeof block === "object" && block !== null)) return undefined;
  return blocks.flatMap((block) => Object.keys(block));
}
