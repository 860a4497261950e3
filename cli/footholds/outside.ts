import { detail, EQ, FIRST_OWN_OID, GE, identity, joined, regclass, roleName, text, type Query } from "./sql";

/** What connects the database with other servers, or waits in it. */
export const OUTSIDE: readonly Query[] = [
  {
    subject: "foreign data",
    kinds: ["foreign-data wrapper", "foreign server", "foreign table", "user mapping"],
    // Options may hold passwords: only that they changed is told.
    sql: `SELECT 'foreign-data wrapper' AS kind, pg_catalog.quote_ident(w.fdwname::pg_catalog.text) AS identity, ${roleName("w.fdwowner")} AS owner,
      ${detail("NULL")} AS detail, ${joined(text("w.fdwhandler::pg_catalog.regproc"), text("w.fdwoptions"))} AS definition
    FROM pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT 'foreign server', pg_catalog.quote_ident(s.srvname::pg_catalog.text), ${roleName("s.srvowner")},
      ${detail("pg_catalog.format('wrapper %s', w.fdwname)")}, ${joined("s.srvtype", "s.srvversion", text("s.srvoptions"))}
    FROM pg_catalog.pg_foreign_server AS s
    JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid ${EQ} s.srvfdw
    UNION ALL
    SELECT 'foreign table', ${identity("pg_class", "c.oid")}, ${roleName("c.relowner")},
      ${detail("pg_catalog.format('server %s', s.srvname)")}, ${text("t.ftoptions")}
    FROM pg_catalog.pg_foreign_table AS t
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} t.ftrelid
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid ${EQ} t.ftserver
    UNION ALL
    SELECT 'user mapping', pg_catalog.format('%s on server %I', CASE WHEN m.umuser ${EQ} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(m.usename::pg_catalog.text) END, m.srvname),
      NULL, ${detail("CASE WHEN m.umoptions IS NULL THEN 'options hidden, or none' END")}, ${text("m.umoptions")}
    FROM pg_catalog.pg_user_mappings AS m`,
  },
  {
    subject: "publications",
    kinds: ["publication"],
    sql: `SELECT 'publication' AS kind, pg_catalog.quote_ident(p.pubname::pg_catalog.text) AS identity, ${roleName("p.pubowner")} AS owner,
      ${detail("CASE WHEN p.puballtables THEN 'FOR ALL TABLES' END")} AS detail,
      ${joined(
        // Its options differ from version to version.
        text("(pg_catalog.to_jsonb(p) OPERATOR(pg_catalog.-) ARRAY['oid', 'pubowner'])"),
        `(SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', t.schemaname, t.tablename), E'\\n' ORDER BY t.schemaname, t.tablename)
          FROM pg_catalog.pg_publication_tables AS t WHERE t.pubname ${EQ} p.pubname AND NOT p.puballtables)`,
      )} AS definition
    FROM pg_catalog.pg_publication AS p`,
  },
  {
    subject: "subscriptions",
    kinds: ["subscription"],
    sql: `SELECT 'subscription' AS kind, pg_catalog.quote_ident(s.subname::pg_catalog.text) AS identity, ${roleName("s.subowner")} AS owner,
      ${detail("CASE WHEN NOT s.subenabled THEN 'DISABLED' END")} AS detail,
      ${joined(text("s.subslotname"), text("s.subpublications"))} AS definition
    FROM pg_catalog.pg_subscription AS s
    WHERE s.subdbid ${EQ} (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname ${EQ} pg_catalog.current_database())`,
  },
  {
    subject: "replication slots",
    kinds: ["replication slot"],
    sql: `SELECT 'replication slot' AS kind, pg_catalog.quote_ident(s.slot_name::pg_catalog.text) AS identity, NULL AS owner,
      ${detail(text("s.slot_type"), text("s.plugin"))} AS detail, NULL AS definition
    FROM pg_catalog.pg_replication_slots AS s WHERE NOT s.temporary
      AND (s.database IS NULL OR s.database ${EQ} pg_catalog.current_database())`,
  },
  {
    subject: "prepared transactions",
    kinds: ["prepared transaction"],
    sql: `SELECT 'prepared transaction' AS kind, pg_catalog.quote_literal(x.gid) AS identity, x.owner::pg_catalog.text AS owner,
      ${detail(`pg_catalog.format('since %s', pg_catalog.to_char(x.prepared, 'YYYY-MM-DD HH24:MI'))`)} AS detail, NULL AS definition
    FROM pg_catalog.pg_prepared_xacts AS x WHERE x.database ${EQ} pg_catalog.current_database()`,
  },
  {
    subject: "parameters",
    kinds: ["parameter privilege"],
    since: 15,
    sql: `SELECT 'parameter privilege' AS kind,
      pg_catalog.format('%s of %s', CASE WHEN entry.grantee ${EQ} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(${roleName("entry.grantee")}) END, p.parname) AS identity,
      NULL AS owner, ${detail("entry.privilege_type")} AS detail, NULL AS definition
    FROM pg_catalog.pg_parameter_acl AS p, LATERAL pg_catalog.aclexplode(p.paracl) AS entry
    WHERE entry.grantee OPERATOR(pg_catalog.<>) entry.grantor`,
  },
  {
    subject: "owners that are no roles of the environment",
    kinds: ["ownership"],
    // Kinds and schemas, not objects: what of them can act for others has its own entry.
    sql: `SELECT DISTINCT 'ownership' AS kind,
      pg_catalog.format('%s in %s', coalesce(o.type, 'large object'), coalesce(o.schema, 'the database')) AS identity,
      ${roleName("d.refobjid")} AS owner, ${detail("NULL")} AS detail, NULL AS definition
    FROM pg_catalog.pg_shdepend AS d,
      LATERAL pg_catalog.pg_identify_object(d.classid, CASE WHEN d.classid ${EQ} ${regclass("pg_largeobject")} THEN NULL ELSE d.objid END, d.objsubid) AS o
    WHERE d.refclassid ${EQ} ${regclass("pg_authid")} AND d.deptype ${EQ} 'o' AND (d.objid ${GE} ${FIRST_OWN_OID} OR o.type IS NULL)
      AND d.dbid ${EQ} (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname ${EQ} pg_catalog.current_database())
      AND (o.schema IS NULL OR o.schema OPERATOR(pg_catalog.!~) '^pg_temp')`,
  },
];

/** Jobs of pg_cron, where it is in this database: asked only after {@link CRON_IS_GENUINE}. */
export const CRON: Query = {
  subject: "jobs of pg_cron",
  kinds: ["job"],
  sql: `SELECT 'job' AS kind, j.jobid::pg_catalog.text AS identity, j.username::pg_catalog.text AS owner,
    ${detail("j.schedule::pg_catalog.text", "pg_catalog.format('in %s', j.database)", "CASE WHEN NOT j.active THEN 'off' END")} AS detail,
    j.command::pg_catalog.text AS definition
  FROM cron.job AS j`,
};

/** Whether `cron.job` is a table of the extension, and not one that somebody else has made to be asked. */
export const CRON_IS_GENUINE = `SELECT FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_roles AS maker ON maker.oid ${EQ} e.extowner AND maker.rolsuper
  JOIN pg_catalog.pg_depend AS part ON part.refclassid ${EQ} ${regclass("pg_extension")} AND part.refobjid ${EQ} e.oid
    AND part.classid ${EQ} ${regclass("pg_class")} AND part.deptype ${EQ} 'e'
  JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} part.objid AND c.relkind ${EQ} 'r' AND c.relname ${EQ} 'job'
  JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace AND n.nspname ${EQ} 'cron'
  WHERE e.extname ${EQ} 'pg_cron'`;
