import { Fn } from "cdktf";
import {
  assumingCreation,
  checkStatements,
  dollarQuote,
  drainingRevocation,
  Duration,
  membershipCreation,
  quoteIdentifier,
  quoteLiteral,
  markingTerminated,
  renewal,
  rotation,
  terminatingRevocation,
} from "../../lib";

describe("quoting", () => {
  test("doubles what would end an identifier", () => expect(quoteIdentifier('a"b')).toBe('"a""b"'));

  test("doubles what would end a literal", () => expect(quoteLiteral("it's")).toBe("'it''s'"));

  test("makes an escape string of text with a backslash", () =>
    expect(quoteLiteral("a\\'")).toBe("E'a\\\\'''"));

  test("chooses a dollar tag that the body does not hold", () => {
    expect(dollarQuote("x")).toBe("$body$x$body$");
    expect(dollarQuote("$body$")).toBe("$body1$$body$$body1$");
  });
});

describe("presets", () => {
  const presets = {
    membershipCreation: membershipCreation("app reader"),
    assumingCreation: assumingCreation("app owner"),
    drainingCreation: assumingCreation("app owner", {
      idleSession: Duration.minutes(1),
      idleInTransaction: Duration.minutes(10),
    }),
    markingTerminated: markingTerminated(),
    renewal: renewal(),
    rotation: rotation(),
    terminatingRevocation: terminatingRevocation("app owner"),
    drainingRevocation: drainingRevocation("app owner"),
  };

  test("are these statements", () => expect(presets).toMatchSnapshot());

  test("pass the checks that the user's own statements have to pass", () => {
    expect(() => checkStatements("r", "creation", presets.membershipCreation)).not.toThrow();
    expect(() => checkStatements("r", "creation", presets.drainingCreation)).not.toThrow();
    expect(() => checkStatements("r", "renewal", presets.renewal)).not.toThrow();
    expect(() => checkStatements("r", "rotation", presets.rotation)).not.toThrow();
    expect(() => checkStatements("r", "revocation", presets.terminatingRevocation)).not.toThrow();
    expect(() => checkStatements("r", "revocation", presets.drainingRevocation)).not.toThrow();
  });

  test("hold no text that a name of Terraform's could end", () => {
    const [sql = ""] = terminatingRevocation(Fn.upper("app_owner"));
    const tags = [...sql.matchAll(/\$(\w+_under_a_tag_\w+)\$/g)].map(([, tag]) => tag);
    expect(new Set(tags).size).toBe(4);
    expect(sql).toMatch(
      /\$inner_body_under_a_tag_\w+\$[^]*REASSIGN OWNED BY[^]*\$inner_body_under_a_tag_\w+\$/,
    );
  });

  test("every element is one that no engine splits, or one statement", () => {
    for (const statement of Object.values(presets).flat()) {
      const inner = statement.slice(0, -1);
      expect(statement.endsWith(";")).toBe(true);
      expect(/\bEND\b/.test(inner) || !inner.includes(";")).toBe(true);
    }
  });
});

describe("checks of the user's own statements", () => {
  const creation = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'`;

  test("return what they accept", () => {
    expect(checkStatements("r", "creation", [creation])).toEqual([creation]);
    expect(checkStatements("r", "revocation", [`DROP ROLE "{{username}}"`])).toEqual([
      `DROP ROLE "{{username}}"`,
    ]);
  });

  test.each([
    ["creation", [], /are empty/],
    ["creation", [creation, " "], /are empty/],
    ["creation", [`CREATE ROLE "{{name}}"`], /do not use \{\{password\}\}/],
    ["creation", [`CREATE ROLE x PASSWORD '{{password}}'`], /do not use \{\{name\}\}/],
    ["renewal", [`ALTER ROLE "{{name}}" LOGIN`], /do not use \{\{expiration\}\}/],
    ["revocation", ["SELECT 1"], /do not use \{\{name\}\}/],
    ["creation", [`${creation} IN ROLE "{{group}}"`], /use "\{\{group\}\}"/],
    ["creation", [`${creation} /* \${x} */`], /Terraform reads as a template/],
    ["creation", [`${creation} SUPERUSER`], /make a superuser/],
    ["creation", [`${creation} superuser`], /make a superuser/],
  ] as const)("refuse %s statements %p", (kind, statements, message) => {
    expect(() => checkStatements("r", kind, statements)).toThrow(message);
  });

  test("allow superusers on demand, and NOSUPERUSER always", () => {
    expect(() => checkStatements("r", "creation", [`${creation} SUPERUSER`], true)).not.toThrow();
    expect(() => checkStatements("r", "creation", [`${creation} NOSUPERUSER`])).not.toThrow();
  });
});
