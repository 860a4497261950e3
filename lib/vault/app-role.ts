import { Annotations, Lazy, type ITerraformDependable } from "cdktf";
import { ApproleAuthBackendRole } from "@cdktf/provider-vault/lib/approle-auth-backend-role";
import { Construct, type IConstruct } from "constructs";
import { describeAccess } from "../access-picture/describe-access";
import { Duration } from "../duration";
import { dependOn } from "../dependencies";
import { ConfigurationError, show } from "../errors";
import { lowercaseVaultName } from "../names";
import { isUnresolved } from "../tokens";
import type { IAppRoleAuth } from "./app-role-auth";
import { limitsOf } from "./app-role-limits";
import { boundCidrs } from "./bound-cidrs";
import { declareOnce } from "./declared-once";
import { Policy, type IPolicy } from "./policy";
import { placesApart } from "./policy-place";

/** Whoever can be given a policy. */
export interface IGrantee {
  /**
   * What tells it apart from all others on its server, such as `orders-dev/approle/reports`. The names of policies that are
   * for it alone hold it. Without, they hold the stack's id and a mark of where it stands in the tree.
   */
  readonly identity?: string;

  /**
   * Attaches a policy.
   *
   * @param credsPath path of the credentials that it opens, if it is about one
   * @throws ConfigurationError for an imported AppRole, whose policies are managed elsewhere; at synthesis, for a policy that
   *   is declared in another namespace or on another server than the AppRole
   */
  addPolicy(policy: IPolicy, credsPath?: string): void;
}

/** An AppRole, declared here or existing. */
export interface IAppRole extends IConstruct, IGrantee {
  /** Name in the auth method. */
  readonly name: string;
  /** API path to log in at. */
  readonly loginPath: string;
  /** API path that issues a SecretID; SecretIDs are issued outside Terraform, so that none gets into its state. */
  readonly secretIdPath: string;
}

/**
 * Limits of an AppRole. Counts are whole numbers, 0 for no limit, and an empty list of networks is all; a TTL of 0 is the auth
 * method's own, 32 days unless that or the server is told otherwise.
 */
export interface AppRoleOptions {
  /** How long a SecretID can log in; 0 for ever. @default Duration.days(30) */
  readonly secretIdTtl?: Duration;
  /** How many logins a SecretID is good for. @default 0 */
  readonly secretIdNumUses?: number;
  /** Networks that may log in with a SecretID, in CIDR notation. @default - all */
  readonly secretIdBoundCidrs?: readonly string[];
  /** Whether a login needs a SecretID; without it the RoleID alone is the secret. @default true */
  readonly bindSecretId?: boolean;
  /** How long a token lives unless renewed; credentials end with the token that read them. @default Duration.hours(1) */
  readonly tokenTtl?: Duration;
  /** How long a token lives however often renewed; not under tokenTtl. @default Duration.hours(24), or tokenTtl if longer */
  readonly tokenMaxTtl?: Duration;
  /**
   * Makes tokens periodic: renewable for ever, each time for this long. Excludes tokenTtl and tokenMaxTtl. 0 makes them not
   * periodic, and they live for the auth method's own TTL: leave it out for those of tokenTtl and tokenMaxTtl.
   *
   * @default - not
   */
  readonly tokenPeriod?: Duration;
  /** Hard end of a token's life, also of a periodic one; 0 for none. @default - none */
  readonly tokenExplicitMaxTtl?: Duration;
  /**
   * How many requests a token is good for. Once they are used up the token is revoked and so are its credentials: leave it 0
   * where an agent renews them.
   *
   * @default 0
   */
  readonly tokenNumUses?: number;
  /** Networks that may use a token, in CIDR notation. @default - all */
  readonly tokenBoundCidrs?: readonly string[];
  /** Batch tokens cannot be renewed, and clip leases to their own TTL. @default "service" */
  readonly tokenType?: "service" | "batch";
  /** Leaves out the policy `default`, which allows a token to look itself up and to renew itself and its leases. @default false */
  readonly noDefaultPolicy?: boolean;
  /** Policies besides those of granted roles. @default - none */
  readonly policies?: readonly IPolicy[];
}

/** Options of {@link AppRole}. */
export interface AppRoleProps extends AppRoleOptions {
  /** Auth method to declare it in. */
  readonly auth: IAppRoleAuth;
  /** In the auth method: lower-case letters, digits, `_`, `-`, `.`. */
  readonly name: string;
}

/** An AppRole that exists, for `AppRole.fromName`. */
export interface AppRoleAttributes {
  /** Auth method that it is in. */
  readonly auth: IAppRoleAuth;
  /** Name in the auth method. */
  readonly name: string;
}

abstract class AppRoleBase extends Construct implements IAppRole {
  abstract readonly name: string;
  protected abstract readonly auth: IAppRoleAuth;

  get identity(): string {
    return `${this.auth.path}/${this.name}`;
  }

  get loginPath(): string {
    return `auth/${this.auth.path}/login`;
  }

  get secretIdPath(): string {
    return `auth/${this.auth.path}/role/${this.name}/secret-id`;
  }

  /** What is told of declared and imported ones alike. */
  protected get description() {
    const { name, loginPath, auth } = this;
    return { kind: "app-role" as const, name, loginPath, namespace: auth.namespace };
  }

  abstract addPolicy(policy: IPolicy, credsPath?: string): void;

  /** Says where a policy is, if that is not where the AppRole is. */
  protected problemsOf(policy: IPolicy): string[] {
    // One of elsewhere is a name, which the token's own namespace reads.
    const apart = policy instanceof Policy ? placesApart(this.auth, policy) : undefined;
    if (apart === undefined) return [];
    return [
      `The AppRole ${show(this.name)} is given the policy ${show(policy.name)}, but ${apart}. A token has the policies of its ` +
        "own namespace and server: it would have none of that name, or another that opens something else. Declare the auth " +
        "method and what is read with the same provider and namespace; or, for what is in a namespace below the AppRole's, " +
        'declare a Policy beside the AppRole, whose path begins with that namespace, such as "team/database/creds/reader".',
    ];
  }
}

/** The identity of an application, or of a group of applications that shall be stopped together. */
export class AppRole extends AppRoleBase implements IAppRole {
  /** Refers to an AppRole that is managed elsewhere; its policies are managed there, too. */
  static fromName(scope: Construct, id: string, attributes: AppRoleAttributes): IAppRole {
    return new ImportedAppRole(scope, id, attributes);
  }

  readonly name: string;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: ApproleAuthBackendRole;
  protected readonly auth: IAppRoleAuth;
  private readonly policies = new Map<string, IPolicy>();
  private readonly opened = new Set<string>();

  /**
   * @throws ConfigurationError for a name that is unusable or taken, tokenPeriod beside another TTL, tokenMaxTtl
   *   under tokenTtl, batch tokens with a period or a number of uses, a number of uses that is no whole number,
   *   networks that are none, and bindSecretId: false without networks
   */
  constructor(scope: Construct, id: string, props: AppRoleProps) {
    super(scope, id);
    this.name = lowercaseVaultName("AppRole", props.name);
    this.auth = props.auth;
    this.auth.names.claim("AppRole", this.name);
    if (props.bindSecretId === false && !props.secretIdBoundCidrs?.length && !props.tokenBoundCidrs?.length) {
      throw new ConfigurationError(
        `The AppRole ${show(this.name)} needs neither a SecretID nor a network: whoever knows its name could log in.`,
        "Say tokenBoundCidrs, which the server asks for then, or leave bindSecretId out.",
      );
    }
    this.resource = new ApproleAuthBackendRole(this, "Resource", {
      backend: this.auth.path,
      roleName: this.name,
      bindSecretId: props.bindSecretId ?? true,
      secretIdTtl: (props.secretIdTtl ?? Duration.days(30)).toSeconds(),
      secretIdNumUses: count(this.name, "secretIdNumUses", props.secretIdNumUses),
      secretIdBoundCidrs: boundCidrs(this.name, props.secretIdBoundCidrs),
      ...tokenTtls(this.name, props),
      tokenExplicitMaxTtl: props.tokenExplicitMaxTtl?.toSeconds(),
      tokenNumUses: count(this.name, "tokenNumUses", props.tokenNumUses),
      tokenBoundCidrs: boundCidrs(this.name, props.tokenBoundCidrs),
      tokenType: tokenType(this.name, props),
      tokenNoDefaultPolicy: props.noDefaultPolicy,
      tokenPolicies: Lazy.listValue({ produce: () => [...this.policies.keys()].sort() }),
      namespace: this.auth.namespace,
      provider: this.auth.provider,
    });
    const { namespace, provider } = this.auth;
    declareOnce(this, { namespace, provider, kind: "AppRole", path: this.identity });
    dependOn(this.resource, ...this.auth.ready);
    for (const [what, seconds] of ttlsOf(this.resource)) {
      this.auth.ttls.add(this, `${what} of the AppRole ${show(this.name)}`, seconds);
    }
    props.policies?.forEach((policy) => this.addPolicy(policy));
    describeAccess(this, () => ({
      ...this.description,
      existing: false,
      limits: limitsOf(this.resource),
      policies: [...this.policies.values()],
    }));
  }

  /** Public half of the login, known after the deployment. */
  get roleId(): string {
    return this.resource.roleId;
  }

  /** Paths of the credentials that this AppRole may read. */
  get credsPaths(): readonly string[] {
    return [...this.opened];
  }

  /** What has to stand before the AppRole can log in: the AppRole itself. */
  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }

  addPolicy(policy: IPolicy, credsPath?: string): void {
    // Providers may be declared, or get their namespace, later.
    this.node.addValidation({ validate: () => this.problemsOf(policy) });
    this.policies.set(policy.name, policy);
    if (credsPath !== undefined) this.open(credsPath);
    dependOn(this.resource, ...policy.ready);
  }

  private open(credsPath: string): void {
    this.opened.add(credsPath);
    if (this.resource.tokenNumUsesInput !== 1 || !LEASED.test(credsPath)) return;
    Annotations.of(this).addWarning(
      `The AppRole ${show(this.name)} has tokens of one use, which reading ${show(credsPath)} uses up: the credential is ` +
        "revoked before it is answered. Set tokenNumUses to 0, or to 2 or more and let the tokenTtl be as long as the credential.",
    );
  }
}

/** Where an engine issues credentials that have a lease, which ends with the token. */
const LEASED = /\/creds\/[^/]+$/;

class ImportedAppRole extends AppRoleBase {
  readonly name: string;
  protected readonly auth: IAppRoleAuth;

  constructor(scope: Construct, id: string, attributes: AppRoleAttributes) {
    super(scope, id);
    this.name = lowercaseVaultName("AppRole", attributes.name);
    this.auth = attributes.auth;
    describeAccess(this, () => ({ ...this.description, existing: true, policies: [] }));
  }

  addPolicy(policy: IPolicy, credsPath?: string): void {
    const [apart] = this.problemsOf(policy);
    if (apart !== undefined) throw new ConfigurationError(apart, "Refer to an AppRole beside what is read.");
    // Where the role is declared, the policy has its path for a name.
    const name = credsPath === undefined ? policy.name : credsPath.toLowerCase();
    throw new ConfigurationError(
      `The AppRole ${show(this.name)} is managed elsewhere, so its policies cannot be changed here.`,
      `Add the policy ${show(name)} to its token_policies where it is declared.`,
    );
  }
}

/** Each as it is by the time of synthesis. */
function ttlsOf(role: ApproleAuthBackendRole): readonly (readonly [string, () => number | undefined])[] {
  return [
    ["secretIdTtl", () => role.secretIdTtlInput],
    ["tokenTtl", () => role.tokenTtlInput],
    ["tokenMaxTtl", () => role.tokenMaxTtlInput],
    ["tokenPeriod", () => role.tokenPeriodInput],
    ["tokenExplicitMaxTtl", () => role.tokenExplicitMaxTtlInput],
  ];
}

function tokenTtls(role: string, props: AppRoleProps) {
  if (props.tokenPeriod !== undefined) {
    if (props.tokenTtl !== undefined || props.tokenMaxTtl !== undefined) {
      throw new ConfigurationError(
        `The AppRole ${show(role)} has a token period and a token TTL.`,
        "A periodic token lives one period at a time; leave tokenTtl and tokenMaxTtl out, or the period.",
      );
    }
    return { tokenPeriod: props.tokenPeriod.toSeconds() };
  }
  const ttl = props.tokenTtl ?? Duration.hours(1);
  const day = Duration.hours(24);
  const max = props.tokenMaxTtl ?? (ttl.isLongerThan(day) ? ttl : day);
  if (max.toSeconds() !== 0 && ttl.isLongerThan(max)) {
    throw new ConfigurationError(
      `The AppRole ${show(role)} has tokenMaxTtl ${max.toString()} under tokenTtl ${ttl.toString()}.`,
      "Set a tokenMaxTtl that is as long as tokenTtl or longer.",
    );
  }
  return { tokenTtl: ttl.toSeconds(), tokenMaxTtl: max.toSeconds() };
}

function tokenType(role: string, props: AppRoleProps): string {
  if (props.tokenType === "batch" && (props.tokenPeriod !== undefined || (props.tokenNumUses ?? 0) > 0)) {
    throw new ConfigurationError(
      `The AppRole ${show(role)} has batch tokens with a period or a number of uses.`,
      "Vault keeps no record of a batch token to count or renew; use service tokens.",
    );
  }
  return props.tokenType ?? "service";
}

function count(role: string, property: string, value = 0): number {
  if (!isUnresolved(value) && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new ConfigurationError(
      `The AppRole ${show(role)} has ${property} ${show(value)}.`,
      "Use a whole number, 0 for no limit.",
    );
  }
  return value;
}
