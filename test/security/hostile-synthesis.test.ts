import fc from "fast-check";
import { synthesize } from "../unit/synthesis";
import {
  AGENT_PLACES,
  NUMBER_PLACES,
  OUTPUT_PLACES,
  SERVER_PLACES,
  UNIT_PLACES,
  type Place,
} from "./hostile-places";
import { cases, hostileNumber, hostileText, unlessRefused } from "./hostile-values";

jest.setTimeout(600_000);

const RUNS = cases(25, 400);

/** All texts of a JSON value, keys and values. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...texts(inner)]);
}

/** As {@link texts}, also of those that are JSON themselves, such as an agent's configuration. */
function textsWithin(json: string): string[] {
  return texts(JSON.parse(json)).flatMap((text) => [
    text,
    ...(/^[[{]["\s]/.test(text) ? texts(parsed(text)) : []),
  ]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** References of CDKTF's, such as `${vault_mount.Secrets_1A2B.path}`, which are all that Terraform shall find to fill in. */
const REFERENCE = /^\$\{[a-z][a-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_-]*){1,2}\}$/;

/** What plans are refused by, in which nothing of a user's stands but the checked name of an AppRole. */
const CONDITION =
  /^\$\{(trim\(self\.id, "\/"\) == trim\(self\.path, "\/"\)|\((postgresql_database\.[\w-]+)\.id == \2\.name\)|\(self\.role == null \? "" : self\.role\) == "[\w.-]*")\}$/;
/** What refuses a password of the engine's login: of a variable, whose name is checked, and of no text of a user's. */
const OF_PASSWORD =
  /^\$\{(length\(var\.\w+\) > 0|!strcontains\(var\.\w+, "\{\{username\}\}"\) && !strcontains\(var\.\w+, "\{\{password\}\}"\)|!startswith\(var\.\w+, "SCRAM-SHA-256\$"\) && !\(length\(var\.\w+\) == 35 && can\(regex\("\^md5\[0-9a-f\]\+", var\.\w+\)\)\))\}$/;
/** References within the message that is shown then. */
const REFERENCES = /(?<!\$)\$\{(self|postgresql_database\.[\w-]+)\.(id|path|name)\}/g;

/** Fails if Terraform would read something else than the texts of a synthesized stack. */
function expectNoTemplate(json: string): void {
  for (const text of texts(JSON.parse(json))) {
    if (![REFERENCE, CONDITION, OF_PASSWORD].some((known) => known.test(text)))
      expect(text.replaceAll(REFERENCES, "")).not.toMatch(/[$%]\{/);
    // Terraform composes all text, and replaces halves of characters.
    expect(text).toBe(Buffer.from(text.normalize("NFC")).toString());
  }
}

/** Refused, or there in the synthesized stack as it was given. */
function isRefusedOrHeld<T extends string | number>(place: Place<T>, value: T): "refused" | "held" {
  const stack = unlessRefused(() => synthesize((scope) => place.build(scope, value)));
  if (stack === undefined) return "refused";
  expectNoTemplate(stack.json);
  const wanted = place.standsAs?.(value) ?? value;
  // A number stands for itself, or for the text of one.
  if (typeof wanted === "number")
    expect(stack.json).toMatch(new RegExp(`: "?${escaped(`${wanted}`)}[",\\s]`));
  else expect(textsWithin(stack.json).some((text) => text.includes(wanted))).toBe(true);
  return "held";
}

const escaped = (text: string) => text.replaceAll(/[+.]/g, "\\$&");

describe("a hostile text is refused, or synthesized as it is:", () => {
  test.each([...SERVER_PLACES, ...UNIT_PLACES])("$what", (place) => {
    fc.assert(
      fc.property(hostileText, (value) => void isRefusedOrHeld(place, value)),
      RUNS,
    );
  });

  test.each(OUTPUT_PLACES)("name of an output, $what", (place) => {
    fc.assert(
      fc.property(hostileText, (value) => void isRefusedOrHeld(place, value)),
      RUNS,
    );
  });
});

describe("a hostile text is refused, or found again in an agent's configuration, which is JSON:", () => {
  test.each(AGENT_PLACES)("$what", (place) => {
    fc.assert(
      fc.property(hostileText, (value) => void isRefusedOrHeld(place, value)),
      RUNS,
    );
  });
});

describe("a hostile number is refused, or synthesized as it is:", () => {
  test.each(NUMBER_PLACES)("$what", (place) => {
    fc.assert(
      fc.property(hostileNumber, (value) => void isRefusedOrHeld(place, value)),
      RUNS,
    );
  });
});

test("what is usual is taken in every place, so that the properties above do not hold for want of a value", () => {
  const usual: readonly string[] = [
    "orders",
    "read",
    "require",
    "SIGHUP",
    "0600",
    "0700",
    "::1",
    "https://v:1",
    "10.0.0.0/8",
  ];
  const more = ["echo.service", "/var/x", "{{.RoleName | truncate 8}}", "SELECT 1", "a1"];
  for (const place of [...SERVER_PLACES, ...UNIT_PLACES, ...OUTPUT_PLACES, ...AGENT_PLACES]) {
    const taken = [...usual, ...more].some((value) => isRefusedOrHeld(place, value) === "held");
    expect({ place: place.what, taken }).toEqual({ place: place.what, taken: true });
  }
});
