/** A value, or what stands for one that only Terraform knows. */
export type Known<T> = T | "(known at deployment)";

/**
 * Who may do what, by the constructs of a tree: plain data, in the order of declaration, for a document, a picture, or the
 * snapshot of a test. Fields may be added; what is there keeps its meaning while `version` is 1.
 *
 * It knows the constructs of this package. Resources that are declared without them, overrides, and what others have given
 * on the servers are not in it.
 */
export interface AccessReport {
  /** Of this form. */
  readonly version: 1;
  /** Identities of applications, and what they may read. */
  readonly appRoles: readonly AppRoleAccess[];
  /** Roles of secrets engines that credentials are read from. */
  readonly roles: readonly RoleAccess[];
  /** Policies that say something else than to read the credentials of one of `roles`. */
  readonly policies: readonly PolicyAccess[];
  /** NOLOGIN roles of PostgreSQL, and what they may do. */
  readonly baseRoles: readonly BaseRoleAccess[];
  /** Logins of PostgreSQL that last. */
  readonly logins: readonly LoginAccess[];
}

/** What all parts of a report have. */
export interface AccessPart {
  /** In this report, for the parts that refer to it. */
  readonly id: string;
  /** As the server has it. */
  readonly name: string;
  /** Whether it is managed elsewhere, so that only what is declared here is known of it. */
  readonly existing: boolean;
}

/** An AppRole of a report. */
export interface AppRoleAccess extends AccessPart {
  /** API path to log in at. */
  readonly loginPath: string;
  /** Absent for one that is managed elsewhere. */
  readonly limits?: AppRoleLimits;
  /** Ids of the roles whose credentials it may read. */
  readonly reads: readonly string[];
  /** Ids of its policies that say something else. */
  readonly policies: readonly string[];
}

/** Limits of an AppRole, as they are configured; durations in seconds, 0 for the server's default, counts 0 for no limit. */
export interface AppRoleLimits {
  /** Whether a login needs a SecretID. */
  readonly secretIdNeeded: Known<boolean>;
  /** How long a SecretID can log in; 0 for ever. */
  readonly secretIdTtl: Known<number>;
  /** How many logins a SecretID is good for. */
  readonly secretIdUses: Known<number>;
  /** Networks that may log in; none named for all. */
  readonly secretIdNetworks: readonly string[];
  /** How long a token lives unless renewed; absent for a periodic one. */
  readonly tokenTtl?: Known<number>;
  /** How long a token lives however often renewed; absent for a periodic one. */
  readonly tokenMaxTtl?: Known<number>;
  /** How long a periodic token lives each time it is renewed. */
  readonly tokenPeriod?: Known<number>;
  /** Hard end of a token's life. */
  readonly tokenExplicitMaxTtl?: Known<number>;
  /** How many requests a token is good for. */
  readonly tokenUses: Known<number>;
  /** Networks that may use a token; none named for all. */
  readonly tokenNetworks: readonly string[];
  /** Kind of the tokens. */
  readonly tokenType: string;
  /** Whether tokens have the policy `default`, too. */
  readonly defaultPolicy: Known<boolean>;
}

/** Which statements of a role are not the package's. */
export type OwnSql = "creation" | "renewal" | "revocation" | "rotation";

/** A dynamic or static role of a report. */
export interface RoleAccess extends AccessPart {
  /** Whether each reading makes a user, or shows the password of one that lasts. */
  readonly type: "dynamic" | "static";
  /** API path that credentials are read from. */
  readonly path: string;
  /** Id of the base role that its users join. */
  readonly baseRole?: string;
  /** Id of the login whose password it keeps. */
  readonly login?: string;
  /** Seconds that a credential lives unless renewed. */
  readonly defaultTtl?: Known<number>;
  /** Seconds that a credential lives however often renewed. */
  readonly maxTtl?: Known<number>;
  /** Seconds that a password of a static role holds. */
  readonly rotationPeriod?: Known<number>;
  /** What becomes of sessions: `terminate`, `drain` or `custom`. */
  readonly revocation?: string;
  /** Statements that are the user's own: what they give is not in this report. */
  readonly ownSql: readonly OwnSql[];
  /** Whether the statements may make superusers. */
  readonly superuserAllowed?: boolean;
  /** Level of its own grants, as users of MySQL have them. */
  readonly level?: string;
  /** Its own grants, as users of MySQL have them. */
  readonly grants?: readonly DatabaseGrant[];
  /** From where its users of MySQL may log in. */
  readonly from?: string;
  /** Whether its users of MySQL have to use TLS. */
  readonly tls?: boolean;
}

/** A policy of a report. */
export interface PolicyAccess extends AccessPart {
  /** What it allows at which path; empty for one that is managed elsewhere. */
  readonly rules: readonly RuleAccess[];
}

/** A rule of a policy of a report. */
export interface RuleAccess {
  /** API path. */
  readonly path: string;
  /** As Vault names them. */
  readonly capabilities: readonly string[];
}

/** A base role of a report. */
export interface BaseRoleAccess extends AccessPart {
  /** Database that its grants are about; absent for one that is managed elsewhere. */
  readonly database?: string;
  /** Level of its access. */
  readonly level: string;
  /** Schemas that its access covers. */
  readonly schemas: readonly string[];
  /** What it may do; empty for one that is managed elsewhere. */
  readonly grants: readonly DatabaseGrant[];
}

/** Privileges that a report has on one kind of thing. */
export interface DatabaseGrant {
  /** Database that it is about. */
  readonly database: string;
  /** What it is on: `database`, `schema`, `table`, `sequence` or `function`. */
  readonly on: string;
  /** Absent for a grant on the database, and in MySQL. */
  readonly schema?: string;
  /** Names; absent for all in the schema. */
  readonly objects?: readonly string[];
  /** By their SQL names. */
  readonly privileges: readonly string[];
  /** Roles whose later objects it covers, by default privileges. */
  readonly laterObjectsOf?: readonly string[];
}

/** A login of a report. */
export interface LoginAccess extends AccessPart {
  /** `manager` is that of a secrets engine, which makes and drops users. */
  readonly type: "login" | "manager";
  /** Id of the base role whose rights it has. */
  readonly baseRole?: string;
  /** Whether Terraform gives it a password, which only a person changes. */
  readonly ownPassword: boolean;
  /** Whether it may make roles. */
  readonly makesRoles: boolean;
  /** Roles that it may hand out, or whose passwords it sets. */
  readonly adminOf: readonly string[];
  /** Databases that it is let into. */
  readonly connects: readonly string[];
}
