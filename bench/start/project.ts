import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const ENVIRONMENT = "stacks/environments/dev.ts";

/** The smallest app that there is, and this one, with the sources that a compiler is to check. */
export const PROGRAMS = {
  hello: { file: "hello.ts", sources: ["hello.ts"] },
  app: { file: "main.ts", sources: ["main.ts", "lib", "stacks"] },
} as const;
export type Program = keyof typeof PROGRAMS;

/** A copy of the app in a temporary folder, so that its sources can be changed, compiled and broken. */
export class Project {
  readonly folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "bench-start-")));
  private readonly environment: string;
  private changes = 0;

  constructor() {
    for (const name of ["main.ts", "lib", "stacks", "package.json", "tsconfig.json"]) {
      fs.cpSync(path.join(ROOT, name), this.fileOf(name), { recursive: true });
    }
    fs.copyFileSync(path.join(ROOT, "bench", "synthesis", "hello.ts"), this.fileOf("hello.ts"));
    fs.symlinkSync(fs.realpathSync(path.join(ROOT, "node_modules")), this.fileOf("node_modules"), "dir");
    this.folderFor("cdktf.out");
    this.environment = fs.readFileSync(this.fileOf(ENVIRONMENT), "utf8");
  }

  fileOf(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** A folder, made if it is not there. */
  folderFor(...names: string[]): string {
    const folder = this.fileOf(...names);
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Settings for the compiler, in a file of their own: a file that is written again counts as changed. */
  writeSettings(name: string, program: Program, options: object): void {
    const compilerOptions = { types: ["node"], incremental: true, rootDir: ".", ...options };
    const settings = { extends: "./tsconfig.json", compilerOptions, include: PROGRAMS[program].sources };
    fs.writeFileSync(this.fileOf(settingsFile(name, program)), JSON.stringify(settings));
  }

  /** Changes an environment, in another way each time. */
  change(): void {
    this.changes += 1;
    this.append(`export const change = ${this.changes};`);
  }

  /** Gives an environment a type error that does not keep it from running. */
  breakTypes(): void {
    this.append(`export const wrong: number = "text";`);
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private append(line: string): void {
    fs.writeFileSync(this.fileOf(ENVIRONMENT), `${this.environment}\n${line}\n`);
  }
}

export const settingsFile = (name: string, program: Program) => `tsconfig.${name}.${program}.json`;

/** Whether an error is the compiler's, about what `breakTypes` wrote. */
export function isTypeError(error: unknown): boolean {
  return error instanceof Error && error.message.includes("TS2322");
}
