// Values that somebody might pass to see what happens, and how a test tells a refusal from a failure.
import fc from "fast-check";
import { ConfigurationError } from "../../lib";
import { FULL } from "./servers";

/** How many cases a property tries: the same few each time, unless the full set runs, which tries other ones each time. */
export const cases = (fast: number, full: number) => (FULL ? { numRuns: full } : { numRuns: fast, seed: 1 });

/** What is special to SQL, to Terraform, to the engines, to a shell, to systemd, in a path, or in Unicode. */
const SPECIAL = [
  ...[
    "'",
    '"',
    "`",
    "\\",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "$1",
    "$body$",
    "$",
    "END",
    "%",
    "%s",
    "%%",
    "_",
    "?",
    "#",
    "&",
  ],
  ...[
    "${",
    "%{",
    "$${",
    "${var.x}",
    "%{ if true }",
    "{{",
    "}}",
    "{{name}}",
    "{{password}}",
    "{{.DisplayName}}",
    "SUPERUSER",
    "{",
    "}",
    "@",
    ":",
    "|",
  ],
  ...["\n", "\r", "\t", "\u0000", "\u001b[2J", "\u007f", "\u0085", "\u2028", "\ufeff", "\u202e", "\ufffe"],
  ...["é", "e\u0301", "\u212b", "𝕏", "\ud800", "\udc00", "שלום", "한", "\u1112\u1161\u11ab", "İ", "ß"],
  ...["*", "+", "/", "//", "..", "../", "./", "-", ".", " ", "~", ",", "=", "(", ")", "<", ">"],
  ...[
    "root",
    "default",
    "sys",
    "public",
    "none",
    "pg_",
    "postgres",
    "template1",
    "information_schema",
    "mysql",
  ],
  ...[
    "Resource",
    "config-c",
    "Output",
    "__proto__",
    "constructor",
    "toString",
    "select",
    "user",
    "current_user",
  ],
];

/** Short texts: something special, words, and letters of any script, in any order. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(
        fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom(...SPECIAL) },
          { weight: 2, arbitrary: fc.stringMatching(/^[a-z0-9_]{1,8}$/) },
          { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 4 }) },
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((parts) => parts.join("")),
  },
  { weight: 2, arbitrary: fc.constantFrom(...SPECIAL) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("", " ", "x".repeat(62), "x".repeat(63), "x".repeat(64), "é".repeat(32)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("x".repeat(128), "a/".repeat(200) + "a", "x".repeat(129), "y".repeat(20_000)),
  },
);

/** Texts that SQL can hold: most are taken, so that servers get to see them. */
export const sqlText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom("'", "--", "/*", "$$", "$body$", "%", "?", "#", "END", "é", "𝕏", "BEGIN"),
      },
      { weight: 2, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }) },
      { weight: 2, arbitrary: fc.stringMatching(/^[ A-Za-z0-9_.,:@/+*=()-]{1,8}$/) },
      { weight: 1, arbitrary: fc.constantFrom('"', "\\", ";", "{{name}}", "${", "\n", "`") },
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join("").replaceAll("\u0000", ""))
  .filter((value) => value !== "");

/** Numbers where a count, a port or a length of time is wanted. */
export const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, -2, 0.5, 1, 5, 3600, 65_535, 65_536, NaN, Infinity, -Infinity),
  fc.constantFrom(2 ** 31, 2 ** 31 - 1, 2 ** 53, 2 ** 53 - 1, 1e300, 5e-324, 9_223_372_036, 9_223_372_037),
  fc.integer(),
  fc.double(),
);

/**
 * What a value leads to, or undefined if it is refused as it should be: by a message that says what is wrong and what to do,
 * without a stack.
 */
export function unlessRefused<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).toMatch(/^[A-Z][^\n]*[.}"].*\n {2}\S/s);
    expect(error.message).not.toMatch(/\n\s+at |undefined|\[object/);
    // eslint-disable-next-line no-control-regex -- nothing that a terminal obeys
    expect(error.message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    return undefined;
  }
}
