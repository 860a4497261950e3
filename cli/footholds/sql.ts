/**
 * Parts of the SQL that looks for footholds. It runs where others may have made operators, functions and types, so that
 * everything in it is qualified, as an operator is by OPERATOR(…).
 */
export const EQ = "OPERATOR(pg_catalog.=)";
export const NE = "OPERATOR(pg_catalog.<>)";
export const GE = "OPERATOR(pg_catalog.>=)";
const MATCHES = "OPERATOR(pg_catalog.~)";

/** Objects below are those that initdb makes. */
export const FIRST_OWN_OID = 16384;

/** What a query finds of one thing. */
export interface Found {
  readonly kind: string;
  /** Its name as SQL has it, with its schema. */
  readonly identity: string;
  readonly owner: string | null;
  /** What to know of it; nulls are left out. */
  readonly detail: readonly (string | null)[];
  /** Where two of these differ, the thing was changed. */
  readonly definition: string | null;
}

/** What is fetched of a thing: no more than a program can take, however long somebody has made it. */
export interface Seen extends Omit<Found, "definition"> {
  /** SHA-256 of the definition. */
  readonly hash: string | null;
}

/** One look at the catalogs. */
export interface Query {
  /** What it looks for, for the message that it could not. */
  readonly subject: string;
  /** Of what it finds. */
  readonly kinds: readonly string[];
  readonly sql: string;
  /** First major version that has the catalog. @default - all */
  readonly since?: number;
}

export const regclass = (catalog: string) => `'pg_catalog.${catalog}'::pg_catalog.regclass`;

/** Name of an object, with its schema, quoted where it has to be. */
export const identity = (catalog: string, oid: string, part = "0") =>
  `(pg_catalog.pg_identify_object(${regclass(catalog)}, ${oid}, ${part})).identity`;

export const roleName = (oid: string) => `pg_catalog.pg_get_userbyid(${oid})::pg_catalog.text`;

/** As `regproc` prints it: with its schema, unless that is pg_catalog. */
export const text = (value: string) => `${value}::pg_catalog.text`;

export const detail = (...parts: readonly string[]) =>
  `ARRAY[${parts.map((part) => `(${part})`).join(", ")}]::pg_catalog.text[]`;

/** Up to here, what is shown of a thing is fetched whole. */
const LONGEST_SHOWN_BYTES = 10_000;
const FIRST_SHOWN = 2_000;

/** SHA-256 of a text, by the server: a definition can be longer than a program can take. */
export const hashed = (value: string) =>
  `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${value}, 'UTF8')), 'hex')`;

/** A text that is no longer than can be shown: of a longer one its beginning, and a hash of all. */
const bounded = (value: string) =>
  `CASE WHEN pg_catalog.octet_length(${value}) OPERATOR(pg_catalog.>) ${LONGEST_SHOWN_BYTES}
     THEN pg_catalog.concat(pg_catalog.left(${value}, ${FIRST_SHOWN}), '... sha256 ', ${hashed(value)}) ELSE ${value} END`;

/** What a query finds, as {@link Seen}. Identities and owners are made of names, and need no bound. */
export const seen = (sql: string) => `SELECT found.kind, found.identity, found.owner,
    ARRAY(SELECT ${bounded("one.part")} FROM pg_catalog.unnest(found.detail) WITH ORDINALITY AS one (part, place) ORDER BY one.place) AS detail,
    ${hashed("found.definition")} AS hash
  FROM (${sql}) AS found (kind, identity, owner, detail, definition)`;
/** Of a row's column that not every version has; null where it has not. */
export const column = (row: string, name: string) =>
  `(pg_catalog.to_jsonb(${row}) OPERATOR(pg_catalog.->>) '${name}')`;

/** Parts joined to one text; nulls are left out, so that a part says what it is. */
export const joined = (...parts: readonly string[]) => `pg_catalog.concat_ws(E'\\n', ${parts.join(", ")})`;

/** That an object was made since initdb, and not by an extension that a superuser has made. */
export const own = (catalog: string, oid: string, owner: string) =>
  `${oid} ${GE} ${FIRST_OWN_OID} AND NOT (
     EXISTS (SELECT FROM pg_catalog.pg_depend AS part
       WHERE part.classid ${EQ} ${regclass(catalog)} AND part.objid ${EQ} ${oid} AND part.deptype ${EQ} 'e')
     AND EXISTS (SELECT FROM pg_catalog.pg_roles AS maker WHERE maker.oid ${EQ} ${owner} AND maker.rolsuper))`;

/** That a schema is not one of sessions' temporary ones, which end with them. */
export const lasting = (schema: string) =>
  `${schema}.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^pg_(temp|toast)'`;

/** Volatile functions of PostgreSQL that expressions have for good reasons, and that run no SQL. */
const HARMLESS = [
  ...["nextval", "currval", "lastval", "random", "gen_random_uuid", "uuidv4", "uuidv7"],
  ...["clock_timestamp", "timeofday", "txid_current", "pg_current_xact_id"],
];

/**
 * That an expression calls what somebody has made, or a function that may run SQL, such as query_to_xml. By its stored
 * form, which names each function by OID.
 */
export const acts = (expression: string) =>
  `EXISTS (SELECT FROM pg_catalog.regexp_matches(${text(expression)}, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS call (parts)
     WHERE call.parts[1]::pg_catalog.oid ${EQ} ANY ((${ACTING})::pg_catalog.oid[]))`;

/** Asked once a query, and not for each expression. */
const ACTING = `SELECT pg_catalog.array_agg(called.oid) FROM pg_catalog.pg_proc AS called
  WHERE called.oid ${GE} ${FIRST_OWN_OID}
    OR called.provolatile ${EQ} 'v' AND called.proname ${NE} ALL (ARRAY[${HARMLESS.map((name) => `'${name}'`).join(", ")}]::pg_catalog.name[])
    OR called.proname::pg_catalog.text ${MATCHES} '_to_xml'`;

/** Who may, apart from the owner, by a column of an access control list; a star for those who may grant it. */
export const grantees = (acl: string, kind: string, owner: string) =>
  `(SELECT pg_catalog.string_agg(
       CASE WHEN entry.grantee ${EQ} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(${roleName("entry.grantee")}) END
         OPERATOR(pg_catalog.||) CASE WHEN entry.is_grantable THEN '*' ELSE '' END,
       ' ' ORDER BY entry.grantee ${NE} 0, ${roleName("entry.grantee")})
     FROM pg_catalog.aclexplode(coalesce(${acl}, pg_catalog.acldefault('${kind}', ${owner}))) AS entry
     WHERE entry.grantee ${NE} ${owner})`;

/** A trigger's or rule's state: those that fire on replicas, too, or never, are as worth knowing as the usual ones. */
export const firing = (state: string) =>
  `CASE WHEN ${state} ${EQ} 'A' THEN 'ENABLE ALWAYS' WHEN ${state} ${EQ} 'R' THEN 'ENABLE REPLICA'
     WHEN ${state} ${EQ} 'D' THEN 'DISABLED' END`;
