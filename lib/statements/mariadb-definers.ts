import { at, failWith } from "./mariadb-block";
import { NAME } from "./mysql-session";

/** Its variables: whether the user may have made objects that have a definer, and whether events. */
export const DEFINER_VARIABLES = "DECLARE defines, events INT;";

const KINDS = {
  routine: ["ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME"],
  event: ["EVENTS", "EVENT_SCHEMA", "EVENT_NAME"],
  trigger: ["TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME"],
  view: ["VIEWS", "TABLE_SCHEMA", "TABLE_NAME"],
} as const;

/** Rights of the user, of everybody (PUBLIC), and those on a database that have no user and so are everybody's. */
const OF_USER = `User IN (${NAME}, 'PUBLIC', '')`;

/**
 * Notes what the user may have made. The engine's login can hand out no more than it has itself; where it may read the
 * grants, it sees what this user has. A user with a role may have whatever the role has.
 */
export function noteDefining(): string[] {
  const granted = (where: string) => `EXISTS (SELECT 1 FROM mysql.${where})`;
  const withRole = granted(`roles_mapping WHERE User = ${NAME}`);
  const hasEvent = ["db", "user"].map((table) => granted(`${table} WHERE ${OF_USER} AND Event_priv = 'Y'`));
  const hasOther = [
    ...["db", "user"].map((table) =>
      granted(`${table} WHERE ${OF_USER} AND 'Y' IN (Create_view_priv, Trigger_priv, Create_routine_priv)`),
    ),
    granted(`tables_priv WHERE ${OF_USER} AND Table_priv REGEXP 'View|Trigger'`),
  ];
  return [
    `SET events = ${mayHandOut("'EVENT'")},`,
    `defines = ${mayHandOut("'TRIGGER', 'CREATE VIEW', 'CREATE ROUTINE', 'EVENT'")};`,
    "IF defines = 1 AND accounts IS NOT NULL THEN BEGIN",
    "DECLARE EXIT HANDLER FOR 1142, 1143 BEGIN END;",
    `SET events = events AND (${[withRole, ...hasEvent].join(" OR ")});`,
    `SET defines = events OR ${[withRole, ...hasOther].join(" OR ")};`,
    "END; END IF;",
  ];
}

function mayHandOut(privileges: string): string {
  const rights = ["USER_PRIVILEGES", "SCHEMA_PRIVILEGES", "TABLE_PRIVILEGES"].map(
    (view) =>
      `EXISTS (SELECT 1 FROM information_schema.${view} WHERE GRANTEE = me AND PRIVILEGE_TYPE IN (${privileges}))`,
  );
  return `(${rights.join(" OR ")})`;
}

/**
 * What the user made and is the definer of fails for everybody once the user is dropped. The engine's login sees such
 * objects only if it has the right to make them, which it needs to hand it out.
 *
 * To look for views and triggers the server opens each table, and waits for what makes or renames one.
 */
export function requireNoDefiner(): string[] {
  const look = (...kinds: (keyof typeof KINDS)[]) => {
    const objects = kinds.map((kind) => {
      const [view, schema, name] = KINDS[kind];
      return (
        `SELECT CONCAT('${kind} ', ${schema}, '.', ${name}) AS object FROM information_schema.${view} ` +
        `WHERE LEFT(DEFINER, CHAR_LENGTH(${NAME}) + 1) = CONCAT(${NAME}, '@')`
      );
    });
    // Once the time is over, a handler gets that from a statement, but not from SET.
    return `SELECT MIN(object) INTO obstacle FROM (${objects.join(" UNION ALL ")}) AS defined;`;
  };
  return [
    "IF defines = 1 THEN",
    look("routine", "event"),
    "IF obstacle IS NULL THEN",
    at("views and triggers (is a table being made or renamed?)"),
    look("trigger", "view"),
    "END IF;",
    "IF obstacle IS NOT NULL THEN",
    ...failWith("'needs another definer first: ', obstacle, ', of '"),
    "END IF;",
    "END IF;",
  ];
}
