DO $body$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{{name}}') THEN
    FOR attempt IN 1..50 LOOP
      PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = '{{name}}';
      EXIT WHEN NOT FOUND;
      PERFORM pg_catalog.pg_sleep(0.005 * attempt);
      PERFORM pg_catalog.pg_stat_clear_snapshot();
    END LOOP;
    IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE usename = '{{name}}') THEN
      RAISE EXCEPTION 'sessions of % could not be ended', '{{name}}';
    END IF;
    PERFORM pg_catalog.set_config('lock_timeout', '10s', true);
    REASSIGN OWNED BY "{{name}}" TO "${base_role}";
    DROP OWNED BY "{{name}}";
    DROP ROLE "{{name}}";
  END IF;
END
$body$;
