import { UserError } from "./errors";

/** Shown in place of an address in which anything may be a secret. */
const HIDDEN = "(an address that is not shown, since it may hold a password)";

/**
 * An address for people. A login is left out. Where the address is none, it is not known what in it is a password, so that none of it
 * is shown: it may hold one before an "@", written as %40 too, after a "?" and after a "#".
 */
export function shownAddress(address: string): string {
  if (!URL.canParse(address) || !/^https?:/i.test(address)) return /[@?#%]/.test(address) ? HIDDEN : address;
  const { username, password, origin, pathname, search, hash } = new URL(address);
  // A "/" in a password ends what is read as the host.
  if (search !== "" || hash !== "" || /@|%40/.test(pathname)) return HIDDEN;
  return username === "" && password === "" ? address : origin + (pathname === "/" ? "" : pathname);
}

/**
 * The host that a variable of the shell names.
 *
 * @throws UserError if it is a URL, or anything else that may hold a password, which a message that the host is not found would show
 */
export function plainHost(variable: string, host: string): string {
  if (!/[@?#%]|:\/\//.test(host)) return host;
  throw new UserError(
    `${variable} is more than a host, and not shown since it may hold a password.`,
    "Set it to a host alone, and the port, the login and its password by variables of their own.",
  );
}
