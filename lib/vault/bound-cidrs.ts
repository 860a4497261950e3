import { isIP } from "node:net";
import { ConfigurationError, show } from "../errors";
import { isUnresolved, withStandIns } from "../tokens";

/** The prefix of IPv4 addresses that are written as IPv6. */
const MAPPED = "::ffff:";
const MAPPED_BITS = 96;

/**
 * Networks that an AppRole is bound to, as the servers write them: the plan would show another spelling for ever.
 *
 * @throws ConfigurationError for what is no network in CIDR notation, and for one of IPv4 that is written as IPv6
 */
export function boundCidrs(role: string, blocks: readonly string[] | undefined): string[] | undefined {
  return blocks?.map((block) => {
    // Around a token only what such a text is made of can be seen.
    if (
      isUnresolved(block) ? !/^[\da-f.:]*(\/\d{0,3})?$/i.test(withStandIns(block, "")) : !isNetwork(block)
    ) {
      throw new ConfigurationError(
        `The AppRole ${show(role)} is bound to ${show(block)}.`,
        'Use CIDR notation with a prefix length, such as "10.1.0.0/16" or "10.1.2.3/32": without a zone, and the length without a ' +
          "zero before it.",
      );
    }
    return isUnresolved(block) ? block : asWritten(role, block);
  });
}

/** Such as `2001:db8::/64`. */
function asWritten(role: string, block: string): string {
  const [address = "", bits = ""] = block.split("/");
  if (isIP(address) !== 6) return block;
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const halves = written.startsWith(MAPPED) ? written.slice(MAPPED.length).split(":") : [];
  if (halves.length !== 2) return `${written}/${bits}`;
  const ipv4 = halves.flatMap((half) => [parseInt(half, 16) >> 8, parseInt(half, 16) & 255]).join(".");
  throw new ConfigurationError(
    `The AppRole ${show(role)} is bound to the IPv4-mapped network ${show(block)}, which the servers take for one of IPv4.`,
    `Write it as ${show(`${ipv4}/${Math.max(0, Number(bits) - MAPPED_BITS)}`)}.`,
  );
}

function isNetwork(block: string): boolean {
  const [address = "", bits = "", ...rest] = block.split("/");
  const width = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    rest.length === 0 && !address.includes("%") && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= width
  );
}
