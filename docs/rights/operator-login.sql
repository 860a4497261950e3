-- The login with which `vault-postgres status` and `revoke` look at PostgreSQL: it reads no table of any application. The
-- sandbox and the tests use this file.
--
-- Run it once per server, as a superuser, after postgres-login.sql, with the password as a variable:
--
--   psql --command='\set password `cat password-file`' --file=docs/rights/operator-login.sql postgres
--
-- and set PGUSER=credentials_operator and PGPASSWORD for vault-postgres.

CREATE ROLE credentials_operator WITH
  LOGIN
  NOSUPERUSER
  NOCREATEDB
  NOCREATEROLE
  NOREPLICATION
  NOBYPASSRLS
  PASSWORD :'password';

-- What this login runs finds PostgreSQL's own functions, operators and tables, and none that somebody else has made.
ALTER ROLE credentials_operator SET search_path = pg_catalog, pg_temp;

-- It works from here: roles and sessions are those of the whole server.
GRANT CONNECT ON DATABASE postgres TO credentials_operator;

-- Since when a session is there, and what it does. Without it, only that it is there.
GRANT pg_read_all_stats TO credentials_operator;

-- For --end-sessions of revoke and rotate. It reaches every session of the server but those of superusers; leave it out where that is too much.
GRANT pg_signal_backend TO credentials_operator;

-- Whether the login of a static role has a password at all, which nobody else may see. It shows no password. Without it,
-- status says that it was not looked at.
CREATE SCHEMA IF NOT EXISTS credentials_operator;
CREATE OR REPLACE VIEW credentials_operator.logins_without_password AS
  SELECT rolname FROM pg_catalog.pg_authid WHERE rolcanlogin AND rolpassword IS NULL;

-- Whether somebody has given a password to a role that nobody logs in as, likewise.
CREATE OR REPLACE VIEW credentials_operator.groups_with_password AS
  SELECT rolname FROM pg_catalog.pg_authid WHERE NOT rolcanlogin AND rolpassword IS NOT NULL;
GRANT SELECT ON credentials_operator.groups_with_password TO credentials_operator;

-- Which version of a login PostgreSQL has, so that rotate-root sees that the engine's is another one than before. It shows no
-- password. Without it, rotate-root says that this was not seen.
CREATE OR REPLACE VIEW credentials_operator.login_versions AS
  SELECT rolname, xmin::pg_catalog.text AS version FROM pg_catalog.pg_authid WHERE rolcanlogin;
GRANT SELECT ON credentials_operator.login_versions TO credentials_operator;
GRANT USAGE ON SCHEMA credentials_operator TO credentials_operator;
GRANT SELECT ON credentials_operator.logins_without_password TO credentials_operator;

-- For `vault-postgres footholds`, which reads the catalogs of an environment's own database, and no table: once that is there,
-- as the login that made it,
--
--   GRANT CONNECT ON DATABASE orders_dev TO credentials_operator;
