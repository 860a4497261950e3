import * as fs from "node:fs";
import { Client } from "pg";

/**
 * Stands for `psql`, which the servers from npm come without: knows the options and the commands of our documents, and takes
 * the server from the variables that `psql` reads.
 */
async function psql(args: readonly string[]): Promise<void> {
  const options = new Map<string, string>();
  const positional: string[] = [];
  for (const arg of args) {
    const [, name, value] = /^--(\w+)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || value === undefined) positional.push(arg);
    else options.set(name, value);
  }
  const client = new Client({ user: options.get("username"), database: positional[0] });
  await client.connect();
  let sql = options.has("file") ? fs.readFileSync(options.get("file") ?? "", "utf8") : "";
  const command = options.get("command") ?? "";
  // As in docs/rights: the password comes from a file.
  const [, variable, file] = /^\\set (\w+) `cat (.*)`$/.exec(command) ?? [];
  if (variable === undefined || file === undefined) sql = command + sql;
  else {
    const value = client.escapeLiteral(fs.readFileSync(file, "utf8").trim());
    sql = sql.replaceAll(`:'${variable}'`, () => value);
  }
  const result: unknown = await client.query(sql);
  for (const { rows } of [result].flat() as { rows?: Record<string, unknown>[] }[]) {
    rows?.forEach((row) => console.log(Object.values(row).join("|")));
  }
  await client.end();
}

psql(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`psql: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
