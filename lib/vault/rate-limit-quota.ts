import { Annotations, TerraformStack, type ITerraformDependable, type TerraformProvider } from "cdktf";
import { QuotaRateLimit } from "@cdktf/provider-vault/lib/quota-rate-limit";
import { Construct } from "constructs";
import { dependOn } from "../dependencies";
import { Duration } from "../duration";
import { ConfigurationError, show } from "../errors";
import { isUnresolved, vaultName, vaultPath } from "../names";
import { providerSettings } from "../provider-settings";
import type { IAppRole } from "./app-role";
import type { IAppRoleAuth } from "./app-role-auth";
import { declareOnce } from "./declared-once";
import { defaultVaultProvider, joinedNamespaces } from "./vault-server";

/** A secrets engine of any type. */
export interface RateLimitedEngine {
  /** Where it is mounted, without a `/` at either end. */
  readonly path: string;
  /** Namespace that it is in; absent for the provider's. */
  readonly namespace?: string;
  /** Provider that it is declared with; absent for the stack's vault provider. */
  readonly provider?: TerraformProvider;
  /** What has to stand before a quota can be put on it; nothing for an imported one. */
  readonly ready: readonly ITerraformDependable[];
}

/** The requests that a quota counts. */
export class RateLimitTarget {
  /**
   * All requests to a secrets engine, or those to one exact path in it.
   *
   * @param path below the engine's, such as `creds/reader`; those of other paths are not counted
   * @throws ConfigurationError for a path that is unusable
   */
  static secretsEngine(engine: RateLimitedEngine, path?: string): RateLimitTarget {
    // A server keeps the path of a mount with a slash at the end.
    const below = path === undefined ? "" : vaultPath("rate-limited", path);
    return new RateLimitTarget(`${engine.path}/${below}`, engine);
  }

  /**
   * All requests to an auth method, or the logins of one AppRole.
   *
   * @param appRole one of that auth method
   */
  static authMethod(auth: IAppRoleAuth, appRole?: IAppRole): RateLimitTarget {
    return new RateLimitTarget(`auth/${auth.path}/`, auth, appRole?.name);
  }

  private constructor(
    /** Path that the quota is put on, in the namespace of what it is about. */
    readonly path: string,
    /** Secrets engine or auth method that it is about. */
    readonly mount: Omit<RateLimitedEngine, "path">,
    /** Name of the AppRole whose logins are counted; absent where all requests are. */
    readonly appRole?: string,
  ) {}
}

/** Options of {@link RateLimitQuota}. */
export interface RateLimitQuotaProps {
  /** Name of the quota, which belongs to the whole server: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
  /**
   * Requests that it counts. A server takes one quota for each path and AppRole. It does not take another AppRole for a quota
   * that stands, nor one in place of all: give the quota another name with it, which makes it anew.
   */
  readonly target: RateLimitTarget;
  /** Requests that pass in an interval: more than 0; a fraction is allowed. */
  readonly rate: number;
  /** Length of the interval that `rate` is about. @default Duration.seconds(1) */
  readonly interval?: Duration;
  /** How long a client is refused altogether once it was over the limit. @default - not */
  readonly blockInterval?: Duration;
  /**
   * Provider to declare it with, which has to be one of the root namespace: no other may have quotas. What is limited may be
   * in another namespace, or declared with a provider of one.
   *
   * @default - the stack's vault provider
   */
  readonly provider?: TerraformProvider;
}

/**
 * Limits the requests that each client address may make, and each server of a cluster counts its own. What is over the
 * limit is answered with 429.
 */
export class RateLimitQuota extends Construct {
  /** Name of the quota. */
  readonly name: string;
  /** Terraform's resource, for overrides and dependencies. */
  readonly resource: QuotaRateLimit;

  /** @throws ConfigurationError for a name that is unusable, a rate that is not above 0, and an interval of 0 */
  constructor(scope: Construct, id: string, props: RateLimitQuotaProps) {
    super(scope, id);
    this.name = vaultName("quota", props.name);
    const path = this.pathOf(props);
    const { appRole: role } = props.target;
    const { provider } = props;
    declareOnce(this, { provider, kind: "quota", path: this.name });
    const on = role === undefined ? "quota on" : `quota on logins of ${show(role)} at`;
    declareOnce(this, { provider, kind: on, path });
    this.resource = new QuotaRateLimit(this, "Resource", {
      name: this.name,
      path,
      role,
      rate: checkRate(this.name, props.rate),
      // Always told: the provider (5.6 to 5.11) leaves the last one in place where none is.
      interval: checkInterval(this.name, "interval", props.interval ?? Duration.seconds(1)),
      blockInterval: checkInterval(this.name, "blockInterval", props.blockInterval),
      provider,
    });
    this.refuseAnother(role ?? "");
    dependOn(this.resource, ...props.target.mount.ready);
  }

  /**
   * Has a deployment fail where the quota goes on counting for another AppRole, or for all. With another path or name Terraform
   * makes a quota anew, but not with another AppRole: a server takes none for a quota that stands, and answers with success
   * (OpenBao 2.7). `replace_triggered_by` would not do: in OpenTofu 1.12 it makes the quota anew where the trigger is new, as after an
   * upgrade.
   */
  private refuseAnother(role: string): void {
    // An override, so that it stays beside a lifecycle that a user gives the resource.
    this.resource.addOverride("lifecycle.postcondition", [
      {
        // In a plan it is the AppRole of the code, and after an apply that of the server.
        condition: `\${(self.role == null ? "" : self.role) == "${role}"}`,
        error_message:
          `The quota ${this.name} should count ${role === "" ? "all requests to its path" : `logins of the AppRole ${role}`}, ` +
          "and goes on counting for the AppRole that it had before, or for all: a server does not change that. Give the quota " +
          `another name, or delete it with "vault delete sys/quotas/rate-limit/${this.name}", and deploy again.`,
      },
    ]);
  }

  /** Servers see the path of a quota from the root: without the namespace it would be on the root's own mount, or on none. */
  private pathOf({ target, provider }: RateLimitQuotaProps): string {
    const here = namespaceOf(this, provider);
    if (here !== "") {
      Annotations.of(this).addWarning(
        `The quota ${show(this.name)} is declared with a provider of the namespace ${show(here)}, where servers refuse quotas: ` +
          "pass a provider of the root namespace.",
      );
    }
    const mountedBy = provider === target.mount.provider ? "" : namespaceOf(this, target.mount.provider);
    const namespace = joinedNamespaces(mountedBy, target.mount.namespace ?? "");
    return namespace === "" ? target.path : `${namespace}/${target.path}`;
  }
}

/** Namespace that a provider works in, the stack's vault provider unless given; empty for the root. */
function namespaceOf(scope: Construct, given?: TerraformProvider): string {
  return providerSettings(given ?? defaultVaultProvider(TerraformStack.of(scope))).namespace ?? "";
}

function checkRate(quota: string, rate: number): number {
  if (!isUnresolved(rate) && !(Number.isFinite(rate) && rate > 0)) {
    throw new ConfigurationError(
      `The quota ${show(quota)} has the rate ${show(rate)}.`,
      "Use a number of requests above 0; a fraction is allowed.",
    );
  }
  return rate;
}

function checkInterval(quota: string, what: string, interval?: Duration): number | undefined {
  if (interval?.toSeconds() === 0) {
    throw new ConfigurationError(
      `The quota ${show(quota)} has the ${what} ${show(interval.toString())}.`,
      "Give a time of 1 second or more, or leave it out.",
    );
  }
  return interval?.toSeconds();
}
