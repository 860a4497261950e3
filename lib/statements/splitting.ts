import { ConfigurationError, show } from "../errors";
import { bareSql } from "./bare-sql";
import { listWithin, sentStatements } from "./sent";

/** Parts of a block that no statement begins with, and that a statement begins with where a block was split. */
const PART_OF_BLOCK = /^\s*(END|ELSE|ELSEIF|ELSIF|UNTIL)\b/i;

/** Whose SQL it is, and when an engine runs it. */
interface Splitting {
  readonly role: string;
  readonly kind: string;
  readonly server: "postgres" | "mysql";
  /** Whether engines send an element with the word END as it is. */
  readonly keepsBlocks: boolean;
}

/**
 * Checks that an engine sends each element of a statement list as it was meant.
 *
 * @throws ConfigurationError for an element that would be split at a semicolon in a text, an identifier, a comment or a
 *   block, or sent as the JSON that it is written in
 */
export function checkSplitting(statements: readonly string[], splitting: Splitting): void {
  const { role, kind, server, keepsBlocks } = splitting;
  const whose = `The ${kind} statements of role ${show(role)}`;
  for (const element of statements) {
    for (const { way } of sentStatements(element, keepsBlocks)) {
      if (way === "split" && splitsWrongly(element, server)) {
        throw new ConfigurationError(
          `${whose} ${holds(element, server)}: ${show(element)}`,
          remedy(splitting),
        );
      }
      if (way === "whole" && listWithin(element) !== undefined) {
        throw new ConfigurationError(
          `${whose} are a list in themselves, with the word END, for which the engine sends them as they are: ${show(element)}`,
          "Write the block itself, as an element of its own.",
        );
      }
    }
  }
}

function splitsWrongly(element: string, server: "postgres" | "mysql"): boolean {
  const bare = bareSql(element, server);
  const inQuotes = bare.split(";").length !== element.split(";").length;
  return inQuotes || splitsBlock(bare, server);
}

function splitsBlock(bare: string, server: "postgres" | "mysql"): boolean {
  // By itself, END is PostgreSQL's other word for COMMIT.
  if (server === "postgres" && !/\bBEGIN\s+ATOMIC\b/i.test(bare)) return false;
  const [, ...later] = bare.split(";");
  return later.some((statement) => PART_OF_BLOCK.test(statement));
}

function holds(element: string, server: "postgres" | "mysql"): string {
  return splitsBlock(bareSql(element, server), server)
    ? "hold a block with semicolons"
    : "hold a semicolon that ends no statement, in quotes or in a comment";
}

function remedy({ keepsBlocks }: Splitting): string {
  const list = "write it as a JSON list of one, JSON.stringify([statement])";
  return keepsBlocks
    ? `The engine would split it there. Write END in capitals in a block, such as DO $$ BEGIN … END $$, as an element of its own; else ${list}.`
    : `The engine would split it there: ${list}.`;
}
