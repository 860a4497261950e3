import { MysqlAccess } from "../../lib";

describe("names that are patterns are refused:", () => {
  test.each(["*", "%", "orders_%", "%_dev", "orders*", "*.*", "%%"])("the database %s", (name) => {
    expect(() => MysqlAccess.readOnly({ databases: [name] })).toThrow(/is a pattern.*Name each database/s);
    expect(() => MysqlAccess.readWrite({ databases: ["orders", name] })).toThrow(/is a pattern/);
    expect(() => MysqlAccess.custom([{ database: name, privileges: ["SELECT"] }])).toThrow(/is a pattern/);
  });

  test.each(["*", "%", "log_%"])("the table %s", (table) => {
    expect(() => MysqlAccess.custom([{ database: "d", table, privileges: ["SELECT"] }])).toThrow(
      /is a pattern.*leave the table out/s,
    );
  });

  test("names with an underscore, or a percent sign inside, are none", () => {
    expect(() => MysqlAccess.readOnly({ databases: ["my_db", "50%off", "_"] })).not.toThrow();
  });
});

describe("privileges to make what names its definer", () => {
  test.each(["CREATE VIEW", "TRIGGER", "CREATE ROUTINE", "EVENT"])(
    "%s is refused, unless said aloud",
    (privilege) => {
      const grants = [
        { database: "a", privileges: ["SELECT"] },
        { database: "d", privileges: ["SELECT", privilege] },
      ];
      expect(() => MysqlAccess.custom(grants)).toThrow(
        new RegExp(`privilege "${privilege}".*fail for everybody.*allowDefiners: true`, "s"),
      );
      expect(MysqlAccess.custom(grants, { allowDefiners: true }).grants).toEqual(grants);
    },
  );

  test("those that look like them and make nothing are taken", () => {
    const privileges = [
      "SHOW VIEW",
      "ALTER ROUTINE",
      "EXECUTE",
      "CREATE",
      "ALTER",
      "DROP",
      "CREATE TEMPORARY TABLES",
    ];
    expect(() => MysqlAccess.custom([{ database: "d", privileges }])).not.toThrow();
  });
});
