import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export const PROJECT = path.resolve(__dirname, "../..");

export const manifest = JSON.parse(fs.readFileSync(path.join(PROJECT, "package.json"), "utf8")) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** Compiles and packs the library. Not to be done twice at a time: both would write `dist`. */
export function pack(folder: string): Packed {
  const told = npm(PROJECT, "pack", "--json", "--pack-destination", folder);
  const [packed] = JSON.parse(told.slice(told.indexOf("[\n"))) as Packed[];
  if (packed === undefined) throw new Error("npm packed nothing");
  return packed;
}

/** npm's standard output; what it says of its progress goes to standard error. */
function npm(cwd: string, ...args: string[]): string {
  const program = process.platform === "win32" ? "npm.cmd" : "npm";
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A project of somebody who uses the package. */
export class Consumer {
  /**
   * Installs a packed library, and its peers at the versions that we develop with.
   *
   * @param dependencies versions of peers to take instead
   * @param overrides of npm, by name
   */
  static install(
    folder: string,
    library: string,
    dependencies: Readonly<Record<string, string>> = {},
    overrides: Readonly<Record<string, object>> = {},
  ): Consumer {
    fs.mkdirSync(folder);
    const consumer = new Consumer(folder);
    const peers = Object.keys(manifest.peerDependencies).filter((name) => name !== "cdktf-cli");
    const versions = peers.map((name) => [name, dependencies[name] ?? manifest.devDependencies[name] ?? "*"]);
    const own: Record<string, string> = {
      "cdktf-database-credentials": `file:${library}`,
      ...(Object.fromEntries(versions) as Record<string, string>),
    };
    consumer.write(
      "package.json",
      JSON.stringify({ name: "consumer", private: true, dependencies: own, overrides }),
    );
    // As cdktf init writes it.
    const compilerOptions = {
      target: "ES2018",
      module: "CommonJS",
      strict: true,
      outDir: "out",
      types: ["node"],
    };
    const typeRoots = [path.join(PROJECT, "node_modules/@types")];
    consumer.write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: { ...compilerOptions, typeRoots }, include: ["**/*.ts"] }),
    );
    npm(folder, "install", "--no-audit", "--no-fund", "--prefer-offline");
    return consumer;
  }

  private constructor(readonly folder: string) {}

  file(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), text);
  }

  read(name: string): string {
    return fs.readFileSync(this.file(name), "utf8");
  }

  /** Runs Node.js here, and returns what it prints. */
  node(args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
    const all: NodeJS.ProcessEnv = { ...process.env, CDKTF_OUTDIR: this.file("cdktf.out"), ...env };
    return execFileSync(process.execPath, args, {
      cwd: this.folder,
      encoding: "utf8",
      env: all,
      stdio: "pipe",
    });
  }

  /** Type-checks and compiles the sources that were written; what is wrong with them, if anything. */
  compile(...options: string[]): string {
    try {
      return this.node([require.resolve("typescript/bin/tsc"), ...options]);
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout);
    }
  }

  /** What a compiled app synthesizes, by stack, without which version of cdktf it was and where it ran. */
  synthesize(app: string): Record<string, unknown> {
    const out = this.file("cdktf.out");
    fs.rmSync(out, { recursive: true, force: true });
    this.node([this.file(path.join("out", app))]);
    const stacks = path.join(out, "stacks");
    return Object.fromEntries(
      fs.readdirSync(stacks).map((stack) => {
        const text = fs.readFileSync(path.join(stacks, stack, "cdk.tf.json"), "utf8");
        return [stack, withoutVersion(text.replaceAll(this.folder, "."))];
      }),
    );
  }
}

function withoutVersion(text: string): unknown {
  const stack = JSON.parse(text) as { "//"?: { metadata?: { version?: string } } };
  delete stack["//"]?.metadata?.version;
  return stack;
}
