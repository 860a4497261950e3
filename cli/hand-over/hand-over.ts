import type { Client } from "pg";
import { describeError, UserError } from "../errors";
import { SqlState, sqlState } from "../postgres-login";
import { accessLists, keyOf } from "./access-lists";
import { asEither, asManager, type Step } from "./as-manager";
import { dependenciesOf, IS_LEFT_HERE, type EndedUser } from "./ended-users";
import { partingFor } from "./memberships";
import { resetSettings } from "./reset-settings";
import { ownersAround, plan } from "./plan";
import { isRelation, statementsFor, type Dependency } from "./statements";

/** Tables are locked until their transaction ends. */
const RELATIONS_AT_ONCE = 50;
/** What is locked by others is tried again. */
const PASSES = 3;
const PAUSE_MS = 1_000;
/** Reasons told of what was left. */
const REASONS = 5;

/** What came of one user. */
export interface HandedOver {
  readonly before: number;
  /** What is left for the revocation itself. */
  readonly left: number;
  /** Why, where PostgreSQL refused, or left it without a word; some examples. */
  readonly refused: readonly string[];
}

export interface HandOverOptions {
  readonly manager: string;
  /** How many objects go into one transaction, at most. */
  readonly batch: number;
  readonly onProgress: (done: number, of: number) => void;
}

/**
 * Gives what a user owns in this database to its base role, and takes its privileges away, a batch a transaction; and resets
 * its settings, where they are large. No data is dropped. It may be cut off at any time, and goes on from there the next time.
 */
export async function handOver(
  client: Client,
  user: EndedUser,
  options: HandOverOptions,
): Promise<HandedOver> {
  const before = await dependenciesOf(client, user.oid);
  let left = before;
  let refused: ReadonlyMap<string, Refusal> = new Map();
  for (let pass = 1; pass <= PASSES && left > 0; pass++) {
    if (pass > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    refused = await onePass(client, user, options, before);
    left = await dependenciesOf(client, user.oid);
    if (refused.size === 0) break;
  }
  const unset = await resetSettings(client, user, options.manager);
  const kept = left > 0 ? await whatIsLeft(client, user, options, refused) : [];
  return { before, left, refused: [...kept, ...unset] };
}

/** Why something was left, and whether somebody with more rights could do it. */
interface Refusal {
  readonly reason: string;
  readonly isForbidden: boolean;
}

/** All once; returns why some were refused. */
async function onePass(
  client: Client,
  user: EndedUser,
  { manager, batch, onProgress }: HandOverOptions,
  total: number,
): Promise<Map<string, Refusal>> {
  const refused = new Map<string, Refusal>();
  let done = 0;
  const attempt = async (some: readonly Dependency[]): Promise<void> => {
    if (some.length === 0) return;
    const [one] = some.length === 1 ? some : [];
    const attemptAs = (as: Step["as"]) =>
      asManager(client, manager, {
        user: user.name,
        joins: () => ownersAround(client, some, user.baseRole),
        steps: () => plan(client, some, user, as),
      });
    try {
      await (one === undefined ? attemptAs("manager") : asEither(attemptAs));
      onProgress((done += some.length), total);
    } catch (error) {
      if (error instanceof UserError) throw error;
      // In halves, down to the one that is locked or forbidden: all others go on without it.
      if (one === undefined) {
        const middle = Math.ceil(some.length / 2);
        await attempt(some.slice(0, middle));
        await attempt(some.slice(middle));
      } else {
        const isForbidden = sqlState(error) === SqlState.insufficientPrivilege;
        refused.set(keyOf(one), { reason: describeError(error), isForbidden });
      }
    }
  };
  await eachBatch(client, user, batch, async (found) => {
    for (const some of batches(found)) await attempt(some);
    return true;
  });
  return refused;
}

/**
 * Why some of what is left is left, and what to run as whom. PostgreSQL takes a REVOKE of what the present role may not take
 * back for a warning, so that there is not always a refusal.
 */
async function whatIsLeft(
  client: Client,
  user: EndedUser,
  { batch }: HandOverOptions,
  refused: ReadonlyMap<string, Refusal>,
): Promise<string[]> {
  const left: string[] = [];
  await eachBatch(client, user, batch, async (found) => {
    const some = found.slice(0, REASONS - left.length);
    const lists = await accessLists(client, some);
    for (const one of some) {
      const refusal = refused.get(keyOf(one));
      const own = lists.get(keyOf(one));
      const owner = one.owner ?? own?.[0]?.owner;
      const whose = owner === undefined || one.owned ? "" : ` of ${owner}`;
      const why =
        refusal?.reason ??
        (one.owned
          ? "it was made meanwhile"
          : "others have given rights on it, which neither the engine's login nor that of PGUSER may take back");
      // What is locked is not for others to do.
      const isOthers = refusal === undefined ? !one.owned : refusal.isForbidden;
      const parting = await partingFor(client, own === undefined ? [] : [own], user.name);
      const statements = statementsFor(one, user.name, user.baseRole, own);
      const run = isOthers ? [...parting.before, ...statements, ...parting.after].join("; ") : "";
      const who = one.owned || owner === undefined ? "a superuser" : `${owner}, or as a superuser,`;
      left.push(
        `${one.type} ${one.identity}${whose}: ${why}${run && `. As ${who} in this database: ${run};`}`,
      );
    }
    return left.length < REASONS;
  });
  return left;
}

/** Goes through what a user owns or has rights on, as far as a statement takes it away, until it is told to stop. */
async function eachBatch(
  client: Client,
  user: EndedUser,
  size: number,
  take: (found: readonly Dependency[]) => boolean | Promise<boolean>,
): Promise<void> {
  // Kept by the server, in files where they are many: here is one batch at a time.
  await client.query({
    text: `DECLARE dependencies CURSOR WITH HOLD FOR ${LISTED(user.oid)}`,
    query_timeout: 300_000,
  } as { text: string });
  try {
    for (;;) {
      const { rows } = await client.query<{ classid: string; objid: string; owned: boolean }>(
        `FETCH ${size} FROM dependencies`,
      );
      if (rows.length === 0 || !(await take(await identified(client, rows, user.name)))) return;
    }
  } finally {
    await client.query("CLOSE dependencies").catch(() => undefined);
  }
}

/** Relations in small batches of their own, and all else but schemas together. */
function batches(found: readonly Dependency[]): Dependency[][] {
  const relations = found.filter(isRelation);
  const rest = found.filter((one) => !isRelation(one));
  // First the schemas: who is to own what is in them has to own them, or may make nothing there.
  const isSchema = ({ type, owned }: Dependency) => type === "schema" && owned;
  const parts = [rest.filter(isSchema), rest.filter((one) => !isSchema(one))];
  for (let from = 0; from < relations.length; from += RELATIONS_AT_ONCE) {
    parts.push(relations.slice(from, from + RELATIONS_AT_ONCE));
  }
  return parts;
}

/**
 * Owned objects first, of them the schemas: of what is its own, a user's privileges go with the ownership. A column's are its
 * table's.
 */
const LISTED = (oid: number) => `
  SELECT d.classid::pg_catalog.text AS classid, d.objid::pg_catalog.text AS objid, pg_catalog.bool_or(d.deptype OPERATOR(pg_catalog.=) 'o') AS owned
  FROM pg_catalog.pg_shdepend AS d
  WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND d.refobjid OPERATOR(pg_catalog.=) ${Number(oid)}
    AND d.deptype OPERATOR(pg_catalog.=) ANY (ARRAY['o', 'a', 'r']::pg_catalog."char"[]) AND ${IS_LEFT_HERE}
  GROUP BY d.classid, d.objid
  ORDER BY 3 DESC, d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_namespace'::pg_catalog.regclass, d.classid, d.objid`;

async function identified(
  client: Client,
  rows: readonly { readonly classid: string; readonly objid: string; readonly owned: boolean }[],
  user: string,
): Promise<Dependency[]> {
  const { rows: found } = await client.query<
    Omit<Dependency, "owner" | "schema"> & { owner: string | null; schema: string | null }
  >(
    `SELECT listed.classid::pg_catalog.text, listed.objid::pg_catalog.text, o.type, o.identity, o.schema, listed.owned,
       COALESCE(
         (SELECT pg_catalog.pg_get_userbyid(its.refobjid) FROM pg_catalog.pg_shdepend AS its
          WHERE its.deptype OPERATOR(pg_catalog.=) 'o' AND its.classid OPERATOR(pg_catalog.=) listed.classid
            AND its.objid OPERATOR(pg_catalog.=) listed.objid AND its.dbid OPERATOR(pg_catalog.=) ANY (SELECT 0::pg_catalog.oid UNION ALL
              SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())),
         (SELECT pg_catalog.pg_get_userbyid(guarded.relowner) FROM pg_catalog.pg_policy AS p
          JOIN pg_catalog.pg_class AS guarded ON guarded.oid OPERATOR(pg_catalog.=) p.polrelid
          WHERE p.oid OPERATOR(pg_catalog.=) listed.objid
            AND listed.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass)) AS owner,
       EXISTS (SELECT FROM pg_catalog.pg_depend AS of WHERE of.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
         AND of.classid OPERATOR(pg_catalog.=) listed.classid AND of.objid OPERATOR(pg_catalog.=) listed.objid
         AND of.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
         AND of.refobjsubid OPERATOR(pg_catalog.<>) 0 AND o.type OPERATOR(pg_catalog.=) 'sequence'
         AND of.deptype OPERATOR(pg_catalog.=) ANY (ARRAY['a', 'i']::pg_catalog."char"[])) AS follows,
       CASE WHEN defaults.oid IS NOT NULL THEN pg_catalog.json_build_object(
         'maker', pg_catalog.pg_get_userbyid(defaults.defaclrole),
         'schema', (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.=) defaults.defaclnamespace),
         'on', defaults.defaclobjtype,
         'grantees', (SELECT pg_catalog.json_agg(DISTINCT g.rolname::pg_catalog.text) FROM pg_catalog.aclexplode(defaults.defaclacl) AS entry
            LEFT JOIN pg_catalog.pg_roles AS g ON g.oid OPERATOR(pg_catalog.=) entry.grantee)) END AS defaults,
       (SELECT pg_catalog.json_build_object('name', p.polname,
          'table', (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, p.polrelid, 0)).identity,
          'roles', (SELECT pg_catalog.json_agg(pg_catalog.pg_get_userbyid(named)) FROM pg_catalog.unnest(p.polroles) AS of (named)))
        FROM pg_catalog.pg_policy AS p WHERE p.oid OPERATOR(pg_catalog.=) listed.objid
          AND listed.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass) AS policy
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::boolean[]))
       AS listed (classid, objid, owned)
     CROSS JOIN LATERAL pg_catalog.pg_identify_object(listed.classid, listed.objid, 0) AS o
     LEFT JOIN pg_catalog.pg_default_acl AS defaults ON defaults.oid OPERATOR(pg_catalog.=) listed.objid
       AND listed.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_default_acl'::pg_catalog.regclass
     WHERE o.identity IS NOT NULL`,
    [rows.map(({ classid }) => classid), rows.map(({ objid }) => objid), rows.map(({ owned }) => owned)],
  );
  return found
    .map(({ owner, schema, defaults, policy, ...one }) => ({
      ...one,
      ...(owner !== null && { owner }),
      ...(schema !== null && { schema }),
      ...(defaults && { defaults }),
      ...(policy && { policy }),
    }))
    .filter((one) => statementsFor(one, user, user).length > 0);
}
