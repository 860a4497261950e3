// What an application might try with its credential, and which access levels shall let it.

export const LEVELS = ["owner", "read-write", "read-only"] as const;
export type Level = (typeof LEVELS)[number];

export interface Attempt {
  /** What it is, as the table in the documentation says it. */
  readonly what: string;
  /** Run one after the other until one is refused. */
  readonly sql: readonly string[];
  readonly allowed: readonly Level[];
}

const ALL = LEVELS;
const ROWS: readonly Level[] = ["owner", "read-write"];
const OWNER: readonly Level[] = ["owner"];
const NONE: readonly Level[] = [];

const attempt = (what: string, allowed: readonly Level[], ...sql: string[]): Attempt => ({
  what,
  sql,
  allowed,
});

/** Names of the fixture: the schemas `app` and `closed`, the table `app.t` made by an owner, a sibling role, the manager. */
export const ATTEMPTS: readonly Attempt[] = [
  attempt("read a table of the schema", ALL, "SELECT * FROM app.t"),
  attempt("insert rows, drawing from a sequence", ROWS, "INSERT INTO app.t (x) VALUES ('a')"),
  attempt("update rows", ROWS, "UPDATE app.t SET x = 'b'"),
  attempt("delete rows", ROWS, "DELETE FROM app.t"),
  attempt("truncate a table", OWNER, "TRUNCATE app.t"),
  attempt("create a table in the schema", OWNER, "CREATE TABLE app.made (id int)"),
  attempt("alter a table", OWNER, "ALTER TABLE app.t ADD COLUMN y int"),
  attempt("drop a table", OWNER, "DROP TABLE app.t"),
  attempt("create an index", OWNER, "CREATE INDEX ON app.t (x)"),
  attempt(
    "create a trigger",
    OWNER,
    "CREATE TRIGGER made BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  ),
  attempt(
    "create a function in the schema",
    OWNER,
    "CREATE FUNCTION app.made() RETURNS int LANGUAGE sql RETURN 1",
  ),
  attempt("create a type in the schema", OWNER, "CREATE TYPE app.made AS (id int)"),
  attempt("lock a table against readers", ROWS, "LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE"),
  attempt(
    "share a table with PUBLIC",
    OWNER,
    "GRANT SELECT ON app.t TO PUBLIC",
    // To whom may not, PostgreSQL says no more than a warning.
    "DO $$ BEGIN IF NOT has_table_privilege('public', 'app.t', 'SELECT') THEN RAISE insufficient_privilege; END IF; END $$",
  ),
  attempt("create a temporary table", OWNER, "CREATE TEMPORARY TABLE made (id int)"),

  attempt("read a table of another schema", NONE, "SELECT * FROM closed.t"),
  attempt("create a table in another schema", NONE, "CREATE TABLE closed.made (id int)"),
  attempt("create a table in the schema public", NONE, "CREATE TABLE public.made (id int)"),
  attempt("create a schema", NONE, "CREATE SCHEMA made"),
  attempt("drop the schema", NONE, "DROP SCHEMA app CASCADE"),
  attempt("create an extension", NONE, "CREATE EXTENSION citext SCHEMA app"),
  attempt("drop the database", NONE, "DROP DATABASE matrix"),
  attempt("create a database", NONE, "CREATE DATABASE made"),
  attempt("change the database's settings", NONE, "ALTER DATABASE matrix SET work_mem = '1GB'"),
  attempt(
    "create an event trigger",
    NONE,
    "CREATE EVENT TRIGGER made ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  ),
  attempt("create a publication of all tables", NONE, "CREATE PUBLICATION made FOR ALL TABLES"),
  attempt(
    "create a subscription",
    NONE,
    "CREATE SUBSCRIPTION made CONNECTION '' PUBLICATION made WITH (connect = false, slot_name = NONE)",
  ),

  attempt("create a role", NONE, "CREATE ROLE made"),
  attempt("give itself CREATEROLE", NONE, "ALTER ROLE session_user CREATEROLE"),
  attempt("move its own expiry", NONE, "ALTER ROLE session_user VALID UNTIL 'infinity'"),
  attempt("act as a sibling base role", NONE, "SET ROLE matrix_sibling"),
  attempt("act as the engine's login", NONE, "SET ROLE matrix_manager"),
  attempt("act as the login that deploys", NONE, "SET ROLE terraform"),
  attempt(
    "hand its base role to another role",
    NONE,
    "GRANT matrix_owner, matrix_writer, matrix_reader TO matrix_sibling",
  ),
  attempt("drop the engine's login", NONE, "DROP ROLE matrix_manager"),
  attempt(
    "end another user's session",
    NONE,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'matrix_manager'",
  ),
  attempt("read password verifiers", NONE, "SELECT rolpassword FROM pg_authid"),

  attempt("run a program on the server", NONE, "COPY (SELECT 1) TO PROGRAM 'true'"),
  attempt("write a file of the server", NONE, "COPY (SELECT 1) TO '/tmp/made'"),
  attempt(
    "read a file of the server by COPY",
    NONE,
    "CREATE TEMPORARY TABLE made (line text)",
    "COPY made FROM '/etc/hostname'",
  ),
  attempt("read a file of the server by pg_read_file", NONE, "SELECT pg_read_file('PG_VERSION')"),
  attempt("list the server's files", NONE, "SELECT pg_ls_dir('.')"),
  attempt("load a file of the server into a large object", NONE, "SELECT lo_import('/etc/hostname')"),
  attempt("change the server's settings", NONE, "ALTER SYSTEM SET log_statement = 'none'"),
  attempt("switch triggers off", NONE, "SET session_replication_role = replica"),
  attempt("read another's large object", NONE, "SELECT lo_get(4242)"),

  // PostgreSQL grants these to everybody; they give no access to others' data.
  attempt("make a large object of its own", ALL, "SELECT lo_create(0)"),
  attempt("change its own password", ALL, "ALTER ROLE session_user PASSWORD 'another'"),
  attempt(
    "lift the timeouts of its own sessions",
    ALL,
    "ALTER ROLE session_user SET idle_session_timeout = 0",
  ),
  attempt(
    "take default privileges from its base role, so that the role may not use what is made later",
    ALL,
    `DO $$ BEGIN EXECUTE (
       SELECT format('DROP OWNED BY %s', roleid::regrole) FROM pg_auth_members, pg_roles WHERE member = pg_roles.oid AND rolname = session_user
     ); END $$`,
  ),
  attempt("run an anonymous block of PL/pgSQL", ALL, "DO $$ BEGIN END $$"),
  attempt("notify those who listen", ALL, "NOTIFY made"),
];
