/** What a configuration of Terraform holds: texts in it are templates, as Terraform reads those of JSON. */
export type Templates =
  string | number | boolean | null | readonly Templates[] | { readonly [name: string]: Templates };

/**
 * Writes values of a configuration as one template that yields them as JSON. Without an expression in them it is the JSON
 * itself, for a reader's sake.
 *
 * @param numbers names of fields that are numbers to the server, also where an expression gives them as text
 */
export function templateJson(
  fields: Readonly<Record<string, Templates>>,
  numbers: readonly string[] = [],
): string {
  if (!hasExpression(fields)) return JSON.stringify(fields);
  const entries = Object.entries(fields).map(([name, value]) => {
    const written = expressionOf(value);
    return `${JSON.stringify(name)} = ${numbers.includes(name) ? `tonumber(${written})` : written}`;
  });
  return `\${jsonencode({${entries.join(", ")}})}`;
}

function hasExpression(value: Templates): boolean {
  if (typeof value === "string") return parts(value).some(({ expression }) => expression);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value as Record<string, Templates>).some(hasExpression);
}

/** The value as Terraform's own language writes it. */
function expressionOf(value: Templates): string {
  if (typeof value === "string") {
    const all = parts(value).map(({ text, expression }) => (expression ? text : quoted(text)));
    return `"${all.join("")}"`;
  }
  if (Array.isArray(value)) return `[${(value as readonly Templates[]).map(expressionOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)} = ${expressionOf(each)}`,
  );
  return `{${entries.join(", ")}}`;
}

/** Literal text between the quotes of a template; `$${` and `%%{` mean the same in there. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("\\b", "\\u0008").replaceAll("\\f", "\\u000c");
}

interface Part {
  readonly text: string;
  /** Whether it is a `${…}` or `%{…}`. */
  readonly expression: boolean;
}

function parts(template: string): Part[] {
  const found: Part[] = [];
  let literal = "";
  for (let at = 0; at < template.length;) {
    const escaped = /^(\$\$\{|%%\{)/.exec(template.slice(at, at + 3));
    if (escaped) {
      literal += escaped[0];
      at += escaped[0].length;
    } else if (/^[$%]\{/.test(template.slice(at, at + 2))) {
      const end = endOfExpression(template, at + 2);
      found.push({ text: literal, expression: false }, { text: template.slice(at, end), expression: true });
      literal = "";
      at = end;
    } else {
      literal += template[at];
      at++;
    }
  }
  return [...found, { text: literal, expression: false }];
}

/** Where an expression ends, behind its `}`: braces count, but not those in its texts, which may hold expressions again. */
function endOfExpression(template: string, from: number): number {
  let depth = 1;
  for (let at = from; at < template.length; at++) {
    if (template[at] === "{") depth++;
    if (template[at] === "}" && --depth === 0) return at + 1;
    if (template[at] === '"') at = endOfText(template, at + 1);
  }
  return template.length;
}

/** Where a text ends, at its closing quote. */
function endOfText(template: string, from: number): number {
  for (let at = from; at < template.length; at++) {
    if (template[at] === '"') return at;
    if (template[at] === "\\") at++;
    const begins = /^[$%]\{/.test(template.slice(at, at + 2)) && template[at - 1] !== template[at];
    if (begins) at = endOfExpression(template, at + 2) - 1;
  }
  return template.length;
}
