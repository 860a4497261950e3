/** The echo server: CONFIGURATION_FILE=/run/echoserver/database.json npx tsx application.ts */
import { readFileSync } from "node:fs";
import { EchoServer } from "./echo-server";

async function main(): Promise<void> {
  const { CONFIGURATION_FILE, ECHO_PORT, MYSQL_CA_FILE } = process.env;
  const server = await EchoServer.start({
    configurationFile: CONFIGURATION_FILE ?? "/run/echoserver/database.json",
    port: Number(ECHO_PORT ?? 25_000),
    caCertificate: MYSQL_CA_FILE ? readFileSync(MYSQL_CA_FILE, "utf8") : undefined,
    log: (line) => console.log(line),
  });
  console.log(`echoserver on port ${server.port}`);
  const stop = () => void server.close();
  process.once("SIGINT", stop).once("SIGTERM", stop);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
