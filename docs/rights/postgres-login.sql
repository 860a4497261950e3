-- The login that runs `cdktf deploy` and `cdktf destroy`: no superuser. The sandbox and the tests use this file.
--
-- Run it once per server, as a superuser (on a managed service: as its administrator), with the password as a variable:
--
--   psql --command='\set password `cat password-file`' --file=docs/rights/postgres-login.sql postgres
--
-- That way the password is on no command line. It is in the statement: turn log_statement off for the session if it is on.
--
-- PostgreSQL 16 and later: CREATEROLE reaches only the roles that the login has made itself.
-- PostgreSQL 14 and 15: CREATEROLE reaches every role of the server that is no superuser, pg_execute_server_program among them;
--   give such a server to one team, and guard this login like a superuser.
-- PostgreSQL 14: see postgres-14-template.sql as well.
-- PostgreSQL 14.14, 15.9, 16.5 and 17.1 ignore ALTER ROLE … SET role, by which an owner's credential acts as its base role:
--   no such credential is issued there. Update to 14.15, 15.10, 16.6 or 17.2, or later, before the first deployment.

DO $$ BEGIN
  IF pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.=) ANY (ARRAY[140014, 150009, 160005, 170001]) THEN
    RAISE WARNING 'PostgreSQL % ignores ALTER ROLE ... SET role: no credential of an owner is issued. Update it to the next minor release before you deploy.',
      pg_catalog.current_setting('server_version');
  END IF;
END $$;

CREATE ROLE terraform WITH
  LOGIN
  NOSUPERUSER
  CREATEDB
  CREATEROLE
  NOREPLICATION
  NOBYPASSRLS
  PASSWORD :'password';

-- What this login runs finds PostgreSQL's own functions, operators and tables, and none that somebody else has made.
ALTER ROLE terraform SET search_path = pg_catalog, pg_temp;
-- Whoever holds what a deployment needs, an open transaction say, makes it fail, not wait for ever with locks of its own.
ALTER ROLE terraform SET lock_timeout = '1min';

-- Until told otherwise, every login of the server may enter these two databases. The login above works from "postgres".
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO terraform;
