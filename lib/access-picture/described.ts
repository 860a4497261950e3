import type { IConstruct } from "constructs";
import type { DatabaseGrant, Known, OwnSql, AppRoleLimits } from "./report";

/** Where a construct keeps what it says of itself: a registered symbol, so that it is the same in all copies of the package. */
export const DESCRIPTION = Symbol.for("cdktf-database-credentials.access");
/** What a construct says of itself, with other constructs where the report has their ids. */
export type Description =
  DescribedAppRole | DescribedRole | DescribedPolicy | DescribedBaseRole | DescribedLogin | DescribedManager;

/** What an AppRole says of itself. */
export interface DescribedAppRole {
  readonly kind: "app-role";
  readonly name: string;
  readonly existing: boolean;
  /** API path to log in at. */
  readonly loginPath: string;
  readonly namespace?: string;
  readonly limits?: AppRoleLimits;
  readonly policies: readonly IConstruct[];
}

/** What a dynamic or static role says of itself. */
export interface DescribedRole {
  readonly kind: "role";
  readonly type: "dynamic" | "static";
  readonly name: string;
  readonly existing: boolean;
  readonly path: string;
  readonly namespace?: string;
  readonly baseRole?: IConstruct & { readonly name: string };
  readonly login?: IConstruct & { readonly name: string };
  readonly defaultTtl?: Known<number>;
  readonly maxTtl?: Known<number>;
  readonly rotationPeriod?: Known<number>;
  readonly revocation?: string;
  readonly ownSql?: readonly OwnSql[];
  readonly superuserAllowed?: boolean;
  /** Where the role itself says what its users may do, as those of MySQL do. */
  readonly level?: string;
  readonly grants?: readonly DatabaseGrant[];
  readonly from?: string;
  readonly tls?: boolean;
}

/** What a policy says of itself. */
export interface DescribedPolicy {
  readonly kind: "policy";
  readonly name: string;
  readonly existing: boolean;
  readonly namespace?: string;
  readonly rules: readonly { readonly path: string; readonly capabilities: readonly string[] }[];
}

/** What a base role says of itself. */
export interface DescribedBaseRole {
  readonly kind: "base-role";
  readonly name: string;
  readonly existing: boolean;
  readonly database?: string;
  readonly level: string;
  readonly schemas: readonly string[];
  readonly grants: readonly DatabaseGrant[];
}

/** What a login says of itself. */
export interface DescribedLogin {
  readonly kind: "login";
  readonly name: string;
  readonly existing: boolean;
  readonly baseRole?: IConstruct & { readonly name: string };
  readonly password: boolean;
}

/** What the login of a secrets engine says of itself. */
export interface DescribedManager {
  readonly kind: "manager";
  readonly name: string;
  readonly existing: boolean;
  readonly adminOf: readonly string[];
  readonly connects: readonly string[];
}

type Marked = IConstruct & { readonly [DESCRIPTION]?: () => Description };

/** What a construct says of itself; undefined for one that is not of this package, or has no part in access. */
export function descriptionOf(construct: IConstruct): Description | undefined {
  return (construct as Marked)[DESCRIPTION]?.();
}
