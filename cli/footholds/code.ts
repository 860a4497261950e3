import {
  acts,
  detail,
  EQ,
  firing,
  FIRST_OWN_OID,
  GE,
  grantees,
  identity,
  joined,
  lasting,
  NE,
  own,
  regclass,
  roleName,
  text,
  type Query,
} from "./sql";

/** A digest made by the server, so that a long text need not be sent. */
const digestOfAll = (each: string, order: string) =>
  `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
     pg_catalog.string_agg(${each}, E'\\n' ORDER BY ${order}), 'UTF8')), 'hex')`;

/** Above, a function is known by its body alone: its definition, which quotes that, may be longer than PostgreSQL makes a text. */
const LONGEST_BODY_BYTES = 100_000_000;

/** What runs by itself, or with the rights of somebody else than its caller. */
export const CODE: readonly Query[] = [
  {
    subject: "functions and views of PostgreSQL's own",
    kinds: ["system functions", "system views"],
    // One entry for all of them. Only a superuser can have changed one.
    sql: `SELECT 'system functions' AS kind, 'those that initdb has made' AS identity, NULL AS owner,
      ${detail(
        `(SELECT pg_catalog.format('SECURITY DEFINER: %s', pg_catalog.string_agg(${text("f.oid::pg_catalog.regprocedure")}, ' ' ORDER BY f.oid))
          FROM pg_catalog.pg_proc AS f WHERE f.prosecdef AND f.oid OPERATOR(pg_catalog.<) ${FIRST_OWN_OID} HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0)`,
      )} AS detail,
      ${digestOfAll(
        joined(
          ...["f.oid::pg_catalog.regprocedure", "f.prolang", "f.prosecdef", "f.proleakproof"].map(text),
          ...["f.prosrc", "f.probin", text("f.prosqlbody"), text("f.proconfig")],
        ),
        "f.oid",
      )} AS definition
    FROM pg_catalog.pg_proc AS f WHERE f.oid OPERATOR(pg_catalog.<) ${FIRST_OWN_OID}
    UNION ALL
    SELECT 'system views', 'those that initdb has made', NULL, ${detail("NULL")},
      ${digestOfAll(joined(text("c.oid::pg_catalog.regclass"), "pg_catalog.pg_get_viewdef(c.oid)", text("c.reloptions")), "c.oid")}
    FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.<) ${FIRST_OWN_OID} AND c.relkind ${EQ} 'v'`,
  },
  {
    subject: "functions",
    kinds: ["function", "procedure", "aggregate"],
    sql: `SELECT CASE WHEN f.prokind ${EQ} 'p' THEN 'procedure' WHEN f.prokind ${EQ} 'a' THEN 'aggregate' ELSE 'function' END AS kind,
      ${identity("pg_proc", "f.oid")} AS identity, ${roleName("f.proowner")} AS owner,
      ${detail(
        `CASE WHEN f.prosecdef THEN 'SECURITY DEFINER' END`,
        `CASE WHEN f.prosecdef THEN coalesce((SELECT pg_catalog.string_agg(setting, ' ') FROM pg_catalog.unnest(f.proconfig) AS of (setting)
           WHERE pg_catalog.starts_with(setting, 'search_path=')), 'no search_path') END`,
        `pg_catalog.format('language %s', language.lanname)`,
        `CASE WHEN NOT language.lanpltrusted AND language.oid ${GE} ${FIRST_OWN_OID} THEN 'untrusted' END`,
        `pg_catalog.format('EXECUTE: %s', ${grantees("f.proacl", "f", "f.proowner")})`,
      )} AS detail,
      CASE WHEN pg_catalog.octet_length(f.prosrc) OPERATOR(pg_catalog.>) ${LONGEST_BODY_BYTES} THEN f.prosrc
        WHEN f.prokind ${NE} 'a' THEN pg_catalog.pg_get_functiondef(f.oid) ELSE
        (SELECT ${joined(
          ...[
            "a.aggkind",
            "a.aggtransfn",
            "a.aggfinalfn",
            "a.aggcombinefn",
            "a.aggmtransfn",
            "a.aggminvtransfn",
          ].map(text),
          ...["a.aggmfinalfn", "a.agginitval", "a.aggminitval"].map(text),
          `pg_catalog.format_type(a.aggtranstype, NULL)`,
        )} FROM pg_catalog.pg_aggregate AS a WHERE a.aggfnoid::pg_catalog.oid ${EQ} f.oid) END AS definition
    FROM pg_catalog.pg_proc AS f
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} f.pronamespace
    JOIN pg_catalog.pg_language AS language ON language.oid ${EQ} f.prolang
    WHERE ${own("pg_proc", "f.oid", "f.proowner")} AND ${lasting("n")}`,
  },
  {
    subject: "triggers",
    kinds: ["trigger"],
    // A partition's are clones of the table's; constraints have their own, which say something only if they are off.
    sql: `SELECT 'trigger' AS kind, ${identity("pg_trigger", "t.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail(firing("t.tgenabled"), `pg_catalog.format('calls %s', t.tgfoid::pg_catalog.regprocedure)`)} AS detail,
      pg_catalog.pg_get_triggerdef(t.oid, false) AS definition
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE t.oid ${GE} ${FIRST_OWN_OID} AND ${lasting("n")}
      AND (NOT t.tgisinternal OR t.tgenabled ${NE} 'O' OR t.tgparentid ${NE} 0 AND t.tgconstraint ${EQ} 0)`,
  },
  {
    subject: "event triggers",
    kinds: ["event trigger"],
    sql: `SELECT 'event trigger' AS kind, pg_catalog.quote_ident(e.evtname::pg_catalog.text) AS identity, ${roleName("e.evtowner")} AS owner,
      ${detail(firing("e.evtenabled"), `pg_catalog.format('on %s calls %s', e.evtevent, e.evtfoid::pg_catalog.regprocedure)`)} AS detail,
      ${joined(text("e.evtevent"), text("e.evtfoid::pg_catalog.regprocedure"), text("e.evttags"))} AS definition
    FROM pg_catalog.pg_event_trigger AS e`,
  },
  {
    subject: "rules",
    kinds: ["rule"],
    sql: `SELECT 'rule' AS kind, ${identity("pg_rewrite", "r.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail(firing("r.ev_enabled"))} AS detail, pg_catalog.pg_get_ruledef(r.oid) AS definition
    FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} r.ev_class
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE ${own("pg_class", "c.oid", "c.relowner")} AND ${lasting("n")}
      AND NOT (c.relkind ${EQ} ANY (ARRAY['v', 'm']::pg_catalog."char"[]) AND r.rulename ${EQ} '_RETURN')`,
  },
  {
    subject: "views",
    kinds: ["view", "materialized view"],
    sql: `SELECT CASE WHEN c.relkind ${EQ} 'v' THEN 'view' ELSE 'materialized view' END AS kind,
      ${identity("pg_class", "c.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail(
        `CASE WHEN c.relkind ${EQ} 'v' AND coalesce(pg_catalog.array_to_string(c.reloptions, ' '), '')
           OPERATOR(pg_catalog.!~*) 'security_invoker=(true|on|yes|1)' THEN 'acts as its owner' END`,
      )} AS detail,
      ${joined("pg_catalog.pg_get_viewdef(c.oid)", text("c.reloptions"))} AS definition
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE c.relkind ${EQ} ANY (ARRAY['v', 'm']::pg_catalog."char"[]) AND ${own("pg_class", "c.oid", "c.relowner")} AND ${lasting("n")}`,
  },
  {
    subject: "row security",
    kinds: ["policy", "row security"],
    sql: `SELECT 'policy' AS kind, ${identity("pg_policy", "p.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail(`CASE WHEN NOT p.polpermissive THEN 'RESTRICTIVE' END`)} AS detail,
      ${joined(
        text("p.polcmd"),
        text("p.polpermissive"),
        `(SELECT pg_catalog.string_agg(CASE WHEN member ${EQ} 0 THEN 'PUBLIC' ELSE ${roleName("member")} END, ' ')
          FROM pg_catalog.unnest(p.polroles) AS of (member))`,
        `pg_catalog.format('using %s', pg_catalog.pg_get_expr(p.polqual, p.polrelid))`,
        `pg_catalog.format('with check %s', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))`,
      )} AS definition
    FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} p.polrelid
    UNION ALL
    SELECT 'row security', ${identity("pg_class", "c.oid")}, ${roleName("c.relowner")},
      ${detail(
        `CASE WHEN c.relrowsecurity THEN 'enabled' ELSE 'disabled' END`,
        `CASE WHEN c.relforcerowsecurity THEN 'forced' END`,
      )}, NULL
    FROM pg_catalog.pg_class AS c
    WHERE (c.relrowsecurity OR c.relforcerowsecurity) AND c.oid ${GE} ${FIRST_OWN_OID}`,
  },
  {
    subject: "column defaults",
    kinds: ["column default", "generated column"],
    sql: `SELECT CASE WHEN a.attgenerated ${EQ} '' THEN 'column default' ELSE 'generated column' END AS kind,
      ${identity("pg_attrdef", "d.oid")} AS identity, ${roleName("c.relowner")} AS owner, ${detail("NULL")} AS detail,
      pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS definition
    FROM pg_catalog.pg_attrdef AS d
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} d.adrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid ${EQ} d.adrelid AND a.attnum ${EQ} d.adnum
    WHERE ${own("pg_class", "c.oid", "c.relowner")} AND ${lasting("n")} AND ${acts("d.adbin")}`,
  },
  {
    subject: "constraints",
    kinds: ["check constraint", "foreign key that acts"],
    sql: `SELECT CASE WHEN k.contype ${EQ} 'c' THEN 'check constraint' ELSE 'foreign key that acts' END AS kind,
      ${identity("pg_constraint", "k.oid")} AS identity, ${roleName("c.relowner")} AS owner, ${detail("NULL")} AS detail,
      pg_catalog.pg_get_constraintdef(k.oid) AS definition
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} k.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE ${own("pg_class", "c.oid", "c.relowner")} AND ${lasting("n")} AND (k.contype ${EQ} 'c' AND ${acts("k.conbin")}
      OR k.contype ${EQ} 'f' AND (k.confupdtype ${EQ} ANY (ARRAY['c', 'n', 'd']::pg_catalog."char"[])
        OR k.confdeltype ${EQ} ANY (ARRAY['c', 'n', 'd']::pg_catalog."char"[])))`,
  },
  {
    subject: "indexes, partition keys and statistics",
    kinds: ["index expression", "partition key", "statistics object"],
    sql: `SELECT 'index expression' AS kind, ${identity("pg_class", "c.oid")} AS identity, ${roleName("c.relowner")} AS owner,
      ${detail("NULL")} AS detail, pg_catalog.pg_get_indexdef(c.oid) AS definition
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} i.indexrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid ${EQ} c.relnamespace
    WHERE ${own("pg_class", "i.indrelid", "c.relowner")} AND ${lasting("n")}
      AND (${acts("i.indexprs")} OR ${acts("i.indpred")}
        OR EXISTS (SELECT FROM pg_catalog.unnest(i.indclass::pg_catalog.oid[]) AS of (class) WHERE class ${GE} ${FIRST_OWN_OID}))
    UNION ALL
    SELECT 'partition key', ${identity("pg_class", "c.oid")}, ${roleName("c.relowner")}, ${detail("NULL")},
      pg_catalog.pg_get_partkeydef(c.oid)
    FROM pg_catalog.pg_partitioned_table AS p JOIN pg_catalog.pg_class AS c ON c.oid ${EQ} p.partrelid
    WHERE ${acts("p.partexprs")}
    UNION ALL
    SELECT 'statistics object', ${identity("pg_statistic_ext", "s.oid")}, ${roleName("s.stxowner")}, ${detail("NULL")},
      pg_catalog.pg_get_statisticsobjdef(s.oid)
    FROM pg_catalog.pg_statistic_ext AS s WHERE ${acts("s.stxexprs")}`,
  },
  {
    subject: "extensions",
    kinds: ["extension", "language"],
    // Whoever owns one may put functions into it, which are then left out above if a superuser owns them.
    sql: `SELECT 'extension' AS kind, pg_catalog.quote_ident(e.extname::pg_catalog.text) AS identity, ${roleName("e.extowner")} AS owner,
      ${detail("e.extversion")} AS detail,
      (SELECT pg_catalog.string_agg((pg_catalog.pg_identify_object(part.classid, part.objid, part.objsubid)).identity, E'\\n'
         ORDER BY (pg_catalog.pg_identify_object(part.classid, part.objid, part.objsubid)).identity COLLATE pg_catalog."C")
       FROM pg_catalog.pg_depend AS part
       WHERE part.refclassid ${EQ} ${regclass("pg_extension")} AND part.refobjid ${EQ} e.oid AND part.deptype ${EQ} 'e') AS definition
    FROM pg_catalog.pg_extension AS e
    UNION ALL
    SELECT 'language', pg_catalog.quote_ident(l.lanname::pg_catalog.text), ${roleName("l.lanowner")},
      ${detail(`CASE WHEN NOT l.lanpltrusted THEN 'untrusted' END`, `pg_catalog.format('USAGE: %s', ${grantees("l.lanacl", "l", "l.lanowner")})`)},
      ${joined("l.lanplcallfoid::pg_catalog.regproc::pg_catalog.text", "l.laninline::pg_catalog.regproc::pg_catalog.text")}
    FROM pg_catalog.pg_language AS l WHERE l.oid ${GE} ${FIRST_OWN_OID}
      OR EXISTS (SELECT FROM pg_catalog.aclexplode(l.lanacl) AS entry WHERE entry.grantee ${NE} 0 AND entry.grantee ${NE} l.lanowner)`,
  },
];
