import { CatalogWait } from "../catalog-waits";
import { databaseLogin } from "../database-login";
import { describeError } from "../errors";
import { ExitCode } from "../exit-code";
import { takeInventory } from "../inventory";
import { hasLogin, NO_LOGIN, operatorLogin } from "../operator-login";
import type { Session } from "../postgres-login";
import { reportStatus, type StatusReport } from "../status-report";
import { statusText } from "../status-text";
import { survey } from "../survey";
import { open, type Command, type CommonArguments } from "./command";

const notLookedAt = (error: unknown) => `PostgreSQL was not looked at: ${describeError(error)}`;

export const status: Command<CommonArguments> = {
  usage: "status <environment>",
  summary: "shows who holds what, and what is amiss",
  description:
    "Connections, roles, live leases and their ages, tokens and SecretIDs by AppRole; leases that Vault has given up to " +
    "revoke; PostgreSQL users without a lease, leases without a user, sessions that outlived their role, users that could " +
    "not be dropped and what keeps them; roles, static roles and logins that are not as they were declared; AppRoles that " +
    "are locked out. Vault does not tell the user of a lease nor the token that holds it: where that cannot be told, this " +
    "says so.\n\n" +
    "VAULT_TOKEN needs the rights of docs/rights/operator-policy.hcl. PGUSER and PGPASSWORD name a login as in " +
    "docs/rights/operator-login.sql; without, PostgreSQL is not looked at. Exit code 1 if anything is amiss.",
  examples: [
    ["status dev", "tables"],
    ["status dev --json", "the same, and each lease"],
  ],
  declare: (parser) => parser,

  async run(args, shell) {
    const { outputs, vault, now } = await open(args, shell);
    let session: Session | undefined;
    let failure: string | undefined;
    if (hasLogin(shell.env)) {
      session = await operatorLogin(outputs, shell.env).catch((error: unknown) => {
        failure = notLookedAt(error);
        return undefined;
      });
    }
    try {
      // The documented rights let it in where somebody has granted CONNECT, as for footholds.
      const openDatabase = () =>
        databaseLogin(outputs, shell.env).catch((error: unknown) => {
          if (error instanceof CatalogWait) throw error;
          return undefined;
        });
      const look = async () => {
        const inventory = await takeInventory(outputs, vault, session);
        return {
          inventory,
          found: await survey(outputs, vault, session, inventory, openDatabase),
        };
      };
      const { inventory, found } = await look().catch(async (error: unknown) => {
        if (session === undefined || !(error instanceof CatalogWait)) throw error;
        failure = notLookedAt(error);
        await session.close();
        session = undefined;
        return look();
      });
      const report: StatusReport = {
        ...reportStatus(args.environment, vault.address, outputs, inventory, found, now()),
        notLookedAt: [...(session === undefined ? [failure ?? NO_LOGIN] : []), ...found.notLookedAt],
      };
      shell.print(args.json ? JSON.stringify(report, null, 2) : statusText(report));
      return report.findings.length > 0 || failure !== undefined ? ExitCode.failed : ExitCode.ok;
    } finally {
      await session?.close();
    }
  },
};
