// A client of MySQL's protocol that stops in the middle of its login.
import { createHash } from "node:crypto";
import * as net from "node:net";
import type { MariadbServer } from "../../../sandbox/mariadb-server";
import type { Credential } from "../../e2e/credential";

const PROTOCOL_41 = 0x200;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH = 0x80000;
const AUTH_SWITCH = 0xfe;
const OK = 0x00;

/**
 * Names the user to the server, which asks for the password in another way than the client proposes, and leaves that open.
 * The function sends the right answer and tells what became of it.
 */
export async function slowLogin(
  server: MariadbServer,
  { username, password }: Credential,
): Promise<() => Promise<"in" | "refused" | "closed">> {
  const socket = net.connect(server.port, server.host);
  const packets: Buffer[] = [];
  let wake: () => void = () => undefined;
  let closed = false;
  socket.on("data", (data) => {
    packets.push(data);
    wake();
  });
  for (const event of ["close", "error"]) socket.on(event, () => ((closed = true), wake()));
  const next = async (): Promise<Buffer | undefined> => {
    while (packets.length === 0 && !closed) await new Promise<void>((resolve) => (wake = resolve));
    return packets.shift();
  };
  await next();
  socket.write(packet(1, handshakeResponse(username)));
  const request = await next();
  if (request?.[4] !== AUTH_SWITCH) throw new Error("the server did not ask for another way to log in");
  const salt = request.subarray(request.indexOf(0, 5) + 1).subarray(0, 20);
  return async () => {
    if (!closed) socket.write(packet((request[3] ?? 0) + 1, scramble(password, salt)));
    const answer = await next();
    socket.destroy();
    if (answer === undefined) return "closed";
    return answer[4] === OK ? "in" : "refused";
  };
}

function handshakeResponse(username: string): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH, 0);
  head.writeUInt32LE(0x1000000, 4);
  head[8] = 45;
  return Buffer.concat([head, Buffer.from(`${username}\0\0some_other_plugin\0`)]);
}

function packet(sequence: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([payload.length & 0xff, payload.length >> 8, 0, sequence]), payload]);
}

/** As the plugin mysql_native_password wants it. */
function scramble(password: string, salt: Buffer): Buffer {
  const sha1 = (...parts: Buffer[]) => createHash("sha1").update(Buffer.concat(parts)).digest();
  const once = sha1(Buffer.from(password));
  const mask = sha1(salt, sha1(once));
  return Buffer.from(once.map((byte, index) => byte ^ mask[index]!));
}
