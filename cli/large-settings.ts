import { escapeIdentifier, type Client } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { Finding } from "./finding";

/** Settings with which sessions of a role begin, in one place: for all databases, or in one. */
export interface SettingsPlace {
  /** Absent for all databases. */
  readonly database?: string;
  readonly bytes: number;
}

/** Above, they are taken notice of: PostgreSQL deletes some hundred MB a second, and a revocation has to be through with it in time. */
export const LARGE_BYTES = 10_000_000;

/** All places in which some roles have settings, by OID. Any role may give itself settings of up to 1 GB in each. */
export async function settingsOf(
  client: Client,
  oids: readonly number[],
): Promise<Map<number, SettingsPlace[]>> {
  const { rows } = await client.query<{ oid: number; database: string | null; bytes: number }>(
    `SELECT s.setrole::bigint::double precision AS oid, base.datname::pg_catalog.text AS database,
       pg_catalog.pg_column_size(s.setconfig)::bigint::double precision AS bytes
     FROM pg_catalog.pg_db_role_setting AS s
     LEFT JOIN pg_catalog.pg_database AS base ON base.oid OPERATOR(pg_catalog.=) s.setdatabase
     WHERE s.setrole OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
       AND (s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR base.oid IS NOT NULL)
     ORDER BY base.datname NULLS FIRST`,
    [oids],
  );
  return new Map(
    oids.map((oid) => [
      oid,
      rows
        .filter((row) => row.oid === oid)
        .map(({ database, bytes }) => ({ ...(database !== null && { database }), bytes })),
    ]),
  );
}

export function bytesOf(places: readonly SettingsPlace[]): number {
  return places.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function isLarge(places: readonly SettingsPlace[]): boolean {
  return bytesOf(places) > LARGE_BYTES;
}

/** Such as `1800 MB`. */
export function megabytes(places: readonly SettingsPlace[]): string {
  return `${Math.round(bytesOf(places) / 1_000_000)} MB`;
}

/** What resets the settings of one place, without its semicolon. */
export function resetting(role: string, { database }: SettingsPlace): string {
  const where = database === undefined ? "" : ` IN DATABASE ${escapeIdentifier(database)}`;
  return `ALTER ROLE ${escapeIdentifier(role)}${where} RESET ALL`;
}

/** Roles that last, and what each has of settings. */
export interface RoleSettings {
  readonly name: string;
  readonly places: readonly SettingsPlace[];
}

/** Base roles and logins that have settings of such a size: each session that begins with them, and Terraform, loads all of it. */
export function largeSettingFindings(
  { postgres: { manager } }: EnvironmentOutputs,
  environment: string,
  roles: readonly RoleSettings[],
): Finding[] {
  return roles
    .filter(({ places }) => isLarge(places))
    .map(({ name, places }) => ({
      kind: "hindering-setting",
      subject: name,
      detail:
        `it has settings of ${megabytes(places)}, which each of its sessions loads${name === manager ? "" : ", and so does Terraform"}: ` +
        "that takes seconds and memory, or fails",
      remedy:
        `Find out who set them. As a superuser: ${places.map((place) => `${resetting(name, place)};`).join(" ")} ` +
        `Then cdktf deploy ${environment}, which sets again what is declared.`,
    }));
}
