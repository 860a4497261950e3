/**
 * What an engine runs to set the new password of its own login unless it is told otherwise, in its own words (OpenBao 2.6,
 * Vault 1.4 to 2.0). It is written out in each connection: the provider (5.6 to 5.11) sends no empty list, so that the
 * engine would keep, and run, SQL that is taken away, and every plan would show it.
 */
export const ROOT_ROTATION = {
  postgres: [`ALTER ROLE "{{username}}" WITH PASSWORD '{{password}}';`],
  mysql: [`ALTER USER '{{username}}'@'%' IDENTIFIED BY '{{password}}';`],
} as const;
