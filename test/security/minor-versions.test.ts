// Releases of PostgreSQL that are not for this, and that it is said before the first deployment.
import * as fs from "node:fs";
import { startSandbox } from "../../sandbox/sandbox";
import { announce } from "../e2e/announce";
import { FULL, ignoringSetRole, postgresToTry } from "./servers";

jest.setTimeout(120_000);

if (!FULL) announce("A minor version that ignores ALTER ROLE … SET role is tried in the full set only.");

const usual = postgresToTry.slice(-1);
const RIGHTS = fs.readFileSync("docs/rights/postgres-login.sql", "utf8");

(FULL ? describe : describe.skip)("the file of rights, which is run first,", () => {
  test.each([{ server: ignoringSetRole, warns: true }, ...usual.map((server) => ({ server, warns: false }))])(
    "warns of $server.name: $warns",
    async ({ server, warns }) => {
      const sandbox = await startSandbox({
        onProgress: announce,
        terraform: false,
        postgresBinDirectory: server.binDirectory(),
      });
      try {
        const client = await sandbox.postgres.connect();
        const notices: (string | undefined)[] = [];
        client.on("notice", ({ message }) => notices.push(message));
        const sql = RIGHTS.replaceAll(":'password'", "'another'").replaceAll("terraform", "another_login");
        await client.query(sql);
        await client.end();
        const warning = expect.stringMatching(
          /^PostgreSQL 17\.1 ignores ALTER ROLE \.\.\. SET role: .* Update it to the next minor release/,
        ) as string;
        expect(notices).toEqual(warns ? [warning] : []);
      } finally {
        await sandbox.stop();
      }
    },
  );
});
