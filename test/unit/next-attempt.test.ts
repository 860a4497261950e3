import type { Lease } from "../../cli/leases";
import { nextAttempt } from "../../cli/next-attempt";

const NOW = 1_795_000_000_000;
const lease = (id: string, expiresAt: number): Lease => ({
  ...{ id, role: "reader", issuedAt: NOW - 60_000, expiresAt },
  ttlSeconds: (expiresAt - NOW) / 1_000,
});
const live = [lease("over", NOW), lease("later", NOW + 1), lease("in an hour", NOW + 3_600_000)];
const about = (...ids: string[]) =>
  nextAttempt("dev", ids, { leases: live, irrevocable: [{ id: "given up", error: "" }] }, NOW);

test.each([
  ["over", /^Vault tries again by itself; at once: vault-postgres revoke dev --lease over$/],
  ["later", /^Vault does not try again before the lease ends/],
  [
    "in an hour",
    /^Vault does not try again before the lease ends, in 1 h\b.*, and its holder may renew it; .*--lease in an hour has/,
  ],
  ["given up", /^Vault has given up, and nobody tries again soon: .*--lease given up$/],
])("of a lease that is %s says whether Vault tries again", (id, expected) => {
  expect(about(id)).toMatch(expected);
});

test("of several, of which one is the user's, says what holds for the least of them", () => {
  expect(about("over", "over")).toMatch(/^Vault tries again by itself; at once: .* --lease or --role$/);
  expect(about("over", "in an hour")).toMatch(
    /^Vault may not try again before a lease ends, in 1 h\b.*renew theirs/,
  );
  expect(about("over", "given up")).toMatch(/^Vault has given up/);
});
