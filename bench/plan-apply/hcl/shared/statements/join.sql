DO $body$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT "${base_role}" TO "{{name}}" WITH INHERIT TRUE, SET FALSE';
  ELSE
    GRANT "${base_role}" TO "{{name}}";
  END IF;
END
$body$;
