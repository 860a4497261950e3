/** Something left in the database, what finds it, and what removes it. */
export interface Planted {
  /** What `footholds` calls it, and its identity. */
  readonly found: readonly [kind: string, identity: string];
  readonly plant: readonly string[];
  readonly remove: readonly string[];
  /** First version of PostgreSQL that has it. */
  readonly since?: number;
}

/** What is there before, of which some is changed later. */
export const BEFORE: readonly string[] = [
  "CREATE TABLE app.t (id serial PRIMARY KEY, x text DEFAULT 'a', made timestamptz DEFAULT now())",
  "CREATE TABLE app.part (id int, x text) PARTITION BY RANGE (id)",
  "CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (9)",
  "CREATE FUNCTION app.usual() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  "CREATE FUNCTION app.number(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END'",
  "CREATE FUNCTION app.same(app.t, app.t) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
  "CREATE TRIGGER usual BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.usual()",
  "CREATE VIEW app.shown AS SELECT id FROM app.t",
  "CREATE POLICY kept ON app.t USING (id > 0)",
  "CREATE COLLATION app.usual (provider = icu, locale = 'en')",
  `CREATE COLLATION app.plain (LC_COLLATE = "C", LC_CTYPE = "C")`,
  "CREATE TYPE app.letters AS RANGE (SUBTYPE = text)",
  "CREATE DOMAIN app.word AS text",
  "CREATE COLLATION app.alike (provider = icu, locale = 'en')",
];

const ICU = (more: string) => `CREATE COLLATION app.alike (provider = icu, ${more})`;

const code = (name: string, more = "") =>
  `CREATE FUNCTION app.${name}() RETURNS int LANGUAGE sql ${more} AS 'SELECT 1'`;

/** By the credential of an owner: its base role owns all of it afterwards. */
export const BY_OWNER: readonly Planted[] = [
  {
    found: ["function", "app.definer()"],
    plant: [code("definer", "SECURITY DEFINER")],
    remove: ["DROP FUNCTION app.definer()"],
  },
  {
    found: ["procedure", "app.proceed()"],
    plant: ["CREATE PROCEDURE app.proceed() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"],
    remove: ["DROP PROCEDURE app.proceed()"],
  },
  {
    found: ["aggregate", "app.gather(integer)"],
    plant: ["CREATE AGGREGATE app.gather(integer) (SFUNC = int4pl, STYPE = integer)"],
    remove: ["DROP AGGREGATE app.gather(integer)"],
  },
  {
    found: ["function", "app.usual()"],
    plant: [
      "CREATE OR REPLACE FUNCTION app.usual() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    ],
    remove: [BEFORE[3]!.replace("CREATE", "CREATE OR REPLACE")],
  },
  {
    found: ["function", "app.number(pg_catalog.text)"],
    plant: ["REVOKE EXECUTE ON FUNCTION app.number(text) FROM PUBLIC"],
    remove: ["GRANT EXECUTE ON FUNCTION app.number(text) TO PUBLIC"],
  },
  {
    found: ["trigger", "planted on app.t"],
    plant: ["CREATE TRIGGER planted AFTER UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.usual()"],
    remove: ["DROP TRIGGER planted ON app.t"],
  },
  {
    found: ["trigger", "below on app.part_1"],
    plant: ["CREATE TRIGGER below AFTER INSERT ON app.part FOR EACH ROW EXECUTE FUNCTION app.usual()"],
    remove: ["DROP TRIGGER below ON app.part"],
  },
  {
    found: ["trigger", "later on app.t"],
    plant: [
      "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.usual()",
    ],
    remove: ["DROP TRIGGER later ON app.t"],
  },
  {
    found: ["trigger", "usual on app.t"],
    plant: ["ALTER TABLE app.t ENABLE ALWAYS TRIGGER usual"],
    remove: ["ALTER TABLE app.t ENABLE TRIGGER usual"],
  },
  {
    found: ["rule", "planted on app.t"],
    plant: ["CREATE RULE planted AS ON DELETE TO app.t DO ALSO SELECT app.number('')"],
    remove: ["DROP RULE planted ON app.t"],
  },
  {
    found: ["view", "app.shown"],
    plant: ["CREATE OR REPLACE VIEW app.shown AS SELECT app.number('') AS id"],
    remove: ["CREATE OR REPLACE VIEW app.shown AS SELECT id FROM app.t"],
  },
  {
    found: ["materialized view", "app.kept"],
    plant: ["CREATE MATERIALIZED VIEW app.kept AS SELECT app.number('')"],
    remove: ["DROP MATERIALIZED VIEW app.kept"],
  },
  {
    found: ["policy", "kept on app.t"],
    plant: ["ALTER POLICY kept ON app.t USING (app.number('') = 1)"],
    remove: ["ALTER POLICY kept ON app.t USING (id > 0)"],
  },
  {
    found: ["row security", "app.t"],
    plant: ["ALTER TABLE app.t ENABLE ROW LEVEL SECURITY"],
    remove: ["ALTER TABLE app.t DISABLE ROW LEVEL SECURITY"],
  },
  {
    found: ["column default", "for app.t.x"],
    plant: ["ALTER TABLE app.t ALTER x SET DEFAULT query_to_xml('SELECT 1', true, true, '')::text"],
    remove: ["ALTER TABLE app.t ALTER x SET DEFAULT 'a'"],
  },
  {
    found: ["generated column", "for app.t.made_up"],
    plant: ["ALTER TABLE app.t ADD made_up int GENERATED ALWAYS AS (app.number(x)) STORED"],
    remove: ["ALTER TABLE app.t DROP made_up"],
  },
  {
    found: ["check constraint", "checked on app.t"],
    plant: ["ALTER TABLE app.t ADD CONSTRAINT checked CHECK (app.number(x) = 1)"],
    remove: ["ALTER TABLE app.t DROP CONSTRAINT checked"],
  },
  {
    found: ["foreign key that acts", "swept on app.sweep"],
    plant: ["CREATE TABLE app.sweep (id int CONSTRAINT swept REFERENCES app.t ON DELETE CASCADE)"],
    remove: ["DROP TABLE app.sweep"],
  },
  {
    found: ["index expression", "app.by_number"],
    plant: ["CREATE INDEX by_number ON app.t (app.number(x))"],
    remove: ["DROP INDEX app.by_number"],
  },
  {
    found: ["index expression", "app.where_number"],
    plant: ["CREATE INDEX where_number ON app.t (id) WHERE app.number(x) = 1"],
    remove: ["DROP INDEX app.where_number"],
  },
  {
    found: ["partition key", "app.by_key"],
    plant: ["CREATE TABLE app.by_key (x text) PARTITION BY LIST (app.number(x))"],
    remove: ["DROP TABLE app.by_key"],
  },
  {
    found: ["statistics object", "app.counted"],
    plant: ["CREATE STATISTICS app.counted ON (app.number(x)) FROM app.t"],
    remove: ["DROP STATISTICS app.counted"],
  },
  {
    found: ["relation named like a catalog", "app.pg_class"],
    plant: ["CREATE TABLE app.pg_class (oid oid)"],
    remove: ["DROP TABLE app.pg_class"],
  },
  {
    found: ["operator", "app.=(app.t,app.t)"],
    plant: ["CREATE OPERATOR app.= (FUNCTION = app.same, LEFTARG = app.t, RIGHTARG = app.t)"],
    remove: ["DROP OPERATOR app.= (app.t, app.t)"],
  },
  {
    found: ["cast", "(app.t AS boolean)"],
    plant: [
      "CREATE FUNCTION app.as_boolean(app.t) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
      "CREATE CAST (app.t AS boolean) WITH FUNCTION app.as_boolean(app.t) AS IMPLICIT",
    ],
    remove: ["DROP CAST (app.t AS boolean)", "DROP FUNCTION app.as_boolean(app.t)"],
  },
  {
    found: ["conversion", "app.convert"],
    plant: ["CREATE DEFAULT CONVERSION app.convert FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8"],
    remove: ["DROP CONVERSION app.convert"],
  },
  {
    found: ["type", "app.regclass"],
    plant: ["CREATE TYPE app.regclass AS ENUM ('a')"],
    remove: ["DROP TYPE app.regclass"],
  },
  {
    found: ["type", "app.pair"],
    plant: ["CREATE TYPE app.pair AS (a int, b text)"],
    remove: ["DROP TYPE app.pair"],
  },
  {
    found: ["type", "app.span"],
    plant: ["CREATE TYPE app.span AS RANGE (SUBTYPE = int)"],
    remove: ["DROP TYPE app.span"],
  },
  {
    found: ["domain", "app.positive"],
    plant: ["CREATE DOMAIN app.positive AS text CHECK (app.number(VALUE) = 1)"],
    remove: ["DROP DOMAIN app.positive"],
  },
  {
    found: ["collation", "app.sorted"],
    plant: [`CREATE COLLATION app.sorted FROM "C"`],
    remove: ["DROP COLLATION app.sorted"],
  },
  {
    found: ["collation", "app.usual"],
    plant: [
      "DROP COLLATION app.usual",
      "CREATE COLLATION app.usual (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
    ],
    remove: ["DROP COLLATION app.usual", BEFORE[9]!],
  },
  {
    found: ["collation", "app.plain"],
    plant: ["DROP COLLATION app.plain", `CREATE COLLATION app.plain (LC_COLLATE = "C", LC_CTYPE = "POSIX")`],
    remove: ["DROP COLLATION app.plain", BEFORE[10]!],
  },
  {
    found: ["type", "app.letters"],
    plant: [
      "DROP TYPE app.letters",
      `CREATE TYPE app.letters AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops)`,
    ],
    remove: ["DROP TYPE app.letters", BEFORE[11]!],
  },
  {
    found: ["domain", "app.word"],
    plant: ["DROP DOMAIN app.word", `CREATE DOMAIN app.word AS text COLLATE "C"`],
    remove: ["DROP DOMAIN app.word", BEFORE[12]!],
  },
  {
    found: ["text search configuration", "app.english"],
    plant: ["CREATE TEXT SEARCH CONFIGURATION app.english (COPY = pg_catalog.simple)"],
    remove: ["DROP TEXT SEARCH CONFIGURATION app.english"],
  },
  {
    found: ["text search dictionary", "app.words"],
    plant: ["CREATE TEXT SEARCH DICTIONARY app.words (TEMPLATE = simple)"],
    remove: ["DROP TEXT SEARCH DICTIONARY app.words"],
  },
  {
    found: ["privilege", "PUBLIC on table app.t"],
    plant: ["GRANT SELECT ON app.t TO PUBLIC"],
    remove: ["REVOKE SELECT ON app.t FROM PUBLIC"],
  },
  {
    found: ["privilege", "shop_local_reader on table app.t"],
    plant: ["GRANT TRUNCATE ON app.t TO shop_local_reader"],
    remove: ["REVOKE TRUNCATE ON app.t FROM shop_local_reader"],
  },
  {
    found: ["privilege", "shop_local_writer on table app.part"],
    plant: ["GRANT SELECT ON app.part TO shop_local_writer WITH GRANT OPTION"],
    remove: ["REVOKE GRANT OPTION FOR SELECT ON app.part FROM shop_local_writer"],
  },
  {
    found: ["privilege", "stranger on sequence app.t_id_seq"],
    plant: ["GRANT USAGE ON SEQUENCE app.t_id_seq TO stranger"],
    remove: ["REVOKE USAGE ON SEQUENCE app.t_id_seq FROM stranger"],
  },
  {
    found: ["privilege", "stranger on column app.t.x"],
    plant: ["GRANT UPDATE (x) ON app.t TO stranger"],
    remove: ["REVOKE UPDATE (x) ON app.t FROM stranger"],
  },
  {
    found: ["privilege", "PUBLIC on large object 4711"],
    plant: ["SELECT lo_create(4711)", "GRANT UPDATE ON LARGE OBJECT 4711 TO PUBLIC"],
    remove: ["SELECT lo_unlink(4711)"],
  },
  {
    found: ["privilege", "stranger on type app.granted"],
    plant: ["CREATE TYPE app.granted AS ENUM ()", "GRANT USAGE ON TYPE app.granted TO stranger"],
    remove: ["DROP TYPE app.granted"],
  },
  {
    found: ["collation", "app.alike"],
    plant: ["DROP COLLATION app.alike", ICU("locale = 'und-u-ks-level1', deterministic = false")],
    remove: ["DROP COLLATION app.alike", ICU("locale = 'en'")],
  },
  {
    found: ["default privilege", "PUBLIC on tables made by shop_local_owner in app"],
    plant: ["ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC"],
    remove: ["ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM PUBLIC"],
  },
  {
    found: ["default privilege", "stranger on functions made by shop_local_owner"],
    plant: ["ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO stranger"],
    remove: ["ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM stranger"],
  },
  {
    found: ["setting", "search_path of shop_local_owner"],
    plant: ["ALTER ROLE shop_local_owner SET search_path = app"],
    remove: ["ALTER ROLE shop_local_owner RESET search_path"],
  },
];

/** What an owner cannot make, but whoever got further by one. */
export const BY_SUPERUSER: readonly Planted[] = [
  {
    found: ["event trigger", "watching"],
    plant: [
      "CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
      "CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION app.watch()",
    ],
    remove: ["DROP EVENT TRIGGER watching", "DROP FUNCTION app.watch()"],
  },
  {
    found: ["operator class", "app.odd USING btree"],
    plant: [
      "CREATE OPERATOR CLASS app.odd FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)",
    ],
    remove: ["DROP OPERATOR FAMILY app.odd USING btree CASCADE"],
  },
  {
    found: ["operator family", "app.family USING hash"],
    plant: ["CREATE OPERATOR FAMILY app.family USING hash"],
    remove: ["DROP OPERATOR FAMILY app.family USING hash"],
  },
  {
    found: ["function", "app.internal()"],
    plant: ["CREATE FUNCTION app.internal() RETURNS int LANGUAGE internal AS 'pg_backend_pid'"],
    remove: ["DROP FUNCTION app.internal()"],
  },
  {
    found: ["extension", "pgcrypto"],
    plant: ["CREATE EXTENSION pgcrypto SCHEMA app"],
    remove: ["DROP EXTENSION pgcrypto"],
  },
  {
    found: ["foreign-data wrapper", "dummy"],
    plant: ["CREATE FOREIGN DATA WRAPPER dummy"],
    remove: ["DROP FOREIGN DATA WRAPPER dummy CASCADE"],
  },
  {
    found: ["foreign server", "elsewhere"],
    plant: ["CREATE SERVER elsewhere FOREIGN DATA WRAPPER dummy"],
    remove: ["DROP SERVER elsewhere CASCADE"],
  },
  {
    found: ["privilege", "stranger on foreign server elsewhere"],
    plant: ["GRANT USAGE ON FOREIGN SERVER elsewhere TO stranger"],
    remove: ["REVOKE USAGE ON FOREIGN SERVER elsewhere FROM stranger"],
  },
  {
    found: ["foreign table", "app.far"],
    plant: ["CREATE FOREIGN TABLE app.far (x int) SERVER elsewhere"],
    remove: ["DROP FOREIGN TABLE app.far"],
  },
  {
    found: ["user mapping", "PUBLIC on server elsewhere"],
    plant: ["CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'hidden-one')"],
    remove: ["DROP USER MAPPING FOR PUBLIC SERVER elsewhere"],
  },
  {
    found: ["publication", "told"],
    plant: ["CREATE PUBLICATION told FOR ALL TABLES"],
    remove: ["DROP PUBLICATION told"],
  },
  {
    found: ["subscription", "taken"],
    plant: [
      "CREATE SUBSCRIPTION taken CONNECTION 'dbname=x' PUBLICATION told WITH (connect = false, slot_name = NONE)",
    ],
    remove: ["DROP SUBSCRIPTION taken"],
  },
  {
    found: ["replication slot", "slot"],
    plant: ["SELECT pg_create_physical_replication_slot('slot')"],
    remove: ["SELECT pg_drop_replication_slot('slot')"],
  },
  {
    found: ["schema", "later"],
    plant: ["CREATE SCHEMA later"],
    remove: ["DROP SCHEMA later"],
  },
  {
    found: ["ownership", "table in app"],
    plant: ["CREATE TABLE app.foreign_one (x int)", "ALTER TABLE app.foreign_one OWNER TO stranger"],
    remove: ["DROP TABLE app.foreign_one"],
  },
  {
    found: ["ownership", "large object in the database"],
    plant: ["SELECT lo_create(4712)", "ALTER LARGE OBJECT 4712 OWNER TO stranger"],
    remove: ["SELECT lo_unlink(4712)"],
  },
  {
    found: ["membership", "stranger in shop_local_owner by postgres"],
    plant: ["GRANT shop_local_owner TO stranger"],
    remove: ["REVOKE shop_local_owner FROM stranger"],
  },
  {
    found: ["membership", "shop_local_writer in pg_execute_server_program by postgres"],
    plant: ["GRANT pg_execute_server_program TO shop_local_writer"],
    remove: ["REVOKE pg_execute_server_program FROM shop_local_writer"],
  },
  {
    found: ["role", "shop_local_owner"],
    plant: ["ALTER ROLE shop_local_owner LOGIN"],
    remove: ["ALTER ROLE shop_local_owner NOLOGIN"],
  },
  {
    found: ["role", "stranger"],
    plant: ["ALTER ROLE stranger CREATEROLE"],
    remove: ["ALTER ROLE stranger NOCREATEROLE"],
  },
  {
    found: ["setting", "search_path of all in this database"],
    plant: ["ALTER DATABASE shop_local SET search_path = app, public"],
    remove: ["ALTER DATABASE shop_local RESET search_path"],
  },
  {
    found: ["setting", "app.secret of shop_local_manager"],
    plant: ["ALTER ROLE shop_local_manager SET app.secret = 'hidden-two'"],
    remove: ["ALTER ROLE shop_local_manager RESET app.secret"],
  },
  {
    found: ["privilege", "stranger on database shop_local"],
    plant: ["GRANT CONNECT ON DATABASE shop_local TO stranger"],
    remove: ["REVOKE CONNECT ON DATABASE shop_local FROM stranger"],
  },
  {
    found: ["privilege", "PUBLIC on schema app"],
    plant: ["GRANT CREATE ON SCHEMA app TO PUBLIC"],
    remove: ["REVOKE CREATE ON SCHEMA app FROM PUBLIC"],
  },
  {
    found: ["privilege", "stranger on system function pg_catalog.pg_read_file(pg_catalog.text)"],
    plant: ["GRANT EXECUTE ON FUNCTION pg_read_file(text) TO stranger"],
    remove: ["REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM stranger"],
  },
  {
    found: ["privilege", "stranger on system relation pg_catalog.pg_authid"],
    plant: ["GRANT SELECT ON pg_authid TO stranger"],
    remove: ["REVOKE SELECT ON pg_authid FROM stranger"],
  },
  {
    found: ["privilege", "stranger on column pg_catalog.pg_authid.rolpassword"],
    plant: ["GRANT SELECT (rolname, rolpassword) ON pg_authid TO stranger"],
    remove: ["REVOKE SELECT (rolname, rolpassword) ON pg_authid FROM stranger"],
  },
  {
    found: ["privilege", "stranger on schema pg_catalog"],
    plant: ["GRANT CREATE ON SCHEMA pg_catalog TO stranger"],
    remove: ["REVOKE CREATE ON SCHEMA pg_catalog FROM stranger"],
  },
  {
    found: ["privilege", "PUBLIC on schema information_schema"],
    plant: ["GRANT CREATE ON SCHEMA information_schema TO PUBLIC"],
    remove: ["REVOKE CREATE ON SCHEMA information_schema FROM PUBLIC"],
  },
  {
    found: ["privilege", "stranger on system relation information_schema.sql_features"],
    plant: ["GRANT INSERT ON information_schema.sql_features TO stranger"],
    remove: ["REVOKE INSERT ON information_schema.sql_features FROM stranger"],
  },
  {
    found: ["system functions", "those that initdb has made"],
    plant: ["ALTER FUNCTION pg_catalog.pg_ls_dir(text) SECURITY DEFINER"],
    remove: ["ALTER FUNCTION pg_catalog.pg_ls_dir(text) SECURITY INVOKER"],
  },
  {
    found: ["system views", "those that initdb has made"],
    plant: ["ALTER VIEW pg_catalog.pg_user SET (security_barrier = true)"],
    remove: ["ALTER VIEW pg_catalog.pg_user RESET (security_barrier)"],
  },
  {
    found: ["parameter privilege", "stranger of session_preload_libraries"],
    plant: ["GRANT SET ON PARAMETER session_preload_libraries TO stranger"],
    remove: ["REVOKE SET ON PARAMETER session_preload_libraries FROM stranger"],
    since: 15,
  },
  {
    found: ["language", "plperlu"],
    plant: [
      "GRANT USAGE ON LANGUAGE sql TO stranger",
      "CREATE LANGUAGE plperlu HANDLER plpgsql_call_handler",
    ],
    remove: ["DROP LANGUAGE plperlu", "REVOKE USAGE ON LANGUAGE sql FROM stranger"],
  },
  {
    found: ["access method", "heap_too"],
    plant: ["CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler"],
    remove: ["DROP ACCESS METHOD heap_too"],
  },
  {
    found: ["text search parser", "app.parse"],
    plant: [
      "CREATE TEXT SEARCH PARSER app.parse (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
    ],
    remove: ["DROP TEXT SEARCH PARSER app.parse"],
  },
  {
    found: ["text search template", "app.template"],
    plant: ["CREATE TEXT SEARCH TEMPLATE app.template (LEXIZE = dsimple_lexize)"],
    remove: ["DROP TEXT SEARCH TEMPLATE app.template"],
  },
];

/** What would run if the look at the catalogs found anything by a name that is not qualified. */
export const TRAPS: readonly string[] = [
  "CREATE FUNCTION public.trap(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$",
  ...[
    ["oid", "oid"],
    ["oid", "integer"],
    ["name", "name"],
    ["name", "text"],
    ["text", "text"],
    ['"char"', '"char"'],
    ["name", "text[]"],
  ].flatMap(([left, right]) => {
    const name = `public.trap_${`${left}_${right}`.replaceAll(/\W/g, "")}`;
    return [
      `CREATE FUNCTION ${name}(${left}, ${right}) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$`,
      ...["=", "<>", "~", "!~", ">="].map(
        (operator) =>
          `CREATE OPERATOR public.${operator} (FUNCTION = ${name}, LEFTARG = ${left}, RIGHTARG = ${right})`,
      ),
    ];
  }),
  "CREATE FUNCTION public.format(text, name) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$",
  "CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$",
  "CREATE FUNCTION public.pg_get_userbyid(integer) RETURNS name LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$",
  "CREATE TABLE public.pg_roles (oid oid, rolname name)",
];
