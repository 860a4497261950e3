import { TerraformProvider, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { ConfigurationError, show } from "../errors";
import { isUnresolved } from "../names";
import { providerSettings } from "../provider-settings";
import { Claims, joinClaims, type NameList, type Owned, type PasswordClaim } from "./name-claims";

/** What the constructs of an app know of the servers that its stacks name. */
class AppServers {
  /** By host and port. */
  readonly servers = new Map<string, Claims>();
  /** By provider, or by stack for the stack's own. */
  readonly registers = new Map<IConstruct, ServerNames>();
  /** By engine and name, which stand for a server that nothing else tells of. */
  readonly connections = new Map<string, ServerNames>();
  /** Stacks whose providers have been looked at. */
  readonly seen = new Set<TerraformStack>();
}

const apps = new WeakMap<IConstruct, AppServers>();
const bound = new WeakMap<IConstruct, ServerNames>();

/**
 * The names of one PostgreSQL server, each of which has one owner there: in all stacks of an app whose providers name the
 * same host and port, else in one stack. Names that only Terraform knows are nobody's.
 *
 * PostgreSQL tells names that differ in case apart where they are quoted, and they always are here.
 */
export class ServerNames {
  /**
   * Names of the server that a construct is about: that of the provider, else of the nearest construct around it that is
   * bound to one, else of the stack's own provider.
   */
  static of(construct: IConstruct, provider?: TerraformProvider): ServerNames {
    if (provider === undefined) {
      for (let scope: IConstruct | undefined = construct; scope !== undefined; scope = scope.node.scope) {
        const names = bound.get(scope);
        if (names !== undefined) return names;
      }
    }
    const stack = TerraformStack.of(construct);
    const { registers } = appOf(construct);
    const known = registers.get(provider ?? stack);
    if (known !== undefined) return known;
    const names = new ServerNames(stack, provider);
    registers.set(provider ?? stack, names);
    // The stack's provider may be declared after what is declared with it.
    stack.node.addValidation({
      validate: () => {
        names.locate();
        locateAll(construct);
        return [];
      },
    });
    return names;
  }

  /** As {@link ServerNames.of}, also for all that is made below the construct. */
  static bind(construct: IConstruct, like: IConstruct, provider?: TerraformProvider): ServerNames {
    const names = ServerNames.of(like, provider);
    bound.set(construct, names);
    return names;
  }

  /**
   * Names of the server that a connection of an engine is to, for a connection that is declared elsewhere.
   *
   * @param engine tells the engine from all others
   */
  static bindConnection(construct: IConstruct, engine: string, name: string): void {
    const { connections } = appOf(construct);
    const key = `${engine}/${name}`;
    const names = connections.get(key) ?? new ServerNames();
    connections.set(key, names);
    bound.set(construct, names);
    construct.node.addValidation({
      validate: () => {
        locateAll(construct);
        return [];
      },
    });
  }

  private readonly own = new Claims();
  private located = false;

  /** @param stack whose provider it is, where it is known by one */
  private constructor(
    private readonly stack?: TerraformStack,
    private provider?: TerraformProvider,
  ) {}

  /**
   * Takes a name for what is made and dropped here.
   *
   * @throws ConfigurationError if it has another owner, or is that of the login that makes it
   */
  declare(list: NameList, kind: string, name: string, by: IConstruct): void {
    if (isUnresolved(name)) return;
    this.locate();
    if (list === "role" && name === providerSettings(this.provider).username) {
      throw new ConfigurationError(
        `The ${kind} at ${show(by.node.path)} has the name ${show(name)}, that of the login which Terraform uses there.`,
        `Give the ${kind} another name.`,
      );
    }
    this.claims.add(named(list, name), { kind, by, declared: true });
  }

  /**
   * Takes a schema for where it is made and dropped.
   *
   * @throws ConfigurationError if it has another owner
   */
  declareSchema(database: string, name: string, by: IConstruct): void {
    if (isUnresolved(database) || isUnresolved(name)) return;
    this.locate();
    const title = `the schema ${show(name)} of the database ${show(database)}`;
    this.claims.add(
      { list: "schema", name: [database, name], title },
      { kind: "schema", by, declared: true },
    );
  }

  /**
   * Takes a grant on a database for where it is made and revoked. One stack may say the same more than once.
   *
   * @throws ConfigurationError if another stack declares it, or the same stack with other privileges
   */
  declareGrantOn(database: string, role: string, privileges: readonly string[], by: IConstruct): void {
    const title = `the grant on the database ${show(database)} to ${show(role)}`;
    this.declareGrant(["database", database, role], title, [...privileges].sort(), by);
  }

  /**
   * Takes the grant that makes a login ADMIN of a role, as {@link ServerNames.declareGrantOn} does.
   *
   * @throws ConfigurationError if another stack declares it
   */
  declareAdmin(role: string, login: string, by: IConstruct): void {
    const title = `the grant of ${show(role)} to ${show(login)} WITH ADMIN OPTION`;
    this.declareGrant(["role", role, login], title, [], by);
  }

  private declareGrant(
    name: readonly string[],
    title: string,
    privileges: readonly string[],
    by: IConstruct,
  ): void {
    if ([...name, ...privileges].some(isUnresolved)) return;
    this.locate();
    const text = privileges.join();
    this.claims.add({ list: "grant", name, title }, { kind: "grant", by, declared: true, text });
  }

  /**
   * Notes a name that is managed elsewhere.
   *
   * @throws ConfigurationError if the same stack declares it
   */
  refer(list: NameList, kind: string, name: string, by: IConstruct): void {
    if (isUnresolved(name)) return;
    this.locate();
    this.claims.add(named(list, name), { kind, by, declared: false });
  }

  /**
   * Takes the password of a login. Connections may share one, a static role shares it with nothing.
   *
   * @returns the others that set it
   * @throws ConfigurationError if it has another owner, and for a static role of the login that a stack's Terraform uses
   */
  ownPassword(login: string, kind: PasswordClaim["kind"], by: IConstruct): readonly PasswordClaim[] {
    if (isUnresolved(login)) return [];
    this.locate();
    return this.claims.addPassword(login, { kind, by });
  }

  /** Says that a connection of an engine is to this server. */
  serve(by: IConstruct, engine: string, name: string): void {
    const { connections } = appOf(by);
    const key = `${engine}/${name}`;
    const before = connections.get(key);
    connections.set(key, this);
    if (before !== undefined) joinClaims(this.claims, before.claims);
  }

  private get claims(): Claims {
    return this.own.present;
  }

  /** Joins the stacks whose providers name the same server, once the provider is there, and notes the login of each. */
  locate(): void {
    if (this.located || this.stack === undefined) return;
    this.provider ??= providerOf(this.stack);
    if (this.provider === undefined) return;
    this.located = true;
    this.join(this.stack, this.provider);
    const { username } = providerSettings(this.provider);
    if (username !== undefined && !isUnresolved(username)) this.claims.addDeploying(username, this.provider);
  }

  private join(stack: TerraformStack, provider: TerraformProvider): void {
    const server = serverOf(stack, provider);
    if (server === undefined) return;
    const { servers } = appOf(stack);
    const known = servers.get(server.key) ?? new Claims(` ${server.shown}`);
    servers.set(server.key, known);
    joinClaims(known, this.own);
  }
}

function named(list: NameList, name: string): Owned {
  return { list, name: [name], title: `the name ${show(name)}` };
}

function appOf(construct: IConstruct): AppServers {
  const { root } = construct.node;
  const known = apps.get(root) ?? new AppServers();
  apps.set(root, known);
  return known;
}

/** Looks at the providers of all stacks of an app, also those that no construct of ours has asked for. */
function locateAll(construct: IConstruct): void {
  const { seen } = appOf(construct);
  const stacks = construct.node.root.node.children.filter((child) => TerraformStack.isStack(child));
  for (const stack of stacks.filter((each) => !seen.has(each))) {
    seen.add(stack);
    const own = providerOf(stack);
    for (const provider of providersOf(stack))
      ServerNames.of(stack, provider === own ? undefined : provider).locate();
  }
}

/** The provider of a stack that nobody has to name. */
export function providerOf(stack: TerraformStack): TerraformProvider | undefined {
  return providersOf(stack).find(({ alias }) => alias === undefined);
}

function providersOf(stack: TerraformStack): TerraformProvider[] {
  return stack.node.children.filter(
    (child): child is TerraformProvider =>
      TerraformProvider.isTerraformProvider(child) && child.terraformResourceType === "postgresql",
  );
}

/** Where a provider goes; undefined where only Terraform knows. */
function serverOf(
  stack: TerraformStack,
  provider: TerraformProvider,
): { readonly key: string; readonly shown: string } | undefined {
  const { host, port = 5432 } = providerSettings(provider);
  if (isUnresolved(host) || isUnresolved(port) || host?.includes("${") === true) return undefined;
  // Without a host it is that of PGHOST, which is one for a stack, though not for an app.
  if (host === undefined) return { key: `${stack.node.addr}:${port}`, shown: "of PGHOST" };
  const key = `${host.toLowerCase()}:${port}`;
  return { key, shown: key };
}
