import { escapeIdentifier } from "pg";
import type { EnvironmentOutputs } from "../stacks/outputs";
import type { EngineRole } from "./engine-roles";
import type { Finding } from "./finding";
import type { DatabaseUser } from "./database-users";
import type { FoundRole, RoleSurvey } from "./role-attributes";
import { possibleRoles } from "./stripped-users";
import { listed } from "./text";

/** What lets a role do more than any grant says. */
const SPECIAL = ["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"];
/** The engine makes roles, and says itself who else is to get in. */
const OF_MANAGER = SPECIAL.filter((attribute) => attribute !== "CREATEROLE");

interface Declared {
  /** For messages, such as `the base role of reader`. */
  readonly what: string;
  readonly forbidden: readonly string[];
  /** Roles that it may be a member of; absent where any. */
  readonly memberOf?: readonly string[];
}

/** Where roles of the environment have more rights than were declared, or base roles less, as far as can be seen at the server. */
export function roleFindings(
  outputs: EnvironmentOutputs,
  { roles, publicRights }: RoleSurvey,
  users: readonly DatabaseUser[],
  engineRoles: ReadonlyMap<string, EngineRole>,
  deploy: string,
): Finding[] {
  const declared = declaredRoles(outputs);
  return [
    ...roles.flatMap((role): Finding[] => {
      const user = users.find(({ oid }) => oid === role.oid);
      const known = declared.get(role.name) ?? (user && declaredUser(outputs, user, engineRoles));
      return known === undefined ? [] : excess(role, known, user !== undefined);
    }),
    ...lostRights(outputs, roles, deploy),
    ...(publicRights.length === 0
      ? []
      : [
          {
            kind: "excess-right" as const,
            subject: outputs.postgres.database,
            detail:
              `PUBLIC has ${listed(publicRights)} on the database` +
              (publicRights.includes("CONNECT") ? ": every login of the server gets in" : ""),
            remedy: `Find out who granted it, and what for. ${deploy}`,
          },
        ]),
  ];
}

function declaredRoles(outputs: EnvironmentOutputs): Map<string, Declared> {
  const { roles, static_roles = {}, postgres } = outputs;
  const bases = Object.entries(roles).map(([name, { base_role, base_role_member_of = [] }]) => {
    const what = `the base role of ${name}`;
    return [base_role, { what, forbidden: [...SPECIAL, "LOGIN"], memberOf: base_role_member_of }] as const;
  });
  const logins = Object.entries(static_roles).flatMap(([name, { username, base_role }]) =>
    // Of a login that was there before, only its owner knows what to expect.
    base_role === undefined
      ? []
      : [
          [
            username,
            { what: `the login of the static role ${name}`, forbidden: SPECIAL, memberOf: [base_role] },
          ] as const,
        ],
  );
  return new Map<string, Declared>([
    ...logins,
    ...bases,
    [postgres.manager, { what: "the engine's login", forbidden: OF_MANAGER }],
  ]);
}

/** SQL of one's own may give its users whatever it names. */
function declaredUser(
  outputs: EnvironmentOutputs,
  user: DatabaseUser,
  engineRoles: ReadonlyMap<string, EngineRole>,
): Declared {
  const sql = possibleRoles(outputs, user)
    .flatMap((role) => engineRoles.get(role)?.creation ?? [])
    .join("\n");
  const names = (word: string) => new RegExp(`(?<!\\w)${word}(?!\\w)`, "i").test(sql);
  // Roles of other stacks have base roles that are not known here; PostgreSQL's own are nobody's.
  const others = user.baseRoles.filter((role) => !role.startsWith("pg_") || names(role));
  return {
    what: "a user of the engine",
    forbidden: SPECIAL.filter((attribute) => !names(attribute)),
    memberOf: others,
  };
}

function excess({ name, attributes, memberOf }: FoundRole, known: Declared, isUser: boolean): Finding[] {
  const held = attributes.filter((attribute) => known.forbidden.includes(attribute));
  const joined =
    known.memberOf === undefined ? [] : memberOf.filter((role) => !known.memberOf?.includes(role));
  if (held.length + joined.length === 0) return [];
  const has = [
    ...(held.length > 0 ? [`has ${listed(held)}`] : []),
    ...(joined.length > 0 ? [`is a member of ${listed(joined)}`] : []),
  ];
  const id = escapeIdentifier(name);
  const undo = [
    ...(held.length > 0 ? [`ALTER ROLE ${id} ${held.map((attribute) => `NO${attribute}`).join(" ")};`] : []),
    ...joined.map((role) => `REVOKE ${escapeIdentifier(role)} FROM ${id};`),
  ].join(" ");
  return [
    {
      kind: "excess-right",
      subject: name,
      detail: `${known.what} ${has.join(" and ")}, which was not declared`,
      remedy:
        `Find out who gave it that, and what was done with it. As a superuser: ${undo}` +
        (isUser ? "" : " What it is to have has to be declared, and deployed."),
    },
  ];
}

/** A schema that is gone takes the rights on it along. */
function lostRights(
  { roles, postgres: { database } }: EnvironmentOutputs,
  found: readonly FoundRole[],
  deploy: string,
): Finding[] {
  return Object.entries(roles).flatMap(([name, { base_role, access, schemas }]): Finding[] => {
    const role = found.find((one) => one.name === base_role);
    // What grants of one's own need is not known here.
    if (role === undefined || access === "custom") return [];
    const expected = new Set(schemas).size;
    const lacks = [
      ...(role.connects ? [] : [`may not connect to ${database}`]),
      ...(role.schemas >= expected
        ? []
        : [
            expected === 1
              ? `has no right on the schema ${listed(schemas)} of ${database}`
              : `has rights on ${role.schemas} of the ${expected} schemas ${listed(schemas)} of ${database}`,
          ]),
    ];
    if (lacks.length === 0) return [];
    return [
      {
        kind: "missing-right",
        subject: base_role,
        detail:
          `the base role of ${name} ${lacks.join(" and ")}` +
          (role.schemas >= expected ? "" : ": a schema was dropped, or the rights on it were taken away"),
        remedy: `${deploy}. It makes a schema again that was dropped, and not what was in it.`,
      },
    ];
  });
}
