-- PostgreSQL 14 only, besides postgres-login.sql: there, schema "public" of a new database belongs to the superuser and lets
-- everyone make tables in it, which the owner of the database cannot take back. The sandbox and the tests use this file.
--
-- Run it once per server, as a superuser, in the database template1; from then on the schema belongs to the owner of each
-- database made from it, as in PostgreSQL 15 and later:
--
--   psql --file=docs/rights/postgres-14-template.sql template1
--
-- and let the environment copy that database: databaseTemplate: "template1".

ALTER SCHEMA public OWNER TO pg_database_owner;
