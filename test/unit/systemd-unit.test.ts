import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Duration, SystemdUnit, type SystemdUnitProps } from "../../lib";
import { synthesize } from "./synthesis";

const MINIMAL: SystemdUnitProps = {
  description: "Agent of echo",
  command: ["/usr/bin/vault", "agent", "-config=/etc/echo/agent.json"],
  user: "echo",
  runtimeDirectory: "echo",
};

function unit(changes: Partial<SystemdUnitProps> = {}): SystemdUnit {
  let made: SystemdUnit | undefined;
  synthesize((stack) => (made = new SystemdUnit(stack, "Unit", { ...MINIMAL, ...changes })));
  return made!;
}

const lines = (changes: Partial<SystemdUnitProps> = {}) => unit(changes).text.split("\n");

test("a unit runs the agent as its user, with a folder in memory that nobody else reads", () => {
  expect(lines()).toEqual(
    expect.arrayContaining([
      "Description=Agent of echo",
      "ExecStart=/usr/bin/vault agent -config=/etc/echo/agent.json",
      "User=echo",
      "RuntimeDirectory=echo",
      "RuntimeDirectoryMode=0700",
      "Restart=always",
      "ProtectSystem=strict",
      "NoNewPrivileges=yes",
    ]),
  );
  expect(unit().runtimeDirectory).toBe("/run/echo");
});

test("a unit is started again for ever, unless a limit is given", () => {
  expect(lines()).toContain("StartLimitIntervalSec=0");
  const startLimit = { starts: 4, within: Duration.minutes(15) };
  expect(lines({ startLimit })).toEqual(
    expect.arrayContaining(["StartLimitIntervalSec=900", "StartLimitBurst=4", "Restart=always"]),
  );
  expect(lines({ startLimit })).not.toContain("StartLimitIntervalSec=0");
  // 4 starts, 5 s apart, take longer than that: systemd would never count as many.
  expect(lines({ startLimit: { starts: 4, within: Duration.seconds(21) } })).toContain("StartLimitBurst=4");
  for (const limit of [
    { starts: 4, within: Duration.seconds(20) },
    { starts: 0, within: Duration.minutes(15) },
    { starts: 1.5, within: Duration.minutes(15) },
  ]) {
    expect(() => unit({ startLimit: limit })).toThrow(/a time that is longer than all the delays/);
  }
});

test("a unit writes to no other path, unless it is named", () => {
  expect(unit().text).not.toContain("ReadWritePaths");
  expect(lines({ readWritePaths: ["/etc/echo", "/srv/a b%c"] })).toContain(
    'ReadWritePaths=/etc/echo "/srv/a b%%c"',
  );
});

test("a unit is an output where it is asked for", () => {
  const synthesized = synthesize((stack) => {
    new SystemdUnit(stack, "Unit", { ...MINIMAL, outputName: "unit" });
  });
  expect(synthesized.output.unit?.value).toBe(unit().text);
});

test.each<[string, Partial<SystemdUnitProps>, RegExp]>([
  ["a relative program", { command: ["vault"] }, /"vault" is not an absolute path/],
  ["no program", { command: [] }, /is not an absolute path/],
  ["a line feed in an argument", { command: ["/bin/a", "b\nUser=root"] }, /control character/],
  ["a line feed in the description", { description: "a\nb" }, /control character/],
  ["root", { user: "root" }, /The user of the unit is root/],
  ["a user id", { user: "0" }, /The user "0" of the unit is not usable/],
  ["a folder that leads elsewhere", { runtimeDirectory: "../etc" }, /"..\/etc" is not usable/],
  ["a folder for everybody", { runtimeDirectoryMode: "0755" }, /has the mode "0755"/],
  ["a relative path to write to", { readWritePaths: ["etc"] }, /"etc" is not an absolute path/],
  ["a unit without a kind", { before: ["echo"] }, /The unit "echo" is not usable/],
])("a unit with %s is refused", (_, changes, message) => {
  expect(() => unit(changes)).toThrow(message);
});

const analyze = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
const withSystemd = analyze.status === 0 ? test : test.skip;
if (analyze.status !== 0) {
  process.stderr.write("SKIPPED: systemd reads the units: there is no systemd-analyze on the PATH\n");
}

/** What systemd says of a unit. */
function verify(text: string, level: "info" | "debug"): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unit-"));
  try {
    const file = path.join(folder, "example.service");
    fs.writeFileSync(file, text);
    const env = { ...process.env, SYSTEMD_LOG_LEVEL: level };
    const { stdout, stderr, status } = spawnSync("systemd-analyze", ["verify", file], {
      env,
      encoding: "utf8",
    });
    expect(status).toBe(0);
    return stdout + stderr;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Lines that are about the unit, and not about others of this machine. */
const complaints = (text: string) =>
  verify(text, "info")
    .split("\n")
    .filter((line) => line.includes("example.service"));

withSystemd("systemd takes a unit and its arguments for what they are", () => {
  const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const odd = ["a b", "$HOME", "100%", 'q"', "b\\s", "it's", ";", ""];
  const { text } = unit({
    command: ["/bin/echo", ...odd],
    user: user === "root" ? "daemon" : user,
    before: ["echo.service"],
    readWritePaths: ["/srv/a b%c"],
    description: "100% of $HOME",
  });
  expect(complaints(text)).toEqual([]);
  // A dollar sign stands twice until the program is run.
  expect(verify(text, "debug")).toContain(
    `Command Line: /bin/echo "a b" "\\$\\$HOME" 100% "q\\"" "b\\\\s" "it's" ";" ""`,
  );
});

withSystemd("systemd complains of a unit that it cannot read", () => {
  const text = unit({ command: ["/bin/echo"] }).text.replace("UMask=0077", "UMask=everything");
  expect(complaints(text)).toEqual([expect.stringContaining("everything")]);
});
