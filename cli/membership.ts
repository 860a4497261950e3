/** A membership of one role in another, as PostgreSQL keeps it. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly grantor: string | null;
  readonly admin: boolean;
  /** `null` before PostgreSQL 16, where there is one membership of a role in another, whoever granted it; `set`, too. */
  readonly inherit: string | null;
  readonly set: string | null;
}

/** Its options, in a query on `pg_auth_members AS m`, whatever of them the server has. */
export const MEMBERSHIP_OPTIONS = `m.admin_option AS admin,
  pg_catalog.to_jsonb(m) OPERATOR(pg_catalog.->>) 'inherit_option' AS inherit,
  pg_catalog.to_jsonb(m) OPERATOR(pg_catalog.->>) 'set_option' AS set`;
