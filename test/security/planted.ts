// What somebody who may create things in a schema can put there, to be found in place of PostgreSQL's own.

/** Begins what each planted function writes to the server's log: who ran it, and what it is. */
export const MARK = "PLANTED";

/** Operators by the types beside them; PostgreSQL has none of these pairs, or ours is found before its own. */
const PAIRS: readonly (readonly [left: string, right: string])[] = [
  ...(["oid", "name", "text", "int4", "int8", "float8", "bool", "regrole", "timestamptz"] as const).map(
    (type) => [type, type] as const,
  ),
  ...[
    ["oid", "regrole"],
    ["regrole", "oid"],
    ["oid", "regclass"],
    ["oid", "int4"],
    ["oid", "int8"],
    ["int4", "int8"],
    ["int8", "oid"],
    ["name", "text"],
    ["text", "name"],
    ["numeric", "int4"],
    ["numeric", "numeric"],
    ["float8", "int4"],
    ["char", "text"],
    ["int4", "text"],
  ].map(([left = "", right = ""]) => [left, right] as const),
];
const COMPARISONS = ["=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~", "->>"];
const ARITHMETIC = ["+", "-", "*", "||"];

/** Functions of PostgreSQL's, with arguments that fit better than its own, or as well. */
const FUNCTIONS: readonly (readonly [name: string, args: string, returns: string])[] = [
  ["pg_terminate_backend", "int4", "bool"],
  ["pg_terminate_backend", "oid", "bool"],
  ["current_setting", "text", "text"],
  ["set_config", "text, text, bool", "text"],
  ["pg_sleep", "float8", "void"],
  ["pg_sleep", "numeric", "void"],
  ["pg_sleep", "int4", "void"],
  ["pg_stat_clear_snapshot", "", "void"],
  ["to_regrole", "text", "regrole"],
  ["to_regrole", "name", "regrole"],
  ["to_regclass", "text", "regclass"],
  ["isfinite", "timestamptz", "bool"],
  ["now", "", "timestamptz"],
  ["clock_timestamp", "", "timestamptz"],
  ["count", "oid", "int8"],
  ["count", "int4", "int8"],
  ["array_agg", "int4", "int4[]"],
  ["array_agg", "text", "text[]"],
  ["array_agg", "name", "name[]"],
  ["unnest", "int4[]", "SETOF int4"],
  ["unnest", "int8[]", "SETOF int8"],
  ["pg_has_role", "name, text", "bool"],
  ["pg_has_role", "text, text", "bool"],
  ["pg_has_role", "oid, text", "bool"],
  ["starts_with", "name, text", "bool"],
  ["starts_with", "text, text", "bool"],
  ["format", "text, name", "text"],
  ["format", "text, text", "text"],
  ["quote_ident", "text", "text"],
  ["quote_ident", "name", "text"],
  ["quote_literal", "text", "text"],
  ["current_database", "", "name"],
  ["pg_backend_pid", "", "int4"],
  ["pg_get_userbyid", "oid", "name"],
  ["pg_advisory_xact_lock", "int8", "void"],
  ["pg_advisory_xact_lock", "int4", "void"],
  ["pg_encoding_to_char", "int4", "name"],
  ["aclexplode", "aclitem[]", "SETOF text"],
  ["has_table_privilege", "text, text", "bool"],
  ["has_database_privilege", "text, text", "bool"],
  ["to_jsonb", "anyelement", "jsonb"],
  ["concat", "text, name", "text"],
];

/** Tables and views of PostgreSQL's that SQL of this kind reads. */
const RELATIONS = [
  ...["pg_roles", "pg_authid", "pg_auth_members", "pg_user", "pg_shadow", "pg_stat_activity", "pg_locks"],
  ...["pg_database", "pg_namespace", "pg_class", "pg_proc", "pg_tables", "pg_shdepend", "pg_default_acl"],
  ...["pg_prepared_xacts", "pg_tablespace", "pg_settings"],
];
/** Not everybody may read these, so that the view would fail, and say nothing. */
const CLOSED = ["pg_authid", "pg_shadow"];

/** Types of PostgreSQL's. Domains run their check when something is cast to them, other types the functions of casts. */
const TYPES = ["regrole", "regclass", "oid", "name", "text", "float8", "int8", "bool"];
/** Those that ours are made from and into, unasked. */
const CAST = ["text", "name", "oid", "int4", "int8", "float8", "bool", "regrole", "regclass", "timestamptz"];
/** A type that nothing of PostgreSQL's is named like, with functions and operators that take it for what it is cast from. */
const OWN_TYPE = "planted_type";
const TAKING_OWN = ["pg_terminate_backend", "pg_sleep", "to_regrole", "quote_ident", "count", "format"];

/**
 * The SQL that plants it all in one schema, which is there.
 *
 * @param turn which of the relations are tables and which views, and which of the types are domains: every other one, so that
 *   with another turn each is the other
 */
export function planting(schema: string, turn: number): string[] {
  const here = `"${schema}"`;
  const types = (list: string) => list.replaceAll(/\b(?!SETOF)[a-z]\w*/g, (type) => qualified(type));
  const note = (what: string) =>
    `RAISE LOG '${MARK} % % %', current_user, session_user, ${literal(`${what} of ${schema}`)};`;
  const make = (name: string, args: string, returns: string, result: string) =>
    `CREATE FUNCTION ${here}.${name}(${args}) RETURNS ${returns} LANGUAGE plpgsql AS ` +
    `$$ BEGIN ${note(`${name}(${args})`)} ${result} END $$`;
  const returning = (type: string) =>
    type === "void" ? "RETURN;" : type.startsWith("SETOF") ? "RETURN;" : "RETURN NULL;";
  const operators = PAIRS.flatMap(([left, right], pair) =>
    [...COMPARISONS, ...ARITHMETIC].flatMap((operator, index) => {
      const name = `planted_${pair}_${index}`;
      const returns = COMPARISONS.includes(operator) ? "bool" : left;
      const args = `${qualified(left)}, ${qualified(right)}`;
      return [
        `CREATE FUNCTION ${here}.${name}(${args}) RETURNS ${qualified(returns)} LANGUAGE plpgsql AS ` +
          `$$ BEGIN ${note(`operator ${operator}(${left}, ${right})`)} RETURN NULL; END $$`,
        `CREATE OPERATOR ${here}.${operator} (FUNCTION = ${here}.${name}, LEFTARG = ${qualified(left)}, ` +
          `RIGHTARG = ${qualified(right)})`,
      ];
    }),
  );
  const withCasts = (type: string) => [
    `CREATE TYPE ${here}.${type} AS ENUM ('planted')`,
    ...CAST.flatMap((other) =>
      [
        [qualified(other), `${here}.${type}`],
        [`${here}.${type}`, qualified(other)],
      ].flatMap(([from = "", to = ""], index) => {
        const name = `cast_${type}_${other}_${index}`;
        return [
          make(name, from, to, "RETURN NULL;"),
          `CREATE CAST (${from} AS ${to}) WITH FUNCTION ${here}.${name}(${from}) AS IMPLICIT`,
        ];
      }),
    ),
    ...(type === OWN_TYPE
      ? [make("planted_own", `${here}.${type}, ${here}.${type}`, "pg_catalog.bool", "RETURN NULL;")]
      : []),
  ];
  return [
    // Everybody may use what is there.
    `GRANT USAGE ON SCHEMA ${here} TO PUBLIC`,
    ...operators,
    ...FUNCTIONS.map(([name, args, returns]) => make(name, types(args), types(returns), returning(returns))),
    make("planted_note", "pg_catalog.text", "pg_catalog.bool", "RETURN true;"),
    ...RELATIONS.flatMap((relation, index) => {
      const source = CLOSED.includes(relation) ? "SELECT 1 AS oid" : `SELECT * FROM pg_catalog.${relation}`;
      const note = `${here}.planted_note('${relation}')`;
      if ((index + turn) % 2 === 0) {
        return [
          `CREATE VIEW ${here}.${relation} AS SELECT planted.* FROM (${source}) AS planted WHERE ${note}`,
        ];
      }
      // For everybody but its owner, a policy runs with each row.
      return [
        `CREATE TABLE ${here}.${relation} AS ${source}`,
        `CREATE POLICY planted ON ${here}.${relation} USING (${note.replace("('", "('table ")})`,
        `ALTER TABLE ${here}.${relation} ENABLE ROW LEVEL SECURITY`,
      ];
    }),
    ...RELATIONS.map((relation) => `GRANT ALL ON ${here}.${relation} TO PUBLIC`),
    ...TYPES.flatMap((type, index) => {
      if ((index + turn) % 2 === 1) return withCasts(type);
      return [
        `CREATE DOMAIN ${here}.${type} AS ${qualified(type)} CHECK (${here}.planted_note('domain ${type}'))`,
      ];
    }),
    ...withCasts(OWN_TYPE),
    ...TAKING_OWN.map((name) => make(name, `${here}.${OWN_TYPE}`, "pg_catalog.bool", "RETURN NULL;")),
    ...COMPARISONS.map(
      (operator) =>
        `CREATE OPERATOR ${here}.${operator} (FUNCTION = ${here}.planted_own, LEFTARG = ${here}.${OWN_TYPE}, ` +
        `RIGHTARG = ${here}.${OWN_TYPE})`,
    ),
  ];
}

/** Marks the session that runs {@link changingTables}. */
export const CHANGING = "changes what verify makes";

/**
 * Has each table that `verify` makes run what was planted in a schema: by a trigger, a rule, a constraint and a policy, as soon as it
 * is there, for as long as the session lasts.
 */
export function changingTables(schema: string): string {
  const note = `"${schema}".planted_note('table')`;
  const changes = [
    `CREATE TRIGGER planted BEFORE INSERT OR UPDATE OR DELETE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION "${schema}".planted_trigger()`,
    `CREATE RULE planted AS ON INSERT TO %1$s DO ALSO SELECT ${note}`,
    `ALTER TABLE %1$s ADD CONSTRAINT planted CHECK (${note}) NOT VALID`,
    `CREATE POLICY planted ON %1$s USING (${note}) WITH CHECK (${note})`,
    `ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE %1$s FORCE ROW LEVEL SECURITY`,
  ];
  return `DO $watch$
    DECLARE -- ${CHANGING}
      made pg_catalog.regclass;
      seen pg_catalog.oid[] := '{}';
      change pg_catalog.text;
    BEGIN
      CREATE OR REPLACE FUNCTION "${schema}".planted_trigger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM ${note}; RETURN NULL; END $$;
      COMMIT;
      LOOP
        FOR made IN
          SELECT oid FROM pg_class WHERE relkind = 'r' AND (relname LIKE 'verify\\_%' OR relname LIKE 'owned\\_%')
            AND oid <> ALL (seen)
        LOOP
          seen := seen || made::oid;
          FOREACH change IN ARRAY ARRAY[${changes.map(literal).join(", ")}] LOOP
            BEGIN
              EXECUTE format(change, made);
            EXCEPTION WHEN OTHERS THEN
              NULL; -- it is there, or the table is locked, or gone
            END;
          END LOOP;
        END LOOP;
        COMMIT;
        PERFORM pg_sleep(0.001);
      END LOOP;
    END $watch$`;
}

function qualified(type: string): string {
  return type.startsWith("any") || type === "void" ? type : `pg_catalog.${type === "char" ? '"char"' : type}`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
