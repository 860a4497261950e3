import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PostgresLog } from "../../bench/postgres-log";

let folder: string;
let file: string;
let log: PostgresLog;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "postgres-log-"));
  file = path.join(folder, "postgres.log");
  fs.writeFileSync(file, "LOG:  statement: before\n");
  log = new PostgresLog(file, "terraform");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const write = (...lines: string[]) =>
  fs.appendFileSync(file, lines.map((line) => `2026-01-01 00:00:00.000 UTC [1] ${line}\n`).join(""));
const begin = (user: string) => `LOG:  connection authorized: user=${user} database=app`;
const end = (user: string) =>
  `LOG:  disconnection: session time: 0:00:00.010 user=${user} database=app host=127.0.0.1 port=5`;

test("statements are counted, simple and prepared, and nothing from before", () => {
  write("LOG:  statement: SELECT 1", "LOG:  execute <unnamed>: SELECT 2", "ERROR:  no statement: 3");
  expect(log.next().statements).toBe(2);
  expect(log.next().statements).toBe(0);
});

test("sessions of Terraform are counted, and how many are open at once", () => {
  write(begin("terraform"), begin("terraform"), begin("postgres"), end("terraform"), begin("terraform"));
  expect(log.next()).toMatchObject({ sessions: 3, sessionsAtOnce: 2 });
});

test("sessions of the engine are those that have begun, also earlier, and not ended", () => {
  write(begin("a_manager"), begin("b_manager"));
  log.next();
  write(begin("a_manager"), end("b_manager"), end("terraform"));
  expect(log.next().engineSessions).toBe(2);
});
