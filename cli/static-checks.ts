import type { PostgresOutput, StaticRoleOutput } from "../stacks/outputs";
import { checkAccess } from "./access-checks";
import type { Application } from "./application";
import { Failure, Skip, type CheckList } from "./checks";
import { logIn } from "./postgres-login";
import type { Scratch } from "./scratch";
import { hasAllSessions } from "./session-limit";
import type { VaultClient } from "./vault-client";

export interface StaticRoleContext {
  readonly list: CheckList;
  readonly subject: string;
  readonly application: Application;
  /** With the token of the application. */
  readonly vault: VaultClient;
  readonly role: StaticRoleOutput;
  readonly postgres: PostgresOutput;
  readonly rootCertificateFile?: string;
  readonly scratch: Scratch;
  /** Suffix for names of what must not come into being, or goes at once. */
  readonly suffix: string;
}

/**
 * Checks that an application reads the login and password of a static role and gets in with them, and what it may do
 * there. The password is not changed: others use it.
 */
export async function checkStaticRole(context: StaticRoleContext): Promise<void> {
  const { list, subject, application, vault, role, postgres, rootCertificateFile } = context;
  const login = await list.run("read the static credential", subject, async () => {
    const read = await application.readStatic(vault, role);
    if (read.login.username !== role.username) throw new Failure(`it is that of ${read.login.username}`);
    return { value: read.login, detail: `${role.username}, for another ${read.seconds} s` };
  });
  if (login === undefined) return;
  const session = await list.run("log in to PostgreSQL", subject, async () => {
    const opened = await logIn(postgres, login, rootCertificateFile).catch((error: unknown) => {
      if (!hasAllSessions(error, login.username)) throw error;
      throw new Skip("its password is taken, and others have all the sessions that the login may have");
    });
    return { value: opened, detail: `${postgres.host}:${postgres.port}` };
  });
  if (session === undefined) return;
  const { access, schemas } = role;
  try {
    if (access === undefined || schemas === undefined) {
      await list.skip("access", subject, "the login was there before: only its owner knows what to expect");
      return;
    }
    await checkAccess({
      ...{ list, subject, client: session.client, role: { access, schemas }, login, postgres },
      ...{ rootCertificateFile, suffix: context.suffix },
      scratchTable: context.scratch.table,
      scratch: context.scratch.schemas,
    });
  } finally {
    await session.close();
  }
}
