/**
 * Inserts a person now and then and says as whom, through as many changes of credentials as there are:
 *
 *   CREDENTIALS_FILE=/run/vault_ecto/credentials.json PGSSLMODE=disable npx tsx application.ts
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RotatingPool } from "./rotating-pool";

async function main(): Promise<void> {
  const people = await RotatingPool.open({
    file: process.env.CREDENTIALS_FILE ?? "/run/vault_ecto/credentials.json",
    ssl: process.env.PGSSLMODE !== "disable",
    onRotation: (username) => console.log(`now as ${username}`),
    onError: (error) => console.error(`new credentials cannot be used yet: ${error.message}`),
  });
  let running = true;
  const stop = () => (running = false);
  process.once("SIGINT", stop).once("SIGTERM", stop);

  await people.query("CREATE SCHEMA IF NOT EXISTS ecto");
  await people.query(
    "CREATE TABLE IF NOT EXISTS ecto.person (id serial PRIMARY KEY, first_name text, last_name text, age int)",
  );
  while (running) {
    await people.query("INSERT INTO ecto.person (first_name, last_name, age) VALUES ($1, $2, $3)", [
      "foo",
      "bar",
      42,
    ]);
    const { rows } = await people.query<{ count: string }>("SELECT count(*) FROM ecto.person");
    console.log(`${rows[0]?.count} people, asked by ${people.username}`);
    await sleep(1000);
  }
  await people.close();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
