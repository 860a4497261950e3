import type { Client } from "pg";
import type { PostgresOutput, RoleOutput } from "../stacks/outputs";
import type { Application, Credential } from "./application";
import { eventually, Failure, type CheckList } from "./checks";
import { logIn, sqlState, SqlState, type Session } from "./postgres-login";
import { onceFree, sessionLimit } from "./session-limit";
import type { VaultClient } from "./vault-client";

export interface LeaseContext {
  readonly list: CheckList;
  readonly subject: string;
  readonly application: Application;
  readonly vault: VaultClient;
  readonly role: RoleOutput;
  readonly credential: Credential;
  readonly postgres: PostgresOutput;
  readonly rootCertificateFile?: string;
  /** A connection that outlives the credential, to see what becomes of it in the server's catalog. */
  readonly observer: Client;
  /** A query that needs the rights of the base role. */
  readonly probe: string;
  /** How long the engine may take to carry a revocation out. */
  readonly revocationTimeoutMs: number;
}

/** Checks that a renewal moves the end of the lease and, in PostgreSQL, the date until which the password is valid. */
export async function checkRenewal(context: LeaseContext): Promise<void> {
  const { list, subject, application, vault, credential, role } = context;
  if (role.max_ttl <= role.default_ttl) {
    await list.skip(
      "renew the lease",
      subject,
      "the default TTL is the maximum TTL: there is nothing to renew",
    );
    return;
  }
  // Reading the credential was the first.
  if (application.tokenUses > 0 && application.tokenUses < 3) {
    const reason = `its tokens are good for ${application.tokenUses} requests, and the credential ends with them`;
    await list.skip("renew the lease", subject, reason);
    return;
  }
  const before = await validUntil(context).catch(() => undefined);
  // PostgreSQL's date has whole seconds: only after one has passed can it show that it moved.
  await pause(1_100 - (Date.now() - credential.issuedAt));
  const isRenewed = await list.expect("renew the lease", subject, async () => {
    if (!credential.renewable) throw new Failure("the lease is not renewable");
    const left = credential.leaseSeconds - (Date.now() - credential.issuedAt) / 1000;
    const seconds = await application.renew(vault, credential, role.default_ttl);
    if (seconds <= left) throw new Failure(`${seconds} s from now, and it had ${left.toFixed(1)} s left`);
    return `${seconds} s from now, ${(seconds - left).toFixed(1)} s more than were left`;
  });
  if (!isRenewed) return;
  await list.expect("renewal moves VALID UNTIL", subject, async () => {
    const after = await validUntil(context);
    if (before === undefined || after === undefined) throw new Failure("the login has no VALID UNTIL");
    if (after <= before) throw new Failure(`it stayed at ${new Date(after).toISOString()}`);
    return `to ${new Date(after).toISOString()}, by ${((after - before) / 1000).toFixed(0)} s`;
  });
}

/**
 * Revokes the credential while two of its sessions are open, one in a transaction and one idle, if it may have two, and checks what
 * becomes of the login and of these.
 */
export async function checkRevocation(context: LeaseContext): Promise<void> {
  const { list, subject, application, vault, credential, role } = context;
  const sessions: Session[] = [];
  try {
    const opened = await list.run("open sessions before the revocation", subject, async () => {
      const { username } = credential.login;
      const isOne = (await sessionLimit(context.observer, username)) === 1;
      for (const sql of isOne ? ["BEGIN"] : ["BEGIN", "SELECT 1"]) {
        const enter = () => logIn(context.postgres, credential.login, context.rootCertificateFile);
        const session = await onceFree(username, enter);
        sessions.push(session);
        await session.client.query(sql);
      }
      const [busy] = sessions as [Session];
      await busy.client.query(context.probe);
      const detail = isOne ? "one in a transaction: it may have but one" : "one in a transaction, one idle";
      return { value: { busy, all: [...sessions] }, detail };
    });
    const revoked = await list.expect("revoke", subject, () => application.revoke(vault, credential));
    if (!revoked) return;
    await list.expect("the role is gone from PostgreSQL", subject, () => checkGone(context));
    await list.expect("a new login is refused", subject, () => checkLoginRefused(context));
    if (opened === undefined) return;
    if (role.revocation === "terminate") {
      await list.expect("its sessions are ended", subject, () => checkEnded(context, opened.all));
    } else if (role.revocation === "drain") {
      await list.expect("a running transaction may finish", subject, () =>
        checkFinishes(context, opened.busy),
      );
    } else {
      await list.skip(
        "its sessions",
        subject,
        `revocation is ${role.revocation}: only its author knows what to expect`,
      );
    }
  } finally {
    for (const session of sessions) await session.close();
  }
}

async function checkGone({ observer, credential, revocationTimeoutMs }: LeaseContext): Promise<string> {
  await eventually("the role is gone", revocationTimeoutMs, async () => {
    const found = await observer.query(
      "SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
      [credential.login.username],
    );
    return found.rowCount === 0;
  });
  return "not in pg_roles";
}

async function checkLoginRefused(context: LeaseContext): Promise<string> {
  try {
    await (await logIn(context.postgres, context.credential.login, context.rootCertificateFile)).close();
  } catch (error) {
    const state = sqlState(error);
    // Anything else, such as a server that is down, proves nothing.
    if (state !== SqlState.invalidPassword && state !== SqlState.invalidAuthorization) throw error;
    return `refused (${state})`;
  }
  throw new Failure("the login still works");
}

async function checkEnded(
  { revocationTimeoutMs }: LeaseContext,
  sessions: readonly Session[],
): Promise<string> {
  for (const session of sessions) {
    await eventually("its sessions are ended", revocationTimeoutMs, async () => {
      if (session.isEnded()) return true;
      // A session that goes on answers this.
      await session.client.query("SELECT 1").catch(() => undefined);
      return session.isEnded();
    });
  }
  return `${sessions.length} ended by the server`;
}

async function checkFinishes({ probe }: LeaseContext, { client }: Session): Promise<string> {
  await client.query(probe);
  const { command } = await client.query("COMMIT");
  if (command !== "COMMIT") throw new Failure(`COMMIT answered ${command}`);
  return "it went on and committed";
}

/** Milliseconds since 1970; Infinity for a password that is valid for ever. */
async function validUntil({ observer, credential }: LeaseContext): Promise<number | undefined> {
  const { rows } = await observer.query<{ until: Date | number | null }>(
    "SELECT rolvaliduntil AS until FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [credential.login.username],
  );
  const until = rows[0]?.until ?? undefined;
  return until instanceof Date ? until.getTime() : until;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
