/** What `status` never looks at, and what does. */
export function statusLimits(environment: string, staticRoles: readonly string[] = []): string[] {
  return [
    `Drift of all else, such as TTLs of mounts and grants in the database: cdktf diff ${environment}.`,
    "Rights of everybody (PUBLIC) on the schemas, unless PGUSER enters the environment's database: GRANT CONNECT ON " +
      "DATABASE … to it.",
    `What credentials may do, and not do, in the database: vault-postgres verify ${environment}.`,
    "Whether the engine gets in at PostgreSQL with the password that it has, which nobody else knows: vault-postgres verify " +
      `${environment}, which has it issue credentials.`,
    ...(staticRoles.length > 0
      ? [
          `Whether PostgreSQL takes the password that the engine has for ${staticRoles.join(", ")}, which a session of the login ` +
            `may have set to another: vault-postgres verify ${environment}, which logs in with it.`,
        ]
      : []),
  ];
}
