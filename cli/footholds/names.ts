import {
  column,
  detail,
  EQ,
  FIRST_OWN_OID,
  GE,
  identity,
  joined,
  lasting,
  own,
  roleName,
  text,
  type Query,
} from "./sql";

/** What a statement may find by its name in place of what was meant, or what its values are converted by. */
export const NAMES: readonly Query[] = [
  {
    subject: "schemas",
    kinds: ["schema"],
    sql: `SELECT 'schema' AS kind, pg_catalog.quote_ident(n.nspname::pg_catalog.text) AS identity, ${roleName("n.nspowner")} AS owner,
      ${detail("NULL")} AS detail, NULL AS definition
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^(pg_|information_schema$)'`,
  },
  {
    subject: "relations named like PostgreSQL's",
    kinds: ["relation named like a catalog"],
    sql: `SELECT 'relation named like a catalog' AS kind, ${identity("pg_class", "c.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail("NULL")} AS detail, ${text("c.relkind")} AS definition
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE ${own("pg_class", "c.oid", "c.relowner")} AND ${lasting("n")}
      AND EXISTS (SELECT FROM pg_catalog.pg_class AS original
        WHERE original.relname ${EQ} c.relname AND original.relnamespace ${EQ} 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid)`,
  },
  {
    subject: "operators",
    kinds: ["operator", "operator class", "operator family"],
    sql: `SELECT 'operator' AS kind, ${identity("pg_operator", "o.oid")} AS identity, ${roleName("o.oprowner")} AS owner,
      ${detail(`pg_catalog.format('calls %s', o.oprcode)`)} AS detail,
      ${joined(...["o.oprcode", "o.oprrest", "o.oprjoin", "o.oprcanmerge", "o.oprcanhash"].map(text))} AS definition
    FROM pg_catalog.pg_operator AS o WHERE ${own("pg_operator", "o.oid", "o.oprowner")}
    UNION ALL
    SELECT 'operator class', ${identity("pg_opclass", "c.oid")}, ${roleName("c.opcowner")},
      ${detail(`CASE WHEN c.opcdefault THEN 'DEFAULT' END`, `pg_catalog.format('for %s', pg_catalog.format_type(c.opcintype, NULL))`)}, NULL
    FROM pg_catalog.pg_opclass AS c WHERE ${own("pg_opclass", "c.oid", "c.opcowner")}
    UNION ALL
    SELECT 'operator family', ${identity("pg_opfamily", "f.oid")}, ${roleName("f.opfowner")}, ${detail("NULL")},
      ${joined(
        `(SELECT pg_catalog.string_agg(pg_catalog.format('%s %s', a.amopstrategy, a.amopopr::pg_catalog.regoperator), E'\\n'
           ORDER BY a.amopstrategy, a.amopopr) FROM pg_catalog.pg_amop AS a WHERE a.amopfamily ${EQ} f.oid)`,
        `(SELECT pg_catalog.string_agg(pg_catalog.format('%s %s', a.amprocnum, a.amproc), E'\\n'
           ORDER BY a.amprocnum, a.amproc::pg_catalog.oid) FROM pg_catalog.pg_amproc AS a WHERE a.amprocfamily ${EQ} f.oid)`,
      )}
    FROM pg_catalog.pg_opfamily AS f WHERE ${own("pg_opfamily", "f.oid", "f.opfowner")}`,
  },
  {
    subject: "casts and conversions",
    kinds: ["cast", "conversion", "transform", "access method"],
    sql: `SELECT 'cast' AS kind, ${identity("pg_cast", "c.oid")} AS identity, NULL AS owner,
      ${detail(
        `CASE WHEN c.castcontext ${EQ} 'i' THEN 'AS IMPLICIT' WHEN c.castcontext ${EQ} 'a' THEN 'AS ASSIGNMENT' END`,
        `CASE WHEN c.castfunc::pg_catalog.oid OPERATOR(pg_catalog.<>) 0 THEN
           pg_catalog.format('calls %s', c.castfunc::pg_catalog.oid::pg_catalog.regprocedure) END`,
      )} AS detail, ${text("c.castmethod")} AS definition
    FROM pg_catalog.pg_cast AS c WHERE c.oid ${GE} ${FIRST_OWN_OID}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS part WHERE part.classid ${EQ} 'pg_catalog.pg_cast'::pg_catalog.regclass
        AND part.objid ${EQ} c.oid AND part.deptype ${EQ} 'e')
    UNION ALL
    SELECT 'conversion', ${identity("pg_conversion", "c.oid")}, ${roleName("c.conowner")},
      ${detail(`CASE WHEN c.condefault THEN 'DEFAULT' END`, `pg_catalog.format('calls %s', c.conproc)`)},
      ${joined(text("c.conforencoding"), text("c.contoencoding"))}
    FROM pg_catalog.pg_conversion AS c WHERE ${own("pg_conversion", "c.oid", "c.conowner")}
    UNION ALL
    SELECT 'transform', ${identity("pg_transform", "t.oid")}, NULL, ${detail("NULL")},
      ${joined(text("t.trffromsql"), text("t.trftosql"))}
    FROM pg_catalog.pg_transform AS t WHERE t.oid ${GE} ${FIRST_OWN_OID}
    UNION ALL
    SELECT 'access method', pg_catalog.quote_ident(a.amname::pg_catalog.text), NULL, ${detail("NULL")}, ${text("a.amhandler")}
    FROM pg_catalog.pg_am AS a WHERE a.oid ${GE} ${FIRST_OWN_OID}`,
  },
  {
    subject: "types",
    kinds: ["type", "domain"],
    // Those of tables and arrays come with their tables and element types.
    sql: `SELECT CASE WHEN t.typtype ${EQ} 'd' THEN 'domain' ELSE 'type' END AS kind,
      ${identity("pg_type", "t.oid")} AS identity, ${roleName("t.typowner")} AS owner,
      ${detail(`CASE WHEN t.typtype ${EQ} 'd' THEN pg_catalog.format('over %s', pg_catalog.format_type(t.typbasetype, t.typtypmod)) END`)} AS detail,
      ${joined(
        text("t.typtype"),
        text("t.typinput"),
        "t.typdefault",
        `CASE WHEN t.typtype ${EQ} 'd' THEN pg_catalog.format('%s %s', pg_catalog.format_type(t.typbasetype, t.typtypmod),
          t.typcollation::pg_catalog.regcollation) END`,
        `(SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), E'\\n' ORDER BY k.conname)
          FROM pg_catalog.pg_constraint AS k WHERE k.contypid ${EQ} t.oid)`,
        `(SELECT pg_catalog.string_agg(e.enumlabel::pg_catalog.text, E'\\n' ORDER BY e.enumsortorder)
          FROM pg_catalog.pg_enum AS e WHERE e.enumtypid ${EQ} t.oid)`,
        `(SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)), E'\\n' ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a WHERE a.attrelid ${EQ} t.typrelid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)`,
        `(SELECT ${joined("pg_catalog.format_type(r.rngsubtype, NULL)", text("r.rngcanonical"), text("r.rngsubdiff"), text("r.rngcollation::pg_catalog.regcollation"), identity("pg_opclass", "r.rngsubopc"))}
          FROM pg_catalog.pg_range AS r WHERE r.rngtypid ${EQ} t.oid)`,
      )} AS definition
    FROM pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} t.typnamespace
    LEFT JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} t.typrelid
    WHERE ${own("pg_type", "t.oid", "t.typowner")} AND ${lasting("n")}
      AND (c.oid IS NULL OR c.relkind ${EQ} 'c') AND t.typtype OPERATOR(pg_catalog.<>) 'm'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS element WHERE element.oid ${EQ} t.typelem AND element.typarray ${EQ} t.oid)`,
  },
  {
    subject: "collations and text search",
    kinds: [
      "collation",
      "text search configuration",
      "text search dictionary",
      "text search parser",
      "text search template",
    ],
    sql: `SELECT 'collation' AS kind, ${identity("pg_collation", "c.oid")} AS identity, ${roleName("c.collowner")} AS owner,
      ${detail("NULL")} AS detail, ${joined(
        ...[text("c.collprovider"), text("c.collcollate")],
        // Of ICU's these alone tell what it does; other versions have them in other columns, or not at all.
        `pg_catalog.format('LC_CTYPE %s', ${text("c.collctype")})`,
        `CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END`,
        `pg_catalog.format('locale %s', coalesce(${column("c", "colllocale")}, ${column("c", "colliculocale")}))`,
        `pg_catalog.format('rules %s', ${column("c", "collicurules")})`,
      )} AS definition
    FROM pg_catalog.pg_collation AS c WHERE ${own("pg_collation", "c.oid", "c.collowner")}
    UNION ALL
    SELECT 'text search configuration', ${identity("pg_ts_config", "c.oid")}, ${roleName("c.cfgowner")}, ${detail("NULL")},
      ${joined(
        identity("pg_ts_parser", "c.cfgparser"),
        `(SELECT pg_catalog.string_agg(pg_catalog.format('%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::pg_catalog.regdictionary), E'\\n'
          ORDER BY m.maptokentype, m.mapseqno) FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg ${EQ} c.oid)`,
      )}
    FROM pg_catalog.pg_ts_config AS c WHERE ${own("pg_ts_config", "c.oid", "c.cfgowner")}
    UNION ALL
    SELECT 'text search dictionary', ${identity("pg_ts_dict", "d.oid")}, ${roleName("d.dictowner")}, ${detail("NULL")},
      ${joined(identity("pg_ts_template", "d.dicttemplate"), "d.dictinitoption")}
    FROM pg_catalog.pg_ts_dict AS d WHERE ${own("pg_ts_dict", "d.oid", "d.dictowner")}
    UNION ALL
    SELECT 'text search parser', ${identity("pg_ts_parser", "p.oid")}, NULL, ${detail("NULL")}, ${joined(...["prsstart", "prstoken", "prsend", "prsheadline", "prslextype"].map((name) => text(`p.${name}`)))}
    FROM pg_catalog.pg_ts_parser AS p WHERE p.oid ${GE} ${FIRST_OWN_OID}
    UNION ALL
    SELECT 'text search template', ${identity("pg_ts_template", "t.oid")}, NULL, ${detail("NULL")}, ${joined(text("t.tmplinit"), text("t.tmpllexize"))}
    FROM pg_catalog.pg_ts_template AS t WHERE t.oid ${GE} ${FIRST_OWN_OID}`,
  },
];
