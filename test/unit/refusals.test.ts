import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import { FakeShell } from "../sandbox/fake-shell";
import { FakeVault, http, json } from "./fake-vault";
import { OUTPUTS } from "./operator-outputs";

// What waits for a server has nothing to wait for here.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

let folder: string;
let vault: FakeVault;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "refusals-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(async () => (vault = await FakeVault.start()));
afterEach(() => vault.stop());

async function run(...args: string[]) {
  const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: "t" });
  const code = await main([...args, "--outputs", path.join(folder, "outputs.json")], shell);
  return { code, out: shell.out.join("\n"), err: shell.err.join("\n") };
}

const FORBIDDEN = json(403, { errors: ["1 error occurred:\n\t* permission denied\n\n"] });
const NO_ROUTE = json(404, { errors: ["no handler for route. route entry not found."] });
const NO_ENTRY = 'failed to find entry for connection with name: "x"';

/** Command, the request that is refused, and how. */
const REFUSED: readonly (readonly [args: readonly string[], request: string, answer: string])[] = [
  [["drain", "dev", "--yes"], "GET x/database/config/x", FORBIDDEN],
  [["drain", "dev", "--yes"], "GET x/database/config/x", NO_ROUTE],
  [["drain", "dev", "--role", "reader", "--yes"], "GET x/database/config/x", FORBIDDEN],
  [["revoke", "dev", "--all", "--yes"], "PUT sys/leases/revoke-prefix/x/database/creds", FORBIDDEN],
  [
    ["revoke", "dev", "--role", "reader", "--yes"],
    "PUT sys/leases/revoke-prefix/x/database/creds/reader",
    FORBIDDEN,
  ],
  [
    ["revoke", "dev", "--lease", "x/database/creds/reader/one", "--yes"],
    "PUT sys/leases/revoke",
    json(429, { errors: ["request path: rate limit quota exceeded"] }),
  ],
  [
    ["revoke", "dev", "--approle", "api", "--yes"],
    "PUT auth/x/approle/role/api/secret-id-accessor/destroy",
    FORBIDDEN,
  ],
  [["rotate", "dev", "legacy"], "PUT x/database/rotate-role/legacy", FORBIDDEN],
  [
    ["rotate", "dev", "legacy"],
    "PUT x/database/rotate-role/legacy",
    json(400, { errors: ["no static role found for role name"] }),
  ],
  [["rotate-root", "dev"], "PUT x/database/rotate-root/x", json(500, { errors: [NO_ENTRY] })],
  [
    ["secret-id", "dev", "api"],
    "PUT auth/x/approle/role/api/secret-id",
    json(400, { errors: ['role "api" does not exist'] }),
  ],
];

test.each(REFUSED)(
  "%j ends with 2 where %s is refused, and says of nothing that it was changed",
  async (...given) => {
    const [args, request, answer] = given;
    vault.instead = ({ method, path: at }) => (`${method} ${at}` === request ? answer : undefined);
    const { code, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.not.stringContaining("This was while") as string });
    expect(vault.leasesLeft).toBe(2);
  },
);

test.each([[["drain", "dev", "--yes"]], [["drain", "dev", "--role", "reader", "--yes"]]])(
  "%j ends with 1 where it has ended credentials, and may not stop the engine",
  async (args) => {
    vault.instead = ({ method, path: at }) =>
      `${method} ${at}` === "PUT x/database/config/x" ? FORBIDDEN : undefined;
    const { code, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("This was while") as string });
    expect(vault.leasesLeft).toBeLessThan(2);
  },
);

test.each([
  ["status", "dev"],
  ["revoke", "dev", "--all", "--yes"],
])("%s says what to do where nothing is mounted", async (...args) => {
  vault.instead = ({ path: at }) => (at.startsWith("x/database/config") ? NO_ROUTE : undefined);
  const { code, err } = await run(...args);
  expect(code).toBe(2);
  expect(err).toMatch(/no handler for route[^]*nothing mounted there\. Set VAULT_NAMESPACE[^]*cdktf deploy/);
});

test("drain of one role ends with 2 where the connection serves it by a pattern", async () => {
  vault.instead = ({ method, path: at }) =>
    `${method} ${at}` === "GET x/database/config/x"
      ? json(200, { request_id: "r", data: { allowed_roles: ["reader", "read*"] } })
      : undefined;
  const { code, err } = await run("drain", "dev", "--role", "reader", "--yes");
  expect({ code, err }).toEqual({ code: 2, err: expect.not.stringContaining("This was while") as string });
  expect(err).toContain('by the pattern "read*"');
  expect(vault.seen.filter(({ path: at }) => at.includes("revoke"))).toEqual([]);
});

test("revoke --approle ends with 2 where Vault has neither the AppRole nor a token of it", async () => {
  vault.instead = ({ path: at }) => {
    if (at === "auth/token/accessors") return json(404, { errors: [] });
    return at.startsWith("auth/x/approle/role/api/secret-id")
      ? json(400, { errors: ['role "api" does not exist'] })
      : undefined;
  };
  const { code, err } = await run("revoke", "dev", "--approle", "api", "--yes");
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("nothing was ended") as string });
});

test.each(["", ".", "./", "nowhere/secret-id", "outputs.json/secret-id", "secret-id/"])(
  "secret-id --unwrap-to %j ends with 2 before a SecretID is made",
  async (file) => {
    const place = file === "" || file.startsWith(".") ? file : path.join(folder, file);
    const { code } = await run("secret-id", "dev", "api", "--unwrap-to", place);
    expect(code).toBe(2);
    expect(vault.seen.filter(({ path: at }) => at.endsWith("/secret-id"))).toEqual([]);
  },
);

/** Where the request may have been carried out, in part or as a whole. */
const UNCERTAIN: readonly (readonly [args: readonly string[], request: string, answer: string])[] = [
  [["drain", "dev", "--yes"], "PUT x/database/config/x", FORBIDDEN],
  [["drain", "dev", "--yes"], "PUT sys/leases/revoke-prefix/x/database/creds", FORBIDDEN],
  [["revoke", "dev", "--approle", "api", "--yes"], "PUT auth/token/revoke-accessor", FORBIDDEN],
  [["rotate-root", "dev"], "PUT x/database/rotate-root/x", json(500, { errors: ["failed to update user"] })],
  [["rotate-root", "dev"], "PUT x/database/rotate-root/x", http("200 OK", {}, "<html>")],
];

test("revoke --lease ends with 1 where Vault could not revoke it, and names it with the cause", async () => {
  vault.instead = ({ path: at }) =>
    at === "sys/leases/revoke" ? json(400, { errors: ["failed to revoke"] }) : undefined;
  const { code, out } = await run("revoke", "dev", "--lease", "x/database/creds/reader/one", "--yes");
  expect({ code, out }).toEqual({
    code: 1,
    out: expect.stringMatching(/LEFT[^]*failed to revoke/) as string,
  });
});

test.each(UNCERTAIN)("%j ends with 1 where %s fails after something may have changed", async (...given) => {
  const [args, request, answer] = given;
  vault.instead = ({ method, path: at }) => (`${method} ${at}` === request ? answer : undefined);
  const { code, err } = await run(...args);
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("This was while") as string });
});
