import { randomBytes } from "node:crypto";
import type { AppRoleOutput, EnvironmentOutputs, RoleOutput, StaticRoleOutput } from "../stacks/outputs";
import { checkAccess } from "./access-checks";
import { Application } from "./application";
import { CheckList, Failure, type Check } from "./checks";
import { operatorClient, type ProofContext } from "./context";
import { tellLeft } from "./given-up";
import { checkRenewal, checkRevocation } from "./lease-checks";
import { logIn, type Session } from "./postgres-login";
import { requireReachable } from "./reachable";
import { checkRoles } from "./role-checks";
import { makeScratch, type Scratch } from "./scratch";
import { checkStaticRole } from "./static-checks";
import { VaultError, type VaultAuth, type VaultClient } from "./vault-client";

/**
 * Proves a deployed environment the way its applications use it: for each AppRole and each role that it may read, gets in
 * by a response-wrapped SecretID, obtains a credential, tries in PostgreSQL what it may and may not do, renews it and
 * revokes it. Leaves nothing behind: its tables are dropped and its credentials revoked, whatever fails.
 *
 * @param onCheck called as each check ends
 * @returns every check, in order; a check that fails is a result and not an exception
 * @throws UserError if Vault or PostgreSQL cannot be talked to at all
 */
export async function proveEnvironment(
  outputs: EnvironmentOutputs,
  context: ProofContext,
  onCheck?: (check: Check) => void,
): Promise<readonly Check[]> {
  const list = new CheckList(onCheck);
  list.conceal(context.vaultToken);
  const operator = operatorClient(outputs, context);
  await requireReachable(operator, outputs);
  await checkRoles(outputs, operator, list);
  const suffix = randomBytes(6).toString("hex");
  const rootCertificateFile = context.postgresRootCertificateFile;
  const scratch = await makeScratch(outputs, operator, list, `verify_${suffix}`, rootCertificateFile);
  const proof = {
    ...{ outputs, operator, list, scratch, suffix, rootCertificateFile },
    revocationTimeoutMs: context.revocationTimeoutMs ?? 15_000,
  };
  try {
    for (const [name, approle] of Object.entries(outputs.approles)) {
      await new Prover(proof, name, approle).prove();
    }
  } finally {
    await scratch.remove();
  }
  return list.checks;
}

/** What the proofs of all AppRoles share. */
interface Proof {
  readonly outputs: EnvironmentOutputs;
  readonly operator: VaultClient;
  readonly list: CheckList;
  readonly scratch: Scratch;
  readonly suffix: string;
  readonly rootCertificateFile: string | undefined;
  readonly revocationTimeoutMs: number;
}

const WHOSE_LIMITS =
  "a default or maximum TTL of the mount, which somebody has set by hand, or of the server may be the reason";

/** As its AppRole declares them; where that leaves them to the mount, nothing is known. */
function checkTokenLife(auth: VaultAuth, { settings }: AppRoleOutput): void {
  const { token_period: period = 0, token_ttl: ttl = 0, token_max_ttl: max = 0 } = settings ?? {};
  const explicit = settings?.token_explicit_max_ttl ?? 0;
  const limits = (period > 0 ? [period, explicit] : [ttl, max, explicit]).filter((seconds) => seconds > 0);
  const declared = Math.min(...limits);
  if (ttl + period > 0 && auth.lease_duration !== declared) {
    throw new Failure(
      `its tokens live for ${auth.lease_duration} s, and ${declared} s were declared; ${WHOSE_LIMITS}`,
    );
  }
  const isBatch = settings?.token_type === "batch";
  if (settings?.token_type !== undefined && isBatch !== (auth.token_type === "batch")) {
    throw new Failure(
      `its tokens are of the type ${auth.token_type}, and ${settings.token_type} was declared`,
    );
  }
}

/** The proof of one AppRole. */
class Prover {
  private readonly application: Application;
  private readonly outputs: EnvironmentOutputs;
  private readonly list: CheckList;

  constructor(
    private readonly proof: Proof,
    private readonly name: string,
    private readonly approle: AppRoleOutput,
  ) {
    this.outputs = proof.outputs;
    this.list = proof.list;
    this.application = new Application(proof.operator, name, approle, proof.list);
  }

  async prove(): Promise<void> {
    try {
      for (const roleName of this.approle.roles) {
        const subject = `${this.name} as ${roleName}`;
        const role = this.outputs.roles[roleName];
        const staticRole = this.outputs.static_roles?.[roleName];
        if (role !== undefined) await this.proveRole(subject, role);
        else if (staticRole !== undefined) await this.proveStaticRole(subject, staticRole);
        else {
          await this.list.expect("the role is in the outputs", subject, () =>
            Promise.reject(new Failure(`the outputs name it for the AppRole, and do not describe it`)),
          );
        }
      }
      await this.proveLimits();
    } finally {
      await tellLeft(this.list, this.name, await this.application.leave());
    }
  }

  private async proveRole(subject: string, role: RoleOutput): Promise<void> {
    const { list, application, outputs } = this;
    const { scratch, suffix, rootCertificateFile, revocationTimeoutMs } = this.proof;
    const vault = await this.enter(subject);
    if (vault === undefined) return;
    const credential = await list.run("issue a credential", subject, async () => {
      const issued = await application.issue(vault, role);
      const declared = Math.min(role.default_ttl, role.max_ttl);
      // A batch token's credentials end with it.
      if (issued.leaseSeconds !== declared && this.approle.settings?.token_type !== "batch") {
        throw new Failure(
          `its lease is ${issued.leaseSeconds} s long, and ${declared} s were declared; ${WHOSE_LIMITS}`,
        );
      }
      return { value: issued, detail: `${issued.login.username}, for ${issued.leaseSeconds} s` };
    });
    if (credential === undefined) return;
    const session = await list.run("log in to PostgreSQL", subject, async () => {
      const opened = await logIn(outputs.postgres, credential.login, rootCertificateFile);
      return { value: opened, detail: `${outputs.postgres.host}:${outputs.postgres.port}` };
    });
    if (session === undefined) return;
    let observer: Session | undefined;
    try {
      await checkAccess({
        list,
        subject,
        client: session.client,
        role,
        login: credential.login,
        postgres: outputs.postgres,
        rootCertificateFile,
        scratchTable: scratch.table,
        scratch: scratch.schemas,
        suffix,
      });
      await session.close();
      observer = await this.observe(subject, role);
      if (observer === undefined) return;
      const [schema] = role.schemas.filter((name) => scratch.schemas.get(name) === true);
      const { client } = observer;
      const probed =
        schema === undefined || role.access === "custom"
          ? "pg_catalog.pg_class"
          : `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(scratch.table)}`;
      const lease = {
        ...{ list, subject, application, vault, role, credential, rootCertificateFile, revocationTimeoutMs },
        postgres: outputs.postgres,
        observer: client,
        probe: `SELECT pg_catalog.count(*) FROM ${probed}`,
      };
      await checkRenewal(lease);
      await checkRevocation(lease);
    } finally {
      await session.close();
      await observer?.close();
    }
  }

  private async proveStaticRole(subject: string, role: StaticRoleOutput): Promise<void> {
    const vault = await this.enter(subject);
    if (vault === undefined) return;
    const { list, application, outputs } = this;
    const { scratch, suffix, rootCertificateFile } = this.proof;
    await checkStaticRole({
      ...{ list, subject, application, vault, role, postgres: outputs.postgres },
      ...{ scratch, suffix, rootCertificateFile },
    });
  }

  /** In by a wrapped SecretID, if one is needed, one check a step. */
  private async enter(subject: string): Promise<VaultClient | undefined> {
    const { list, application } = this;
    if (!application.needsSecretId) {
      await list.skip("issue a wrapped SecretID", subject, "its login needs none (bindSecretId is false)");
      return this.logIn(subject);
    }
    const wrapping = await list.run("issue a wrapped SecretID", subject, async () => {
      return {
        value: await application.requestSecretId(),
        detail: "wrapped by the path it was asked for at",
      };
    });
    if (wrapping === undefined) return undefined;
    const secretId = await list.run("unwrap it, once", subject, async () => {
      const value = await application.unwrap(wrapping);
      const again = await application.unwrap(wrapping).then(
        () => true,
        (error: unknown) => {
          // A failure of another kind proves nothing.
          if (error instanceof VaultError && error.status === 400) return false;
          throw error;
        },
      );
      if (again) throw new Failure("the wrapping could be opened twice");
      return { value, detail: "and not a second time" };
    });
    return secretId === undefined ? undefined : this.logIn(subject, secretId);
  }

  private logIn(subject: string, secretId?: string): Promise<VaultClient | undefined> {
    const { application } = this;
    return this.list.run("log in with the AppRole", subject, async () => {
      const auth = await application.logIn(secretId);
      checkTokenLife(auth, this.approle);
      return {
        value: application.clientFor(auth),
        detail: `${auth.token_type} token for ${auth.lease_duration} s, policies ${auth.policies.join(", ")}`,
      };
    });
  }

  /** A second credential, from another login, so that it outlives the revocation of the first. */
  private async observe(subject: string, role: RoleOutput): Promise<Session | undefined> {
    return this.list.run("a second credential beside it", subject, async () => {
      const vault = await this.application.enter();
      const { login } = await this.application.issue(vault, role);
      const session = await logIn(this.outputs.postgres, login, this.proof.rootCertificateFile);
      return { value: session, detail: login.username };
    });
  }

  /** What the AppRole was not given, it must not get. */
  private async proveLimits(): Promise<void> {
    const isOther = ([name]: [string, unknown]) => !this.approle.roles.includes(name);
    const dynamic = Object.entries(this.outputs.roles).filter(isOther);
    const others = [...dynamic, ...Object.entries(this.outputs.static_roles ?? {}).filter(isOther)];
    if (others.length === 0) {
      await this.list.skip("may not read other roles", this.name, "there is no role that it may not read");
      return;
    }
    if (this.application.mayBeElsewhere) {
      const reason = "it may be that its tokens are refused everything here, being for other networks";
      await this.list.skip("may not read other roles", this.name, reason);
      return;
    }
    await this.list.expect("may not read other roles", this.name, async () => {
      let vault = await this.application.enter();
      for (const [index, [name, role]] of others.entries()) {
        // One that is used up would be refused everything.
        if (index > 0 && this.application.tokenUses > 0) vault = await this.application.enter();
        try {
          // Should it be allowed, then a dynamic credential goes at the end.
          this.application.owes((await vault.read(role.creds_path)).lease_id);
        } catch (error) {
          if (error instanceof VaultError && error.status === 403) continue;
          throw error;
        }
        throw new Failure(`it read the credentials of ${name}`);
      }
      return `403 for ${others.map(([name]) => name).join(", ")}`;
    });
  }
}
