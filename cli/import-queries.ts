// Nothing here is resolved by the search path: what users of the database can make is never run.
/** A role by its name, as `RoleThere`. */
export const ROLE = `
  SELECT role.rolname::pg_catalog.text AS name, role.rolcanlogin AS login, role.rolsuper AS superuser,
    role.rolcreaterole AS create_role, role.rolcreatedb AS create_database, role.rolreplication AS replication,
    role.rolbypassrls AS bypass_row_level_security,
    ARRAY(
      SELECT granted.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
      JOIN pg_catalog.pg_roles AS granted ON granted.oid OPERATOR(pg_catalog.=) membership.roleid
      WHERE membership.member OPERATOR(pg_catalog.=) role.oid
    ) AS roles,
    ARRAY(
      SELECT granted.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members AS membership
      JOIN pg_catalog.pg_roles AS granted ON granted.oid OPERATOR(pg_catalog.=) membership.roleid
      WHERE membership.member OPERATOR(pg_catalog.=) role.oid
        AND (granted.rolsuper OR pg_catalog.starts_with(granted.rolname::pg_catalog.text, 'pg_'))
    ) AS powerful,
    ARRAY(
      SELECT DISTINCT held.datname::pg_catalog.text FROM pg_catalog.pg_shdepend AS dependency
      JOIN pg_catalog.pg_database AS held ON held.oid OPERATOR(pg_catalog.=) dependency.dbid
      WHERE dependency.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
        AND dependency.refobjid OPERATOR(pg_catalog.=) role.oid AND dependency.deptype OPERATOR(pg_catalog.=) 'o'
        AND dependency.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_largeobject'::pg_catalog.regclass
    ) AS owns_in,
    ARRAY(
      SELECT datname::pg_catalog.text FROM pg_catalog.pg_database WHERE datdba OPERATOR(pg_catalog.=) role.oid
    ) AS databases,
    pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.<) 160000
      OR own.rolsuper OR pg_catalog.pg_has_role(role.oid, 'MEMBER WITH ADMIN OPTION') AS ours_to_change
  FROM pg_catalog.pg_roles AS role
  CROSS JOIN pg_catalog.pg_roles AS own
  WHERE role.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text AND own.rolname OPERATOR(pg_catalog.=) CURRENT_USER`;

/** A database by its name, as `DatabaseThere`. */
export const DATABASE = `
  SELECT pg_catalog.pg_get_userbyid(datdba)::pg_catalog.text AS owner,
    pg_catalog.pg_encoding_to_char(encoding)::pg_catalog.text AS encoding,
    datcollate::pg_catalog.text AS lc_collate, datctype::pg_catalog.text AS lc_ctype,
    pg_catalog.has_database_privilege(oid, 'CONNECT') AS entered
  FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1::pg_catalog.text`;

/** A schema of the present database by its name, as `SchemaThere`. */
export const SCHEMA = `
  SELECT pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text AS owner,
    pg_catalog.pg_has_role(nspowner, 'USAGE') AS ours
  FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1::pg_catalog.text`;
