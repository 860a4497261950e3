import * as fs from "node:fs";
import { UserError } from "../errors";
import { writeSecret } from "../secret-file";
import type { Foothold, FootholdList } from "./foothold";

const FORMAT = 1;

/** A list that was kept, and what it is of. */
export interface KeptList extends FootholdList {
  readonly environment: string;
  readonly database: string;
  /** ISO 8601. */
  readonly takenAt: string;
}

/** One foothold a line, so that two files can be compared by any tool. @throws UserError if the file may not be replaced */
export function keep(file: string, list: KeptList, replace: boolean): void {
  const { environment, database, takenAt, notLookedAt, unknownKinds, footholds } = list;
  const head = JSON.stringify({ format: FORMAT, environment, database, takenAt, notLookedAt, unknownKinds });
  const lines = footholds.map((foothold) => `    ${JSON.stringify(foothold)}`);
  const body = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n  ]`;
  writeSecret(file, `{\n  ${head.slice(1, -1)},\n  "footholds": ${body}\n}\n`, replace);
}

/** @throws UserError unless the file holds a list of the environment */
export function keptList(file: string, environment: string, database: string): KeptList {
  const remedy = `Keep one with vault-postgres footholds ${environment} --save ${file}`;
  let content: unknown;
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`The list ${file} cannot be read: ${(error as Error).message}`, remedy);
  }
  if (!isKept(content)) throw new UserError(`The file ${file} holds no list of footholds.`, remedy);
  if (content.environment !== environment || content.database !== database) {
    throw new UserError(
      `The list ${file} is of the environment "${content.environment}" and the database "${content.database}".`,
      `Name one of "${environment}" and its database "${database}".`,
    );
  }
  return content;
}

function isKept(content: unknown): content is KeptList {
  if (typeof content !== "object" || content === null) return false;
  const { format, environment, database, takenAt, notLookedAt, unknownKinds, footholds } = content as Record<
    string,
    unknown
  >;
  return (
    format === FORMAT &&
    [environment, database, takenAt].every((value) => typeof value === "string") &&
    [notLookedAt, unknownKinds].every(
      (list) => Array.isArray(list) && list.every((value) => typeof value === "string"),
    ) &&
    Array.isArray(footholds) &&
    footholds.every(isFoothold)
  );
}

function isFoothold(value: unknown): value is Foothold {
  if (typeof value !== "object" || value === null) return false;
  const { kind, identity, owner, detail, hash } = value as Record<string, unknown>;
  return (
    [kind, identity, detail].every((part) => typeof part === "string") &&
    [owner, hash].every((part) => part === undefined || typeof part === "string")
  );
}
