DO $body$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{{name}}') THEN
    ALTER ROLE "{{name}}" NOLOGIN;
    GRANT "{{name}}" TO CURRENT_USER;
  END IF;
END
$body$;
