import * as net from "node:net";
import type { AppRoleOutput, RoleOutput, StaticRoleOutput } from "../stacks/outputs";
import { Failure, Skip, type CheckList } from "./checks";
import { giveUp, giveUpToken, type Left } from "./given-up";
import type { Login } from "./postgres-login";
import { listed } from "./text";
import { AnswerFields, VaultError, type VaultAuth, type VaultBody, type VaultClient } from "./vault-client";

/** A credential of PostgreSQL as the engine issues it. */
export interface Credential {
  readonly login: Login;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  readonly renewable: boolean;
  readonly issuedAt: number;
}

const WITHOUT_DEFAULT = "as they lack the policy default (noDefaultPolicy)";

/** What is declared to work from some networks only cannot be tried from another. */
function elsewhere(does: string, networks: readonly string[], error: VaultError): Skip {
  return new Skip(
    `the application ${does} from ${listed(networks)} alone, where this machine does not seem to be: ${error.message}`,
  );
}

/** Whether an error names an address that one of these networks holds: then it is not from elsewhere. */
function isWithin(networks: readonly string[], { message }: VaultError): boolean {
  const [, address = ""] = /source address "([^"]+)"/.exec(message) ?? [];
  const family = net.isIPv6(address) ? "ipv6" : "ipv4";
  const held = new net.BlockList();
  for (const network of networks) {
    const [base = "", bits] = network.split("/");
    const itsFamily = net.isIPv6(base) ? "ipv6" : "ipv4";
    held.addSubnet(base, Number(bits ?? (itsFamily === "ipv6" ? 128 : 32)), itsFamily);
  }
  return net.isIP(address) !== 0 && held.check(address, family);
}

/** How long a wrapped SecretID waits for the application that it is meant for. */
const WRAP_SECONDS = 60;

/**
 * Does as an application does with its AppRole: gets in by a wrapped SecretID, reads, renews and gives up credentials. What the
 * AppRole was declared to refuse is passed over with the reason.
 */
export class Application {
  private hasRead = false;
  private readonly leaseIds: string[] = [];
  private readonly tokens: { readonly token: string; readonly accessor: string }[] = [];
  private readonly wrappings: string[] = [];
  private readonly secretIds: { readonly secretId: string; readonly accessor: string }[] = [];

  /**
   * @param operator client of whoever may issue SecretIDs
   * @param name the AppRole's name, for messages
   */
  constructor(
    private readonly operator: VaultClient,
    readonly name: string,
    private readonly approle: AppRoleOutput,
    private readonly list: CheckList,
  ) {}

  /** Whether a login needs a SecretID. */
  get needsSecretId(): boolean {
    return this.approle.settings?.bind_secret_id !== false;
  }

  /** Whether its tokens may be refused everything from this machine: nothing has been read with one, and networks are named. */
  get mayBeElsewhere(): boolean {
    return !this.hasRead && (this.approle.settings?.token_bound_cidrs ?? []).length > 0;
  }

  /** How many requests a token is good for; 0 for no limit. */
  get tokenUses(): number {
    return this.approle.settings?.token_num_uses ?? 0;
  }

  /** A SecretID, wrapped, so that only its first reader gets it. Returns the wrapping token. */
  async requestSecretId(): Promise<string> {
    const path = this.approle.secret_id_path;
    const answer = await this.operator
      .call({ method: "PUT", path, body: {}, wrapSeconds: WRAP_SECONDS })
      .catch((error: unknown) => {
        if (!(error instanceof VaultError) || error.status !== 403) throw error;
        throw new Failure(`${error.message}; the token needs the rights of docs/rights/verify-policy.hcl`);
      });
    const wrap = answer.wrap_info;
    if (!wrap) throw new Failure("the SecretID came without a wrapping");
    this.list.conceal(wrap.token);
    this.wrappings.push(wrap.token);
    // A wrapping token that was made by another request is a sign of a SecretID that was swapped on the way.
    if (wrap.creation_path !== path) throw new Failure(`wrapped by a request to ${wrap.creation_path}`);
    return wrap.token;
  }

  async unwrap(wrappingToken: string): Promise<string> {
    const answer = await this.operator.withToken(wrappingToken).write("sys/wrapping/unwrap");
    forget(this.wrappings, (one) => one === wrappingToken);
    const { secret_id: secretId, secret_id_accessor: accessor } = answer.data ?? {};
    if (typeof secretId !== "string") throw new Failure("the wrapping held no SecretID");
    this.list.conceal(secretId);
    this.secretIds.push({ secretId, accessor: typeof accessor === "string" ? accessor : "(not told)" });
    return secretId;
  }

  /**
   * @param secretId left out where none is needed
   * @throws Skip where the AppRole lets nobody in from this machine
   */
  async logIn(secretId?: string): Promise<VaultAuth> {
    const { role_id, login_path, settings } = this.approle;
    const answer = await this.operator
      .withToken(undefined)
      .write(login_path, { role_id, ...(secretId !== undefined && { secret_id: secretId }) })
      .catch((error: unknown) => {
        const networks = settings?.secret_id_bound_cidrs ?? [];
        if (!(error instanceof VaultError) || !error.message.includes("CIDR")) throw error;
        if (networks.length === 0 || isWithin(networks, error)) throw error;
        throw elsewhere("logs in", networks, error);
      });
    if (!answer.auth) throw new Failure("the login returned no token");
    const auth = new AnswerFields(this.approle.login_path, answer.auth);
    const token = auth.text("client_token");
    this.list.conceal(token);
    this.tokens.push({ token, accessor: auth.optionalText("accessor") });
    auth.number("lease_duration");
    auth.texts("policies");
    return answer.auth;
  }

  /** A client of the API with the token of a login. */
  clientFor(auth: VaultAuth): VaultClient {
    return this.operator.withToken(auth.client_token);
  }

  /** In by a new SecretID, if one is needed. @throws as {@link logIn} */
  async enter(): Promise<VaultClient> {
    if (!this.needsSecretId) return this.clientFor(await this.logIn());
    return this.clientFor(await this.logIn(await this.unwrap(await this.requestSecretId())));
  }

  async issue(client: VaultClient, role: RoleOutput): Promise<Credential> {
    const answer = await this.read(client, role.creds_path);
    const { username, password } = answer.data ?? {};
    this.owes(answer.lease_id);
    if (typeof username !== "string" || typeof password !== "string" || !answer.lease_id) {
      throw new Failure("the answer holds no username, password and lease");
    }
    this.list.conceal(password);
    return {
      login: { username, password },
      leaseId: answer.lease_id,
      leaseSeconds: new AnswerFields(role.creds_path, answer).number("lease_duration"),
      renewable: answer.renewable === true,
      issuedAt: Date.now(),
    };
  }

  /** A credential by whatever way it came to it. */
  owes(leaseId: string | undefined): void {
    if (leaseId) this.leaseIds.push(leaseId);
  }

  /** The login of a static role with its present password, and the seconds that it holds. */
  async readStatic(
    client: VaultClient,
    role: StaticRoleOutput,
  ): Promise<{ readonly login: Login; readonly seconds: number }> {
    const { data } = await this.read(client, role.creds_path);
    const { username, password } = data ?? {};
    if (typeof username !== "string" || typeof password !== "string") {
      throw new Failure("the answer holds no username and password");
    }
    this.list.conceal(password);
    return { login: { username, password }, seconds: new AnswerFields(role.creds_path, data).number("ttl") };
  }

  /** @throws Skip where a token may not be used from this machine, as far as can be told */
  private async read(client: VaultClient, path: string): Promise<VaultBody> {
    try {
      const answer = await client.read(path);
      this.hasRead = true;
      return answer;
    } catch (error) {
      const isRefused = error instanceof VaultError && error.status === 403;
      if (!isRefused || !this.mayBeElsewhere || (await this.mayLookAtItself())) throw error;
      throw elsewhere("uses its tokens", this.approle.settings?.token_bound_cidrs ?? [], error);
    }
  }

  /** By the policy default, unless its tokens are for other networks; by a new one, since one may be used up. */
  private async mayLookAtItself(): Promise<boolean> {
    const client = await this.enter();
    return client.read("auth/token/lookup-self").then(
      () => true,
      (error: unknown) => {
        if (error instanceof VaultError && error.status === 403) return false;
        throw error;
      },
    );
  }

  /** Seconds that the lease has from now on. @throws Skip where its tokens may not renew */
  async renew(client: VaultClient, credential: Credential, seconds: number): Promise<number> {
    const path = "sys/leases/renew";
    const answer = await client
      .write(path, { lease_id: credential.leaseId, increment: seconds })
      .catch((error: unknown) => {
        throw this.lacksDefault(error) ? new Skip(`its tokens may not, ${WITHOUT_DEFAULT}`) : error;
      });
    return new AnswerFields(path, answer).number("lease_duration");
  }

  /**
   * Ends a credential: by its lease, or where the operator may not, with the application's own token, whose end is that
   * of its credentials. Says which.
   */
  async revoke(client: VaultClient, credential: Credential): Promise<string> {
    try {
      await this.revokeLease(credential.leaseId);
      forget(this.leaseIds, (one) => one === credential.leaseId);
      return "by its lease";
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
    }
    await client.done("auth/token/revoke-self").catch((error: unknown) => {
      if (!this.lacksDefault(error)) throw error;
      throw new Skip(`VAULT_TOKEN may not, nor may its tokens, ${WITHOUT_DEFAULT}; it ends by itself`);
    });
    forget(this.leaseIds, (one) => one === credential.leaseId);
    return "with the application's token";
  }

  private lacksDefault(error: unknown): boolean {
    const isForbidden = error instanceof VaultError && error.status === 403;
    return isForbidden && this.approle.settings?.token_no_default_policy === true;
  }

  /**
   * Gives up what it was given: credentials that are not revoked yet, tokens, SecretIDs, also those that nobody has unwrapped.
   *
   * @returns what is left all the same
   */
  async leave(): Promise<readonly Left[]> {
    const left: (Left | undefined)[] = [];
    for (const leaseId of this.leaseIds.splice(0)) {
      const lease = await giveUp(`the lease ${leaseId}`, () => this.revokeLease(leaseId));
      // Without the right to that, it goes with its token.
      if (lease?.isRefused !== true) left.push(lease);
    }
    for (const { token, accessor } of this.tokens.splice(0)) {
      left.push(await giveUpToken(this.operator.withToken(token), accessor));
    }
    for (const wrappingToken of this.wrappings.splice(0)) {
      left.push(await giveUp("a SecretID in its wrapping", () => this.unwrap(wrappingToken)));
    }
    for (const { secretId, accessor } of this.secretIds.splice(0)) {
      const what = `the SecretID with the accessor ${accessor} of ${this.name}`;
      left.push(await giveUp(what, () => this.destroySecretId(secretId)));
    }
    return left.filter((one) => one !== undefined);
  }

  private revokeLease(leaseId: string): Promise<unknown> {
    return this.operator.done("sys/leases/revoke", { lease_id: leaseId, sync: true });
  }

  /** One that is used up is gone already, which an engine says by success. */
  private destroySecretId(secretId: string): Promise<unknown> {
    return this.operator.done(`${this.approle.secret_id_path}/destroy`, { secret_id: secretId });
  }
}

function forget<T>(list: T[], isIt: (one: T) => boolean): void {
  const index = list.findIndex(isIt);
  if (index !== -1) list.splice(index, 1);
}
