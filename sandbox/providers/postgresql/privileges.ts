// Privileges by kind of object, and when those granted are those wanted.
import type { Attributes } from "../resource/attributes";
import type { AttributeError } from "../resource/type";
import type { Session } from "./server";

const PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  database: ["CREATE", "CONNECT", "TEMPORARY"],
  schema: ["CREATE", "USAGE"],
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"],
  sequence: ["USAGE", "SELECT", "UPDATE"],
  function: ["EXECUTE"],
  procedure: ["EXECUTE"],
  routine: ["EXECUTE"],
  type: ["USAGE"],
};

/** Kinds as the catalogs have them: `relkind` and `defaclobjtype`. */
export const CATALOG_KIND: Readonly<Record<string, string>> = {
  table: "r",
  sequence: "S",
  function: "f",
  routine: "f",
  type: "T",
  schema: "n",
};

export function privilegeErrors(config: Attributes, objectTypes: readonly string[]): AttributeError[] {
  const objectType = config.text("object_type");
  if (objectType !== "" && !objectTypes.includes(objectType)) {
    const summary = `The sandbox's stand-in for the provider plugin does not serve "object_type" = "${objectType}", only ${objectTypes.join(", ")}`;
    return [{ attribute: "object_type", summary }];
  }
  const allowed = PRIVILEGES[objectType];
  const wrong = config
    .texts("privileges")
    .find((each) => each !== "ALL" && allowed?.includes(each) === false);
  return wrong === undefined
    ? []
    : [
        {
          attribute: "privileges",
          summary: `${wrong} is no privilege on a ${objectType}; allowed are ALL, ${allowed?.join(", ")}`,
        },
      ];
}

export function samePrivileges(granted: readonly string[], wanted: Attributes): boolean {
  const names = wanted.texts("privileges");
  return (
    same(granted, names) ||
    (names.includes("ALL") && same(granted, PRIVILEGES[wanted.text("object_type")] ?? []))
  );
}

function same(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((each) => right.has(each));
}

/** PUBLIC has no row in the catalogs, but the number 0. */
export async function roleNumber(session: Session, role: string): Promise<string> {
  if (role === "public") {
    return "0";
  }
  const rows = await session.query(
    "SELECT oid::pg_catalog.text FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1",
    [role],
  );
  if (rows[0] === undefined) {
    throw new Error(`the role ${role} does not exist`);
  }
  return String(rows[0].oid);
}
