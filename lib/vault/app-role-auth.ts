import { Lazy, type ITerraformDependable, type TerraformProvider } from "cdktf";
import { AuthBackend } from "@cdktf/provider-vault/lib/auth-backend";
import { Construct, type IConstruct } from "constructs";
import { ClaimedNames } from "../claimed-names";
import { Duration } from "../duration";
import { freeId } from "../free-id";
import { lowercaseVaultName, mountPath } from "../names";
import { terraformText } from "../terraform-text";
import { AppRole, type AppRoleOptions } from "./app-role";
import { declareOnce } from "./declared-once";
import { LockoutOfMethod, type Lockout } from "./lockout";
import { LongestTtl, type TtlBounds } from "./longest-ttl";
import { keepPath } from "./kept-path";
import { checkNamespace } from "./namespace";

/** An auth method of the type `approle`, declared here or existing. */
export interface IAppRoleAuth extends IConstruct {
  /** Path below `auth/`, without a `/` at either end. */
  readonly path: string;
  /** Namespace that it is in; absent for the provider's. */
  readonly namespace?: string;
  /** Provider that it is declared with; absent for the stack's vault provider. */
  readonly provider?: TerraformProvider;
  /** What has to stand before it can be configured; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];

  /**
   * Declares an AppRole.
   *
   * @param name in the auth method: lower-case letters, digits, `_`, `-`, `.`
   * @throws ConfigurationError as the constructor of {@link AppRole} does
   */
  addRole(name: string, options?: AppRoleOptions): AppRole;

  /** @internal Names of the AppRoles declared on it. */
  readonly names: ClaimedNames;
  /** @internal TTLs of the AppRoles declared on it. */
  readonly ttls: LongestTtl;
}

/** Options of {@link AppRoleAuth}. */
export interface AppRoleAuthProps {
  /**
   * Where to enable it below `auth/`. The plan refuses another path for a method that stands: declare a new method beside it,
   * and take this one away when the applications log in there.
   *
   * @default "approle"
   */
  readonly path?: string;
  /** Description that the server keeps of it. @default "Logins of applications" */
  readonly description?: string;
  /**
   * Bound on the life of every token and SecretID. When it is taken away, or the TTL that was longer is shortened, the server
   * keeps what was set: declare `Duration.days(32)`, or 0 for the server's own, to bring it down.
   *
   * @default - the server's, 32 days unless configured; or the longest TTL of the AppRoles declared on it, if that is longer
   */
  readonly maxLeaseTtl?: Duration;
  /**
   * What it does with an AppRole of which logins fail. When the option is taken away, the server keeps what was set.
   *
   * @default - the server's: 5 failed logins within 15 minutes lock a RoleID for 15 minutes, unless configured
   */
  readonly lockout?: Lockout;
  /** Namespace that it is in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

/** An auth method that exists, for `AppRoleAuth.fromPath`. */
export interface AppRoleAuthAttributes {
  /** Path below `auth/`. */
  readonly path: string;
  /** Its max_lease_ttl, where it is longer than 32 days: by it, synthesis warns of what would be cut. @default Duration.days(32) */
  readonly maxLeaseTtl?: Duration;
  /** Namespace that it is in. @default - the provider's */
  readonly namespace?: string;
  /** Provider to declare it with. @default - the stack's vault provider */
  readonly provider?: TerraformProvider;
}

abstract class AppRoleAuthBase extends Construct implements IAppRoleAuth {
  abstract readonly path: string;
  abstract readonly namespace?: string;
  abstract readonly provider?: TerraformProvider;
  abstract readonly ready: readonly ITerraformDependable[];
  /** @internal */
  readonly names = new ClaimedNames("auth method", () => this.path);
  /** @internal */
  readonly ttls = new LongestTtl(() => ({ kind: "auth method", path: this.path, ...this.bound }));
  /** @internal */
  protected abstract readonly bound: TtlBounds;

  addRole(name: string, options: AppRoleOptions = {}): AppRole {
    this.names.requireFree("AppRole", lowercaseVaultName("AppRole", name));
    return new AppRole(this, freeId(this, "AppRole", name), { ...options, name, auth: this });
  }
}

/** Enables logins by RoleID and SecretID. */
export class AppRoleAuth extends AppRoleAuthBase implements IAppRoleAuth {
  /** Refers to an auth method that is enabled already. */
  static fromPath(scope: Construct, id: string, attributes: string | AppRoleAuthAttributes): IAppRoleAuth {
    return new ImportedAppRoleAuth(
      scope,
      id,
      typeof attributes === "string" ? { path: attributes } : attributes,
    );
  }

  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: AuthBackend;
  /** @internal */
  protected readonly bound: TtlBounds;

  /** @throws ConfigurationError for a path or namespace that is unusable, or the server's own */
  constructor(scope: Construct, id: string, props: AppRoleAuthProps = {}) {
    super(scope, id);
    this.path = mountPath("auth method", props.path ?? "approle");
    this.namespace = checkNamespace(props.namespace);
    this.provider = props.provider;
    this.bound = { given: props.maxLeaseTtl };
    const { path, namespace, provider } = this;
    declareOnce(this, { namespace, provider, kind: "auth method", path });
    this.resource = new AuthBackend(this, "Resource", {
      type: "approle",
      path: this.path,
      description: terraformText("description", props.description ?? "Logins of applications"),
      tune: Lazy.anyValue({ produce: () => tuneOf(this.ttls.seconds) }),
      namespace: this.namespace,
      provider: props.provider,
    });
    keepPath(
      this.resource,
      "The AppRole method ${self.id} would be moved to ${self.path}",
      "Take the change of its path back. For another path declare a new method with AppRoles beside it and deploy; give the " +
        "applications RoleIDs and SecretIDs of those, and take this one away once they log in there.",
    );
    if (props.lockout !== undefined) new LockoutOfMethod(this, this, props.lockout);
  }

  get ready(): readonly ITerraformDependable[] {
    return [this.resource];
  }
}

class ImportedAppRoleAuth extends AppRoleAuthBase {
  readonly path: string;
  readonly namespace?: string;
  readonly provider?: TerraformProvider;
  readonly ready = [];
  /** @internal */
  protected readonly bound: TtlBounds;

  constructor(scope: Construct, id: string, attributes: AppRoleAuthAttributes) {
    super(scope, id);
    this.bound = { given: attributes.maxLeaseTtl, managedElsewhere: true };
    this.path = mountPath("auth method", attributes.path);
    this.namespace = checkNamespace(attributes.namespace);
    this.provider = attributes.provider;
  }
}

/** Terraform wants every field of it named. */
const UNTUNED = {
  allowed_response_headers: null,
  audit_non_hmac_request_keys: null,
  audit_non_hmac_response_keys: null,
  default_lease_ttl: null,
  listing_visibility: null,
  passthrough_request_headers: null,
  token_type: null,
};

function tuneOf(maxLeaseTtl: number | undefined) {
  if (maxLeaseTtl === undefined) return undefined;
  return [{ ...UNTUNED, max_lease_ttl: Duration.seconds(maxLeaseTtl).toString() }];
}
