/** What `status` never looks at, and what does. */
export function statusLimits(environment: string, staticRoles: readonly string[] = []): string[] {
  return [
    `Drift of all else, such as grants on the schemas: cdktf diff ${environment}.`,
    "Rights that somebody gave besides, on columns, functions, parameters or other schemas, or to everybody: vault-postgres " +
      `footholds ${environment}, beside a list that you keep.`,
    `Default and maximum TTLs that a mount was given by hand, which bound all in it: vault-postgres verify ${environment}.`,
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
