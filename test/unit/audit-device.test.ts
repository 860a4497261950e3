import { AuditDevice, KeyValueEngine, type AuditDeviceProps } from "../../lib";
import { addressOf, all, one, synthesize, waitsFor } from "./synthesis";

const PROPS: AuditDeviceProps = { name: "file", filePath: "/var/log/audit.log", declaredIn: "api" };
const build = (props: Partial<AuditDeviceProps>) =>
  synthesize((scope) => {
    const audit = new AuditDevice(scope, "Audit", { ...PROPS, ...props });
    audit.precede(new KeyValueEngine(scope, "KeyValue").resource);
  });

const STANZA = `audit "file" "file" {
  description = "Every request and every answer"
  options = {
    file_path = "/var/log/audit.log"
    mode = "0600"
  }
}
`;

describe("AuditDevice", () => {
  test("minimal definition by the API: a file of its owner's alone, and no output", () => {
    const made = build({});
    expect(one(made, "vault_audit")).toMatchObject({
      path: "file",
      type: "file",
      options: { file_path: "/var/log/audit.log", mode: "0600" },
    });
    expect(made.output).toEqual({});
  });

  test("lets what it precedes wait for it", () => {
    const made = build({});
    expect(waitsFor(made, addressOf(made, "vault_mount"))).toEqual(new Set([addressOf(made, "vault_audit")]));
  });

  test("in a server's configuration is an output, and nothing that is deployed", () => {
    const made = build({ declaredIn: "server-configuration", outputName: "audit" });
    expect(made.output.audit?.value).toBe(STANZA);
    expect(all(made, "vault_audit")).toEqual([]);
    expect(one(made, "vault_mount")).not.toHaveProperty("depends_on");
  });

  test("by the API says what the server's configuration would be, where that is asked for", () => {
    expect(build({ outputName: "audit" }).output.audit?.value).toBe(STANZA);
  });

  test("in a server's configuration, with no output, is refused: it would be nowhere", () => {
    expect(() => build({ declaredIn: "server-configuration" })).toThrow(
      /"file" is declared nowhere: OpenBao takes it in its server's configuration only\.\n.*Pass outputName/,
    );
  });

  test.each([
    [{ filePath: "audit.log" }, "is not an absolute path"],
    [{ filePath: "/var/log/" }, "is not an absolute path"],
    [{ filePath: '/var/log/a"b' }, "cannot be written in a configuration"],
    [{ filePath: "/var/log/${a}" }, "Terraform reads as a template"],
    [{ description: "two\nlines" }, "cannot be written in a configuration"],
    [{ fileMode: "0644" }, 'has the permissions "0644"'],
    [{ name: "a/b" }, "cannot be used in a Vault path"],
  ])("refuses %j", (props, message) => {
    expect(() => build(props)).toThrow(message);
  });
});
