import { UserError } from "./errors";
import { statusWords } from "./vault-answer";
import type { HttpAnswer } from "./http-exchange";

/** The servers' own client follows these, once, with method and body kept; it does not follow 303 and 308. */
const FOLLOWED = [301, 302, 307];

/** Another server is to be asked, and is not. What was asked for was not done. */
export class RedirectError extends UserError {}

/** Where to ask instead. */
export interface Redirect {
  readonly to: URL;
  /** The address of the API there. */
  readonly base: string;
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/**
 * Where a redirect leads, if it may be followed with a token. The servers' own client follows it to whatever host it names.
 * We take the token to another host only if that is the active server of the same cluster, by the word of the server that
 * the user has named; or if it is the same host, as its certificate says.
 *
 * @param asked such as `PUT sys/leases/revoke`, for messages
 * @param from what was asked
 * @param apiPath the part of it below `/v1/`, which has to be the same there
 * @param isActiveServer whether the server that was asked says so of the one at an origin
 * @throws RedirectError that names where to go, if it may not be followed
 */
export async function redirected(
  asked: string,
  from: URL,
  { status, location }: HttpAnswer,
  apiPath: string,
  isActiveServer: (origin: string) => Promise<boolean>,
): Promise<Redirect> {
  const to = location === undefined ? undefined : parsed(location, from);
  const refuse = (reason: string, remedy: string) =>
    new RedirectError(`${asked} at ${from.origin}: ${statusWords(status)}, a redirect ${reason}.`, remedy);
  if (to === undefined) {
    throw refuse("that names no other place", "Set VAULT_ADDR to the API of Vault or OpenBao itself.");
  }
  const base = baseOf(to, apiPath);
  if (base === undefined) {
    throw refuse(
      `to ${to.origin}${to.pathname}, which is not the same part of an API`,
      "Set VAULT_ADDR to the API of Vault or OpenBao itself.",
    );
  }
  if (from.protocol === "https:" && to.protocol !== "https:") {
    throw refuse(`from https to ${base}`, "Set VAULT_ADDR to the https address of an active server.");
  }
  const remedy = `If that is the server that you mean, set VAULT_ADDR to it: VAULT_ADDR=${base}`;
  if (!FOLLOWED.includes(status)) throw refuse(`to ${base} of a kind that is not followed`, remedy);
  const isSameHost = to.origin === from.origin || (to.protocol === "https:" && to.hostname === from.hostname);
  if (!isSameHost && !(await isActiveServer(to.origin))) {
    throw refuse(`to another host, ${base}, to which no token is sent`, remedy);
  }
  return { to, base };
}

/** A second redirect is not followed. */
export function redirectedAgain(asked: string, from: URL, { status }: HttpAnswer): RedirectError {
  return new RedirectError(
    `${asked} at ${from.origin}: ${statusWords(status)}, a redirect after a redirect.`,
    "Set VAULT_ADDR to the address of an active server.",
  );
}

function parsed(location: string, from: URL): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from);
  const isPlain = to.username === "" && to.password === "" && to.hash === "";
  return isPlain && ["http:", "https:"].includes(to.protocol) ? to : undefined;
}

/** The address of the API that a URL is about; undefined if it is another path of it, or none. */
function baseOf(to: URL, apiPath: string): string | undefined {
  // Servers encode fewer characters than we do.
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const place = decoded(to.pathname + to.search);
  const end = `/v1/${decoded(apiPath)}`;
  return place.endsWith(end) ? to.origin + place.slice(0, -end.length) : undefined;
}
