// Passwords that a user's own SQL says in clear text, which would be in the synthesized file, in the plan and in the state.
import { App, TerraformStack, TerraformVariable } from "cdktf";
import { checkMysqlStatements, checkStatements, type StatementKind } from "../../lib";
import { NEEDED } from "./needed-sql";

const postgres =
  (statement: string, kind: StatementKind = "creation") =>
  () =>
    checkStatements("r", kind, [NEEDED[kind], statement]);
const CREATE_USER = "CREATE USER '{{name}}' IDENTIFIED BY '{{password}}'";
const mysql = (statement: string) => () => checkMysqlStatements("r", "creation", [CREATE_USER, statement]);

const IN_POSTGRES = [
  "ALTER ROLE other PASSWORD 'hunter2'",
  "ALTER ROLE other WITH ENCRYPTED PASSWORD'hunter2'",
  "alter role other password\n\t'hunter2'",
  "ALTER ROLE other PASSWORD E'hunter2'",
  "ALTER ROLE other PASSWORD U&'hunter2'",
  "ALTER ROLE other PASSWORD $$hunter2$$",
  "ALTER ROLE other PASSWORD $x$hunter2$x$",
  "ALTER ROLE other PASSWORD /* of {{name}} */ 'hunter2'",
  "ALTER ROLE other PASSWORD -- of {{name}}\n 'hunter2'",
  "SELECT 1 /* ALTER ROLE other PASSWORD 'hunter2' */",
  "SELECT 1 -- ALTER ROLE other PASSWORD 'hunter2'",
  "DO $$ BEGIN ALTER ROLE other PASSWORD 'hunter2'; END $$",
  "DO $$ BEGIN EXECUTE 'ALTER ROLE other PASSWORD ''hunter2'''; END $$",
  "DO $a$ BEGIN EXECUTE $b$ALTER ROLE other PASSWORD 'hunter2'$b$; END $a$",
  "DO 'BEGIN ALTER ROLE other PASSWORD ''hunter2'' END'",
  "CREATE USER MAPPING FOR \"{{name}}\" SERVER s OPTIONS (user 'x', password 'hunter2')",
  "SELECT dblink_exec('host=db user=x password=hunter2', 'SELECT 1')",
  "SELECT dblink_exec('dbname=x sslpassword = ''hunter2''', 'SELECT 1')",
  "SELECT dblink_exec('postgresql://x:hunter2@db/x', 'SELECT 1')",
  "UPDATE app.users SET password = 'hunter2'",
  JSON.stringify(["ALTER ROLE other PASSWORD 'hunter2'"]),
  Buffer.from(JSON.stringify(["ALTER ROLE other PASSWORD 'hunter2'"])).toString("base64"),
];

const IN_MYSQL = [
  "CREATE USER 'other' IDENTIFIED BY 'hunter2'",
  'CREATE USER other IDENTIFIED BY "hunter2"',
  "CREATE USER other IDENTIFIED WITH mysql_native_password BY 'hunter2'",
  "CREATE USER other IDENTIFIED WITH 'caching_sha2_password' BY 'hunter2'",
  "CREATE USER other IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
  "CREATE USER other IDENTIFIED WITH mysql_native_password AS '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
  "CREATE USER other IDENTIFIED VIA mysql_native_password USING PASSWORD('hunter2')",
  "CREATE USER other IDENTIFIED BY '{{password}}' AND IDENTIFIED BY 'hunter2'",
  "ALTER USER other IDENTIFIED BY '{{password}}' REPLACE 'hunter2'",
  "ALTER USER other IDENTIFIED BY /* x */ 'hunter2'",
  "ALTER USER other /*!50706 IDENTIFIED BY 'hunter2' */",
  "SET PASSWORD = 'hunter2'",
  "SET PASSWORD = PASSWORD('hunter2')",
  "SET PASSWORD FOR 'other'@'%' = 'hunter2'",
  "ALTER USER other IDENTIFIED BY _utf8mb4'hunter2'",
  "CHANGE MASTER TO MASTER_PASSWORD='hunter2'",
  "SELECT 1 # IDENTIFIED BY 'hunter2'",
];

const expectRefusal = (check: () => unknown) => {
  expect(check).toThrow(/The \w+( \w+)? statements of role "r" [^]*hold.? a password in clear text/);
  // And so is in no message.
  expect(check).not.toThrow(/hunter2/);
};

test.each(IN_POSTGRES)("is refused for PostgreSQL: %s", (statement) => expectRefusal(postgres(statement)));
test.each(IN_MYSQL)("is refused for MySQL: %s", (statement) => expectRefusal(mysql(statement)));

test.each(Object.keys(NEEDED) as StatementKind[])("is refused in %s statements", (kind) =>
  expectRefusal(postgres("ALTER ROLE other PASSWORD 'hunter2'", kind)),
);

test("is not shown where the placeholder is missing for it", () => {
  expectRefusal(() => checkStatements("r", "creation", [`CREATE ROLE "{{name}}" LOGIN PASSWORD 'hunter2'`]));
  expectRefusal(() =>
    checkMysqlStatements("r", "creation", ["CREATE USER '{{name}}' IDENTIFIED BY 'hunter2'"]),
  );
});

test.each([
  "ALTER ROLE other PASSWORD NULL",
  "ALTER ROLE other PASSWORD ''",
  "ALTER ROLE other PASSWORD 'md5{{password}}'",
  "SET LOCAL password_encryption = 'scram-sha-256'",
  "COMMENT ON COLUMN app.users.password IS 'of users'",
  'GRANT SELECT (name, password) ON app.users TO "{{name}}"',
  "INSERT INTO app.kinds VALUES ('password', 'other')",
  "SELECT 1 -- the password is 'on file'",
  "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', '{{name}}', '{{password}}'); END $$",
  "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''' || current_setting('app.p') || ''''; END $$",
  "SELECT dblink_exec('host=db user={{name}} password={{password}}', 'SELECT 1')",
  "SELECT dblink_exec('host=db user={{name}} password=' || current_setting('app.p'), 'SELECT 1')",
  "SELECT 'https://db.example:5432/x'",
])("is none for PostgreSQL: %s", (statement) => expect(postgres(statement)).not.toThrow());

test.each([
  "CREATE USER other IDENTIFIED BY RANDOM PASSWORD",
  "CREATE USER other IDENTIFIED WITH auth_socket AS 'other'",
  "CREATE USER other IDENTIFIED VIA pam USING 'mariadb'",
  "CREATE USER other IDENTIFIED VIA mysql_native_password USING PASSWORD('{{password}}')",
  "ALTER USER other PASSWORD EXPIRE NEVER PASSWORD HISTORY 5 ACCOUNT LOCK",
  "ALTER USER other IDENTIFIED BY '{{password}}' RETAIN CURRENT PASSWORD",
  "SET PASSWORD FOR 'other'@'%' = PASSWORD('{{password}}')",
  "SELECT REPLACE('a', 'b', 'c')",
])("is none for MySQL: %s", (statement) => expect(mysql(statement)).not.toThrow());

test("what only Terraform knows passes", () => {
  const stack = new TerraformStack(new App(), "s");
  const secret = new TerraformVariable(stack, "secret", { type: "string" });
  expect(postgres(`ALTER ROLE other PASSWORD '${secret.stringValue}'`)).not.toThrow();
});
