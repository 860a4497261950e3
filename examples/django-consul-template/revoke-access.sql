-- The function that the revocation of the role "admin" calls. Run by a superuser in the database of the application, before
-- the first credential is issued:
--
--   psql -d testdb -f revoke-access.sql
CREATE OR REPLACE FUNCTION public.revoke_access(login name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
BEGIN
  -- A revocation that failed half-way is tried again.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
    RETURN;
  END IF;
  EXECUTE format('ALTER ROLE %I NOLOGIN', login);
  FOR attempt IN 1..50 LOOP
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = login;
    EXIT WHEN NOT FOUND;
    PERFORM pg_sleep(0.005 * attempt);
    PERFORM pg_stat_clear_snapshot();
  END LOOP;
  -- What the login made stays, with the owner of the database; its grants go.
  EXECUTE format('REASSIGN OWNED BY %I TO %I', login,
    (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
  EXECUTE format('DROP OWNED BY %I', login);
END
$$;
REVOKE ALL ON FUNCTION public.revoke_access(name) FROM PUBLIC;
