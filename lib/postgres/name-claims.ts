import { TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { ConfigurationError, show } from "../errors";

/** PostgreSQL keeps two lists of names for a whole server: one of databases, one of roles, with LOGIN or without. */
export type NameList = "database" | "role";

/** What has one owner on a server. */
export interface Owned {
  /** Where it is looked up, besides its name. A database keeps schemas, and a grant is told by what it is on and to whom. */
  readonly list: NameList | "schema" | "grant";
  readonly name: readonly string[];
  /** For messages, such as `the name "orders"`. */
  readonly title: string;
}

/** Who says that something is theirs, or managed elsewhere. */
export interface Claim {
  /** For messages, such as `base role`. */
  readonly kind: string;
  readonly by: IConstruct;
  /** Whether it is made and dropped there, or managed elsewhere. */
  readonly declared: boolean;
  /** All that is declared, where one stack may declare the same more than once. */
  readonly text?: string;
}

/** Who sets the password of a login. */
export interface PasswordClaim {
  readonly kind: "static role" | "connection" | "login";
  readonly by: IConstruct;
}

/** All that is said about the names of one server. */
export class Claims {
  private readonly owned = new Map<string, { readonly owned: Owned; readonly claims: Claim[] }>();
  private readonly passwords = new Map<string, PasswordClaim[]>();
  /** Logins that Terraform uses, and the provider of each. */
  private readonly deploying = new Map<string, IConstruct>();
  private successor?: Claims;

  /** @param where for messages, such as ` db.example.com:5432`; empty where it is not known */
  constructor(private readonly where = "") {}

  /** @throws ConfigurationError for a second declaration, and for one beside an import in the same stack */
  add(owned: Owned, claim: Claim): void {
    const key = JSON.stringify([owned.list, ...owned.name]);
    const others: Claim[] = this.owned.get(key)?.claims ?? [];
    const other = others.find((each) => contradict(each, claim));
    if (other !== undefined) throw this.twice(owned, other, claim);
    // Of imports of a kind, one a stack tells as much as all of them.
    const said = (each: Claim) => !each.declared && each.kind === claim.kind && inOneStack(each, claim);
    if (claim.declared || !others.some(said)) others.push(claim);
    this.owned.set(key, { owned, claims: others });
  }

  /**
   * @returns who sets it besides
   * @throws ConfigurationError for a login whose password a static role and anything else set
   */
  addPassword(login: string, claim: PasswordClaim): readonly PasswordClaim[] {
    const others = this.passwords.get(login) ?? [];
    if (others.some(({ by }) => by === claim.by)) return others.filter(({ by }) => by !== claim.by);
    const other = others.find(({ kind }) => kind === "static role" || claim.kind === "static role");
    if (other !== undefined) throw this.twoPasswords(login, other, claim);
    this.requireNotDeploying(login, claim);
    this.passwords.set(login, [...others, claim]);
    return others;
  }

  /** Notes a login that Terraform uses. @throws ConfigurationError if a static role sets its password */
  addDeploying(login: string, provider: IConstruct): void {
    if (this.deploying.has(login)) return;
    this.deploying.set(login, provider);
    this.passwords.get(login)?.forEach((claim) => this.requireNotDeploying(login, claim));
  }

  /** The one that has taken this one over, or itself. */
  get present(): Claims {
    return this.successor?.present ?? this;
  }

  /** Takes over what another knows of the same server. @throws ConfigurationError as `add` and `addPassword` do */
  absorb(other: Claims): void {
    other.successor = this;
    for (const { owned, claims } of other.owned.values()) claims.forEach((claim) => this.add(owned, claim));
    for (const [login, provider] of other.deploying) this.addDeploying(login, provider);
    for (const [login, claims] of other.passwords) claims.forEach((claim) => this.addPassword(login, claim));
  }

  private requireNotDeploying(login: string, { kind, by }: PasswordClaim): void {
    const provider = this.deploying.get(login);
    if (provider === undefined || kind !== "static role") return;
    throw new ConfigurationError(
      `The static role at ${show(by.node.path)} manages ${show(login)}, the login that Terraform uses on the PostgreSQL ` +
        `server${this.where} (provider at ${show(provider.node.path)}).`,
      "The engine would set another password as soon as the role is made, and every deployment after it would be refused: " +
        "give the static role a login of its own.",
    );
  }

  private twice({ list, title }: Owned, first: Claim, second: Claim): ConfigurationError {
    const both = first.declared && second.declared;
    return new ConfigurationError(
      `The PostgreSQL server${this.where} would have two owners of ${title}: ` +
        `${described(first)}, and ${described(second)}.`,
      both ? TWO_DECLARED[list] : DECLARED_AND_IMPORTED,
    );
  }

  private twoPasswords(login: string, first: PasswordClaim, second: PasswordClaim): ConfigurationError {
    const remedy =
      first.kind === second.kind
        ? "Each would shut out whoever has the password of the other: keep one static role, and let all read that."
        : "The static role would set another password as soon as it is made: give it a login of its own.";
    return new ConfigurationError(
      `The password of the login ${show(login)} of the PostgreSQL server${this.where} would have two owners: ` +
        `the ${first.kind} at ${show(first.by.node.path)}, and the ${second.kind} at ${show(second.by.node.path)}.`,
      remedy,
    );
  }
}

const NAMES_OF_THE_SERVER =
  "Base roles, logins and managers share the names of a whole server, as databases do: give one of them another " +
  'name. Without a name of its own, a base role or login is named after its database and its id, "<database>_<id>".';

/** The remedy for two declarations. */
const TWO_DECLARED: Readonly<Record<Owned["list"], string>> = {
  database: NAMES_OF_THE_SERVER,
  role: NAMES_OF_THE_SERVER,
  schema:
    "Whichever is destroyed first would drop it from under the other: declare it in one place, and name it in the access of " +
    "base roles in the other.",
  grant:
    "Whichever is destroyed first would take the right from the other: declare it in one place. Where it is the ADMIN OPTION for " +
    "a dynamic role's base role, pass grantAdmin: false to the dynamic roles of one stack, which revokes nothing.",
};

const DECLARED_AND_IMPORTED =
  "What is declared is made and dropped here, what is imported is managed elsewhere: use the declared one in both " +
  "places, or take the declaration away.";

/** Makes one of what is known of a server in two places. */
export function joinClaims(into: Claims, other: Claims): void {
  if (into.present !== other.present) into.present.absorb(other.present);
}

function contradict(a: Claim, b: Claim): boolean {
  if (a.declared && b.declared) return a.text === undefined || a.text !== b.text || !inOneStack(a, b);
  // A connection may be given the declared manager by its name, with a password that is not its first.
  if (a.kind === "manager" && b.kind === "manager") return false;
  return a.declared !== b.declared && inOneStack(a, b);
}

function inOneStack(a: Claim, b: Claim): boolean {
  return TerraformStack.of(a.by) === TerraformStack.of(b.by);
}

function described({ kind, by, declared }: Claim): string {
  return `the ${kind} that is ${declared ? "declared" : "imported"} at ${show(by.node.path)}`;
}
