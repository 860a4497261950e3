import { lookups, type Lookup } from "../security/sql-lint";

/** The kinds and texts of what is found, as `operator =`. */
const found = (sql: string): string[] => lookups(sql).map(({ kind, text }: Lookup) => `${kind} ${text}`);

describe("what SQL leaves to search_path", () => {
  it.each<[sql: string, ...expected: string[]]>([
    ["SELECT 1 = 2", "operator ="],
    ["SELECT a || b FROM pg_catalog.t", "operator ||"],
    ["SELECT 2 * 0.5", "operator *"],
    ["SELECT count(*) FROM pg_catalog.pg_roles", "function count"],
    ["SELECT 1 OPERATOR(=) 2", "operator ="],
    ["SELECT 1 OPERATOR(public.=) 2", "operator ="],
    ["SELECT -a FROM pg_catalog.t", "operator -"],
    ["SELECT a->-1 FROM pg_catalog.t", "operator ->"],
    ["SELECT 1 =ANY (pg_catalog.f())", "operator ="],
    ["UPDATE app.t SET a = 1, b = 2 WHERE c = 3", "operator ="],
    ["SELECT 1 ORDER BY 1 USING <", "operator <"],
  ])("operators: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    ["SELECT 1 IN (1, 2)", "hidden operator IN"],
    ["SELECT 1 NOT IN (SELECT 2)", "hidden operator IN"],
    ["SELECT 1 BETWEEN 0 AND 2", "hidden operator BETWEEN"],
    ["SELECT 'a' LIKE 'b'", "hidden operator LIKE"],
    ["SELECT 'a' NOT ILIKE 'b'", "hidden operator ILIKE"],
    ["SELECT 'a' SIMILAR TO 'b'", "hidden operator SIMILAR"],
    ["SELECT CASE a WHEN 1 THEN 2 END FROM pg_catalog.t", "hidden operator CASE"],
    ["SELECT 1 IS NOT DISTINCT FROM 2", "hidden operator DISTINCT"],
    ["SELECT NULLIF(1, 2)", "hidden operator NULLIF"],
    ["SELECT 1 FROM pg_catalog.a JOIN pg_catalog.b USING (c)", "hidden operator USING"],
    ["SELECT 1 FROM pg_catalog.a NATURAL JOIN pg_catalog.b", "hidden operator NATURAL"],
  ])("syntax that stands for operators: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    ["SELECT 'a'::text", "cast text"],
    ["SELECT CAST('a' AS name)", "cast name"],
    ["SELECT '{a}'::text[]", "cast text"],
    [`SELECT 'a'::"char"`, `cast "char"`],
    ["SELECT date '2020-01-01'", "cast date"],
    ["SELECT $1::oid", "cast oid"],
    ["CREATE TABLE app.t (id integer, note text)", "type text"],
    ["CREATE FUNCTION app.f(login name) RETURNS void LANGUAGE sql AS ''", "type name", "type void"],
    ["DO $$ DECLARE a mytype; b int; BEGIN NULL; END $$", "cast mytype"],
    ["DO $$ DECLARE a constant text := 'x'; BEGIN NULL; END $$", "cast text"],
    ["GRANT EXECUTE ON FUNCTION app.f(name) TO x", "type name"],
    ["SELECT * FROM pg_catalog.f() AS t (a text, b int)", "type text"],
  ])("casts and types: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    ["SELECT now()", "function now"],
    ["SELECT * FROM unnest($1::int[])", "function unnest"],
    ["SELECT * FROM pg_catalog.t, LATERAL f(1)", "function f"],
    ["SELECT replace(a, 'b', left(c, 1)) FROM pg_catalog.t", "function replace", "function left"],
    [`SELECT "Now"()`, `function "Now"`],
    ["DO 'BEGIN PERFORM pg_sleep(1); END'", "function pg_sleep"],
    ["DO $$ BEGIN IF f(1) THEN NULL; END IF; END $$", "function f"],
    ["GRANT EXECUTE ON FUNCTION f(int) TO x", "function f"],
  ])("functions: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    ["SELECT FROM pg_roles", "relation pg_roles"],
    ["SELECT FROM pg_catalog.a, b", "relation b"],
    ["SELECT FROM pg_catalog.a JOIN b ON true", "relation b"],
    ["SELECT FROM (a CROSS JOIN pg_catalog.c)", "relation a"],
    ["SELECT (SELECT 1 FROM a)", "relation a"],
    ["INSERT INTO t (a) VALUES (1)", "relation t"],
    ["UPDATE t SET a = 1", "relation t"],
    ["DELETE FROM t", "relation t"],
    ["TABLE t", "relation t"],
    ["TRUNCATE t", "relation t"],
    ["LOCK TABLE t", "relation t"],
    ["DROP TABLE IF EXISTS t", "relation t"],
    ["GRANT SELECT ON t, app.u TO x", "relation t"],
    ["COPY t TO STDOUT", "relation t"],
    ["CREATE INDEX ON t (a)", "relation t"],
    ["WITH a AS (SELECT 1) SELECT FROM a, b", "relation b"],
  ])("relations: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    [`SELECT 'a' COLLATE "C"`, `collation "C"`],
    ["SELECT 'pg_authid'::pg_catalog.regclass", "name in a string 'pg_authid'"],
    ["SELECT pg_catalog.to_regclass('pg_authid')", "name in a string 'pg_authid'"],
  ])("other names: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each<[sql: string, ...expected: string[]]>([
    ["DO $a$ BEGIN EXECUTE 'SELECT 1 = 2'; END $a$", "operator ="],
    ["DO $a$ BEGIN EXECUTE pg_catalog.format('DROP TABLE t', x); END $a$", "relation t"],
    ["DO $a$ BEGIN EXECUTE $b$DO 'BEGIN PERFORM f(); END'$b$; END $a$", "function f"],
    ["DO $a$ BEGIN FOR r IN SELECT 1 FROM t LOOP NULL; END LOOP; END $a$", "relation t"],
    ["DO $a$ BEGIN x := 1 + 1; END $a$", "operator +"],
    ["DO $a$ BEGIN x = 1 = 1; END $a$", "operator ="],
    ["DO $a$ BEGIN WHILE a < 1 LOOP NULL; END LOOP; END $a$", "operator <"],
    ["DO $a$ BEGIN CASE a WHEN 1 THEN NULL; END CASE; END $a$", "hidden operator CASE"],
    ["CREATE FUNCTION app.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN g(); END $$", "function g"],
    ["CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT g()'", "function g"],
  ])("inside blocks, bodies and EXECUTE: %s", (sql, ...expected) => expect(found(sql)).toEqual(expected));

  it.each([
    "SELECT 1 OPERATOR(pg_catalog.=) ANY ($1), pg_catalog.count(*), t.* FROM pg_catalog.pg_roles AS t",
    "SELECT a::int, b::timestamp with time zone, c::pg_catalog.text, CAST(d AS numeric(10, 2)) FROM pg_catalog.t",
    "SELECT '1 = 2 FROM t', $$ f() $$, E'it\\'s = f()', U&'=' -- = f()\n /* = /* f() */ = */",
    `SELECT "a = b" AS "f(" FROM pg_catalog."t"`,
    "SELECT EXTRACT(epoch FROM a), POSITION('a' IN 'b'), COALESCE(a, b), GREATEST(a, b) FROM pg_catalog.t",
    "WITH a AS (SELECT 1), b (x) AS MATERIALIZED (SELECT 2) SELECT FROM a LEFT JOIN b ON true",
    "SELECT -1, +2.5, ARRAY[1, -2], a[1] FROM pg_catalog.f(-1) AS t (a)",
    "SELECT CASE WHEN true THEN 1 ELSE 2 END, EXISTS (SELECT FROM pg_catalog.t)",
    `GRANT "base" TO "x" WITH ADMIN OPTION; REVOKE ALL ON DATABASE d FROM PUBLIC; GRANT USAGE ON SCHEMA s TO x`,
    "ALTER ROLE x SET search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '10s'; COMMIT",
    "CREATE ROLE x WITH LOGIN PASSWORD :'password' VALID UNTIL 'infinity' CONNECTION LIMIT -1 IN ROLE y",
    "CREATE DATABASE d WITH OWNER = x; REASSIGN OWNED BY x TO CURRENT_USER; DROP OWNED BY x; DROP ROLE x",
    "CREATE TEMPORARY TABLE t (id integer)",
    "UPDATE app.t SET a = 1, b = 2 WHERE c IS NULL",
    "INSERT INTO app.t (a, b) VALUES (1, 2) RETURNING a",
    "\\set password `cat f`\nSELECT 1",
    `DO $$
     <<block>>
     DECLARE
       found_it boolean := false;
       r pg_catalog.record;
       n int := 0;
     BEGIN
       n := 1;
       n = 2;
       FOR attempt IN 1..51 LOOP
         PERFORM pg_catalog.pg_sleep(1) FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) $1;
         EXIT WHEN NOT FOUND;
         IF attempt OPERATOR(pg_catalog.>) 50 THEN
           RAISE EXCEPTION 'sessions of % = could not', 'x' USING ERRCODE = '57014', HINT = 'f()';
         END IF;
       END LOOP;
       SELECT rolname INTO r FROM pg_catalog.pg_roles;
       GET DIAGNOSTICS n = ROW_COUNT;
       GRANT "x" TO CURRENT_USER;
       ALTER ROLE "x" SET role = 'base';
       EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN', r.rolname) USING n;
     EXCEPTION WHEN insufficient_privilege THEN
       NULL;
     END
     $$ LANGUAGE plpgsql`,
    "CREATE FUNCTION app.f(a pg_catalog.text) RETURNS pg_catalog.void LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1'",
  ])("nothing: %s", (sql) => expect(found(sql)).toEqual([]));

  it("tells the line, also inside a block", () => {
    expect(lookups("SELECT 1;\nDO $$\nBEGIN\n  PERFORM f();\nEND\n$$").map(({ line }) => line)).toEqual([4]);
  });
});
