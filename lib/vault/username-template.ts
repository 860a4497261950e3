import { ConfigurationError, show } from "../errors";
import { isUnresolved, noTerraformTemplate } from "../names";

/**
 * Checks a template for the names of dynamic users and returns it.
 *
 * @throws ConfigurationError if it gives the same name twice
 */
export function checkUsernameTemplate(template: string): string {
  noTerraformTemplate("username template", template);
  if (!/\{\{.*\b(random|uuid|unix_time_millis)\b.*\}\}/s.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives the same name twice.`,
      'Use {{random 20}} or {{uuid}} in it: the second credential would fail with "already exists".',
    );
  }
  return template;
}

/**
 * As {@link checkUsernameTemplate}, for servers that refuse a long name instead of cutting it.
 *
 * @param limit characters that the server allows
 * @throws ConfigurationError also if the names would be longer, or as long as the names of tokens and roles make them
 */
export function checkShortUsernameTemplate(template: string, limit: number): string {
  checkUsernameTemplate(template);
  if (isUnresolved(template)) return template;
  const lengths = (helper: RegExp) => [...template.matchAll(helper)].map((match) => Number(match[1]));
  const cut = lengths(/\btruncate(?:_sha256)?\s+(\d+)/g).at(-1);
  if (cut === undefined && /\.(DisplayName|RoleName)\b/.test(template)) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of any length.`,
      `The server refuses names of more than ${limit} characters; end it with "| truncate ${limit}".`,
    );
  }
  const longest = cut ?? Math.max(0, ...lengths(/\brandom\s+(\d+)/g));
  if (longest > limit) {
    throw new ConfigurationError(
      `The username template ${show(template)} gives names of ${longest} characters.`,
      `The server refuses names of more than ${limit} characters; end it with "| truncate ${limit}".`,
    );
  }
  return template;
}
