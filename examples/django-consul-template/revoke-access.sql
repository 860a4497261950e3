-- The function that the revocation of the role "admin" calls. Run by a superuser in the database of the application, before
-- the first credential is issued:
--
--   psql -d testdb -f revoke-access.sql
CREATE OR REPLACE FUNCTION public.revoke_access(login pg_catalog.name) RETURNS pg_catalog.void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
  -- A revocation that failed half-way is tried again.
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) login) THEN
    RETURN;
  END IF;
  EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN', login);
  FOR attempt IN 1..50 LOOP
    PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
      WHERE usename OPERATOR(pg_catalog.=) login;
    EXIT WHEN NOT FOUND;
    PERFORM pg_catalog.pg_sleep(0.005 OPERATOR(pg_catalog.*) attempt);
    PERFORM pg_catalog.pg_stat_clear_snapshot();
  END LOOP;
  -- What the login made stays, with the owner of the database; its grants go.
  EXECUTE pg_catalog.format('REASSIGN OWNED BY %I TO %I', login,
    (SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database
     WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()));
  EXECUTE pg_catalog.format('DROP OWNED BY %I', login);
END
$$;
REVOKE ALL ON FUNCTION public.revoke_access(pg_catalog.name) FROM PUBLIC;
