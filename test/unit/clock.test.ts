import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../../cli/main";
import type { StatusReport } from "../../cli/status-report";
import { FakeShell } from "../sandbox/fake-shell";
import { FakeVault, HEALTH, http, json, type Answer } from "./fake-vault";
import { OUTPUTS } from "./operator-outputs";

jest.setTimeout(60_000);

const HOUR = 3_600;
/** What time it is by Vault's clock, in seconds since 1970. */
const VAULTS = 1_795_000_000;
const iso = (seconds: number) => new Date(seconds * 1_000).toISOString();

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "clock-"));
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify({ dev: OUTPUTS }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

let vault: FakeVault;
beforeEach(async () => (vault = await FakeVault.start()));
afterEach(async () => {
  jest.restoreAllMocks();
  await vault.stop();
});

/** Two ways in which a server tells its time. */
const TELLS: Record<string, () => Answer> = {
  "in sys/health": () => json(200, { ...HEALTH, server_time_utc: VAULTS }),
  "as Date alone": () =>
    http(
      "200 OK",
      { "Content-Type": "application/json", Date: new Date(VAULTS * 1_000).toUTCString() },
      JSON.stringify(HEALTH),
    ),
};

/** The status, with leases that end so many seconds from now, and a password that was set so many seconds ago. */
async function status(tells: () => Answer, ahead: number, endsIn: number, rotatedAgo: number) {
  vault.instead = ({ method, path: at, body }) => {
    if (at.startsWith("sys/health")) return tells();
    if (at === "sys/leases/lookup") {
      const [issue_time, expire_time] = [iso(VAULTS + endsIn - HOUR), iso(VAULTS + endsIn)];
      return json(200, { data: { id: body.lease_id, issue_time, expire_time, ttl: Math.max(0, endsIn) } });
    }
    if (method === "GET" && at === "x/database/static-roles/legacy") {
      const last_vault_rotation = iso(VAULTS - rotatedAgo);
      const role = { username: "x_legacy", db_name: "x", rotation_statements: [], rotation_period: 86_400 };
      return json(200, { data: { ...role, last_vault_rotation } });
    }
    return undefined;
  };
  const shell = new FakeShell({ VAULT_ADDR: vault.address, VAULT_TOKEN: "t" });
  jest.spyOn(Date, "now").mockReturnValue((VAULTS + ahead) * 1_000);
  const code = await main(["status", "dev", "--json", "--outputs", path.join(folder, "outputs.json")], shell);
  return { code, report: JSON.parse(shell.out.join("\n")) as StatusReport };
}

describe.each(Object.entries(TELLS))("where Vault tells its time %s", (_, tells) => {
  test.each([0, -2 * HOUR, 2 * HOUR, 72 * HOUR])(
    "and the operator's clock is ahead by %s s, status says what is overdue and nothing else",
    async (ahead) => {
      const fine = await status(tells, ahead, HOUR / 2, HOUR);
      expect(fine).toMatchObject({ code: 0, report: { findings: [] } });
      expect(fine.report.roles).toMatchObject([
        { name: "reader", nextEndSeconds: HOUR / 2, oldestSeconds: HOUR / 2 },
        { name: "writer", nextEndSeconds: HOUR / 2 },
      ]);
      expect(fine.report.staticRoles).toMatchObject([{ rotatedSecondsAgo: HOUR }]);
      const late = await status(tells, ahead, -600, 25 * HOUR);
      expect(late.code).toBe(1);
      expect(late.report.findings.map(({ kind, detail }) => `${kind}: ${detail}`)).toEqual([
        "overdue-lease: its time ended 600 s ago, and it is not revoked",
        "overdue-lease: its time ended 600 s ago, and it is not revoked",
        "overdue-rotation: its password was to be changed 3600 s ago, and was not",
      ]);
    },
  );
});

test("where Vault does not tell its time, the operator's own is taken", async () => {
  const fine = await status(() => json(200, HEALTH), 0, HOUR / 2, HOUR);
  expect(fine).toMatchObject({ code: 0, report: { findings: [] } });
});
