import { setTimeout as pause } from "node:timers/promises";
import type { EnvironmentOutputs } from "../stacks/outputs";
import { appRolesNotLookedAt } from "./approle-findings";
import { surveyAppRoles, type AppRoleSurvey } from "./approle-survey";
import { connectionNotLookedAt } from "./connection-findings";
import { baseRolesOf, databaseUsers, missingBaseRoles, type DatabaseUser } from "./database-users";
import { engineLogin, type EngineLogin } from "./engine-login";
import { engineRoles, namesBelow, type EngineRole } from "./engine-roles";
import { foreignMembers, type ForeignMember } from "./foreign-members";
import type { Inventory } from "./inventory";
import { settingsOf, type RoleSettings } from "./large-settings";
import { lockedAppRoles, type LockedAppRole } from "./locked-approles";
import { loginSettings, type LoginSetting } from "./login-settings";
import type { Session } from "./postgres-login";
import { preparedTransactions, type PreparedTransaction } from "./prepared-transactions";
import { holdsOn, type Hold } from "./lock-holders";
import { obstaclesOf, type Obstacles } from "./obstacles";
import { surveyRoles, type RoleSurvey } from "./role-attributes";
import { groupsWithPassword } from "./role-passwords";
import { schemaRights, type SchemaRight } from "./schema-rights";
import { holdingsOf, type Holdings } from "./shut-users";
import { staticLogins, type StaticLogin } from "./static-logins";
import { possibleRoles, withStripped } from "./stripped-users";
import { undeclaredAppRoles } from "./undeclared-approles";
import type { VaultClient } from "./vault-client";

/** What an inventory of leases and users does not hold: whether what they stand on is as it was declared. */
export interface Survey {
  /** Roles that the engine has, by name: declared ones, and all if the token may list them. */
  readonly roles: ReadonlyMap<string, EngineRole>;
  /** Names of all the engine's roles; undefined where the token may not list them. */
  readonly roleNames?: readonly string[];
  readonly lockedAppRoles: readonly LockedAppRole[];
  readonly appRoles: AppRoleSurvey;
  /** Absent where PostgreSQL was not looked at. */
  readonly postgres?: PostgresSurvey;
  /** What was not looked at, and why. */
  readonly notLookedAt: readonly string[];
}

export interface PostgresSurvey {
  readonly engineLogin: EngineLogin;
  readonly roles: RoleSurvey;
  /** Base roles of the environment that are not there. */
  readonly missingBaseRoles: readonly string[];
  /** Users that may not log in any more, and what keeps them. */
  readonly shut: readonly ShutUser[];
  readonly prepared: readonly PreparedTransaction[];
  readonly foreignMembers: readonly ForeignMember[];
  readonly loginSettings: readonly LoginSetting[];
  /** Of base roles, the engine's login and the logins of static roles. */
  readonly settings: readonly RoleSettings[];
  /** Base roles that have a password; absent where the login may not see that. */
  readonly groupsWithPassword?: readonly string[];
  /** Absent where the login does not enter the environment's database. */
  readonly schemaRights?: readonly SchemaRight[];
  /** By name. */
  readonly staticLogins: ReadonlyMap<string, StaticLogin>;
}

export interface ShutUser {
  readonly user: DatabaseUser;
  readonly holdings: Holdings;
  readonly hold: Hold;
  /** Absent where the login may not connect to the environment's database. */
  readonly obstacles?: Obstacles;
}

/** Opens a session in the environment's own database; undefined where the login may not connect to it. */
export type OpenDatabase = () => Promise<Session | undefined>;

/** A revocation takes milliseconds, and so does a two-phase commit: what is on its way is gone when it is looked again. */
const ON_ITS_WAY_MS = 1_000;

const OPERATOR_RIGHTS = "VAULT_TOKEN lacks a right of docs/rights/operator-policy.hcl.";

/**
 * Looks at what the inventory does not; changes nothing.
 *
 * @param inDatabase in the environment's own database, where the login gets in there
 */
export async function survey(
  outputs: EnvironmentOutputs,
  vault: VaultClient,
  session: Session | undefined,
  inventory: Inventory,
  openDatabase: OpenDatabase,
): Promise<Survey> {
  const { mount } = outputs.vault;
  const notLookedAt: string[] = [];
  const roleNames = await namesBelow(vault, `${mount}/roles`);
  if (roleNames === undefined) {
    notLookedAt.push(`The engine's roles were not compared with the declared ones: ${OPERATOR_RIGHTS}`);
  }
  if (!inventory.staticRolesListed) {
    notLookedAt.push(`Static roles of others on the engine were not looked at: ${OPERATOR_RIGHTS}`);
  }
  const locked = await lockedAppRoles(vault, outputs);
  if (locked === undefined) {
    notLookedAt.push(
      `Whether failed logins have locked an AppRole out was not looked at: ${OPERATOR_RIGHTS}`,
    );
  }
  const appRoles = await surveyAppRoles(vault, outputs, undeclaredAppRoles(outputs, inventory.tokens));
  notLookedAt.push(
    ...connectionNotLookedAt(outputs, inventory),
    ...appRolesNotLookedAt(outputs, appRoles, OPERATOR_RIGHTS),
  );
  const roles = roleNames === undefined ? new Map() : await engineRoles(vault, mount, roleNames);
  const postgres = session && (await surveyPostgres(outputs, session, inventory, roles, openDatabase));
  const unseen = [...(postgres?.staticLogins.values() ?? [])].filter(
    (login) => login.hasPassword === undefined,
  );
  if (unseen.length > 0) {
    notLookedAt.push(
      `Whether ${unseen.map(({ name }) => name).join(", ")} ${unseen.length === 1 ? "has" : "have"} a password was not ` +
        "looked at: PGUSER lacks the view of docs/rights/operator-login.sql. vault-postgres verify logs in with it.",
    );
  }
  if (postgres !== undefined && postgres.groupsWithPassword === undefined) {
    notLookedAt.push(
      "Whether somebody has given a base role a password was not looked at: PGUSER lacks the view groups_with_password of " +
        "docs/rights/operator-login.sql.",
    );
  }
  return {
    roles,
    ...(roleNames && { roleNames }),
    lockedAppRoles: locked ?? [],
    appRoles,
    ...(postgres && { postgres }),
    notLookedAt,
  };
}

async function surveyPostgres(
  outputs: EnvironmentOutputs,
  { client }: Session,
  inventory: Inventory,
  roles: ReadonlyMap<string, EngineRole>,
  openDatabase: OpenDatabase,
): Promise<PostgresSurvey> {
  const { postgres, known, staticRoles } = inventory;
  const { database, manager } = outputs.postgres;
  const isShut = ({ shut }: DatabaseUser) => shut !== undefined;
  const judged = (users: readonly DatabaseUser[]) => withStripped(outputs, users, inventory, roles);
  const owners = [...baseRolesOf(outputs), ...(postgres?.users ?? []).map(({ name }) => name)];
  const lookForPrepared = () => preparedTransactions(client, owners, database);
  let shut = judged(postgres?.users ?? []).filter(isShut);
  let prepared = await lookForPrepared();
  if (shut.length + prepared.length > 0) {
    await pause(ON_ITS_WAY_MS);
    const shutBefore = new Set(shut.map(({ oid }) => oid));
    const users = shut.length > 0 ? await databaseUsers(client, outputs, known) : [];
    shut = judged(users).filter((user) => isShut(user) && shutBefore.has(user.oid));
    const preparedBefore = new Set(prepared.map(({ gid }) => gid));
    prepared = (await lookForPrepared()).filter(({ gid }) => preparedBefore.has(gid));
  }
  const holdings = shut.length > 0 ? await holdingsOf(client, shut, manager) : new Map<number, Holdings>();
  const oids = shut.map(({ oid }) => oid);
  const obstacles = await obstaclesWithin(outputs, shut, holdings, inventory, openDatabase);
  const guarded = [...obstacles].flatMap(([oid, found]) => found.guarded.map((table) => ({ oid, table })));
  const holds =
    shut.length > 0 ? await holdsOn(client, oids, manager, { database, guarded }) : new Map<number, Hold>();
  const logins = [
    ...Object.values(outputs.static_roles ?? {}).map(({ username }) => username),
    ...[...staticRoles.values()].map(({ username }) => username),
  ];
  const found = logins.length > 0 ? await staticLogins(client, logins) : [];
  const inDatabase = await openDatabase();
  const schemas =
    inDatabase && (await schemaRights(inDatabase.client, outputs).finally(() => inDatabase.close()));
  const surveyed = await surveyRoles(client, outputs, postgres?.users ?? []);
  const users = new Set(postgres?.users.map(({ oid }) => oid));
  const lasting = surveyed.roles.filter(({ oid }) => !users.has(oid));
  const settings = await settingsOf(
    client,
    lasting.map(({ oid }) => oid),
  );
  const withPassword = await groupsWithPassword(client, baseRolesOf(outputs));
  return {
    engineLogin: await engineLogin(client, outputs, staticRoles.values()),
    roles: surveyed,
    missingBaseRoles: await missingBaseRoles(client, outputs),
    shut: shut.map((user) => ({
      user,
      holdings: holdings.get(user.oid) ?? { owned: [], granted: [], members: [] },
      hold: holds.get(user.oid) ?? { sessions: [], holders: [], suspects: [] },
      ...(obstacles.has(user.oid) && { obstacles: obstacles.get(user.oid)! }),
    })),
    prepared,
    foreignMembers: await foreignMembers(client, outputs, known),
    loginSettings: await loginSettings(client, outputs),
    settings: lasting.map(({ name, oid }) => ({ name, places: settings.get(oid) ?? [] })),
    ...(withPassword && { groupsWithPassword: withPassword }),
    ...(schemas && { schemaRights: schemas }),
    staticLogins: new Map(found.map((login) => [login.name, login])),
  };
}

/** What cannot be seen from another database, of users that have something in the environment's. */
async function obstaclesWithin(
  outputs: EnvironmentOutputs,
  shut: readonly DatabaseUser[],
  holdings: ReadonlyMap<number, Holdings>,
  { postgres }: Inventory,
  openDatabase: OpenDatabase,
): Promise<Map<number, Obstacles>> {
  const users = shut.filter(({ oid }) => {
    const { owned = [], granted = [] } = holdings.get(oid) ?? {};
    return [...owned, ...granted].some(({ database }) => database === outputs.postgres.database);
  });
  const session = users.length > 0 ? await openDatabase() : undefined;
  if (session === undefined) return new Map();
  const bases = baseRolesOf(outputs);
  const baseOf = (user: DatabaseUser) =>
    user.baseRoles.find((role) => bases.includes(role)) ??
    possibleRoles(outputs, user, postgres).map((role) => outputs.roles[role]!.base_role)[0];
  const known = users.flatMap((user) => {
    const base = baseOf(user);
    return base === undefined ? [] : [[user.oid, base] as const];
  });
  return obstaclesOf(session.client, users, new Map(known)).finally(() => session.close());
}
