// What the steps of a revocation say of the user that they end.
import { handedOn, handingOn, oidOfRole } from "./plpgsql";

/** No role or name, as an array; the space keeps Terraform from reading a template. */
export const NOBODY = "$$ {}$$";

/** OID of pg_catalog.pg_authid. */
export const PG_AUTHID = 1260;

/** The comment on the user, as a row; null if there is none. */
export const COMMENT = "pg_catalog.shobj_description(user_oid, $$pg_authid$$) AS description";

/** Whether it names members of before. */
export const NOTED_BEFORE = "pg_catalog.strpos(description, $$ of {$$) OPERATOR(pg_catalog.>) 0";

/** Roles that the user is a member of. */
export const HELD =
  "SELECT roleid FROM pg_catalog.pg_auth_members WHERE member OPERATOR(pg_catalog.=) user_oid";

/** What it says besides roles of before, and those: who was a member of the user, and of whom the user was one. */
export const MARK = "pg_catalog.regexp_replace(description, $$ (of|in) {[0-9,]*}$$, $$$$, $$g$$)";
export const MEMBERS_BEFORE = "pg_catalog.substring(description, $$ of ({[0-9,]*})$$)";
export const HELD_BEFORE = "pg_catalog.substring(description, $$ in ({[0-9,]*})$$)";

export const USER_OID = `user_oid CONSTANT pg_catalog.oid := ${oidOfRole("user_name")};`;

/** PostgreSQL 14 lets a login make others members of itself. */
export const LENDS_ITSELF = isBefore(150_000);

/** Memberships in a user can be taken away by the engine's login, whoever gave them; from PostgreSQL 16 on, by whoever gave them. */
export const TAKES_MEMBERSHIPS = isBefore(160_000);

/** Whether anybody but the engine's login, which is it to end the user, is a member of the user. */
export const OTHERS_JOINED = [
  `EXISTS (`,
  `SELECT FROM pg_catalog.pg_auth_members WHERE roleid OPERATOR(pg_catalog.=) user_oid`,
  `AND pg_catalog.pg_get_userbyid(member) OPERATOR(pg_catalog.<>) CURRENT_USER`,
  `)`,
].join(" ");

// Locks before sessions: a backend that comes up meanwhile is in one of the two lists.
export const STARTING =
  "ARRAY(SELECT pid FROM pg_catalog.pg_lock_status() WHERE locktype OPERATOR(pg_catalog.=) $$virtualxid$$)";

/** Milliseconds for each lock: others wait for the engine meanwhile. */
export const LOCK_TIMEOUT = 300;

function isBefore(version: number): string {
  return `pg_catalog.current_setting($$server_version_num$$)::int OPERATOR(pg_catalog.<) ${version}`;
}

/** After so many milliseconds. */
export function inTime(longest: number): string {
  return `pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) $$${longest} ms$$::interval`;
}

/** What later steps have to know, among those who act for the user: no role has such an OID. */
export const [STRIPPED, LATE] = [0, 1];

export function noting(what: number): string {
  const noted = `pg_catalog.array_append(${handedOn("acting")}::pg_catalog.oid[], ${what}::pg_catalog.oid)`;
  return `PERFORM ${handingOn("acting", `${noted}::pg_catalog.text`)};`;
}

/** @param users OID of one, or `ANY` of an array of them */
export function terminatingAll(users = "user_oid"): string[] {
  return [
    `PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity(NULL)`,
    `  WHERE usesysid OPERATOR(pg_catalog.=) ${users};`,
  ];
}

/**
 * A server that commits late, and crashes, would have the login again, and the engine perhaps no lease of it any more. What it
 * waits for otherwise is left to it.
 */
export const KEEPING = [
  `IF pg_catalog.current_setting($$synchronous_commit$$) OPERATOR(pg_catalog.=) $$off$$ THEN`,
  `  SET LOCAL synchronous_commit = local;`,
  `END IF;`,
];
