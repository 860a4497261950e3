// A client of MySQL's protocol that stops in the middle of a login, or of a change of its user.
import { createHash } from "node:crypto";
import * as net from "node:net";
import type { MariadbServer } from "../../../sandbox/mariadb-server";
import type { Credential } from "../../e2e/credential";

const CAPABILITIES = { connectWithDatabase: 0x8, protocol41: 0x200, secure: 0x8000, pluginAuth: 0x80000 };
const COMMAND = { query: 0x03, changeUser: 0x11 };
const ANSWER = { ok: 0x00, authSwitch: 0xfe, error: 0xff };
const UTF8MB4 = 45;
/** Not the server's, so that it asks for the password in another way. */
const SOME_PLUGIN = "some_other_plugin\0";

export class ProtocolClient {
  private received = Buffer.alloc(0);
  private sequence = 0;
  private closed = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: net.Socket) {
    socket.on("data", (data) => {
      this.received = Buffer.concat([this.received, data]);
      this.wake();
    });
    for (const event of ["close", "error"]) socket.on(event, () => ((this.closed = true), this.wake()));
  }

  /** Names a user to the server, and leaves open what its password is. */
  static async begin(
    server: MariadbServer,
    credential: Credential,
    database = "",
  ): Promise<{
    readonly client: ProtocolClient;
    readonly finish: () => Promise<"in" | "refused" | "closed">;
  }> {
    const client = new ProtocolClient(net.connect(server.port, server.host));
    await client.next();
    const head = Buffer.alloc(32);
    const { connectWithDatabase, protocol41, secure, pluginAuth } = CAPABILITIES;
    head.writeUInt32LE(protocol41 | secure | pluginAuth | (database ? connectWithDatabase : 0), 0);
    head.writeUInt32LE(0x1000000, 4);
    head[8] = UTF8MB4;
    const named = `${credential.username}\0\0${database && `${database}\0`}${SOME_PLUGIN}`;
    client.answer(Buffer.concat([head, Buffer.from(named)]));
    const salt = await client.saltAsked();
    const finish = async () => {
      if (!client.closed) client.answer(scramble(credential.password, salt));
      const answer = await client.next();
      return answer === undefined ? "closed" : answer[0] === ANSWER.ok ? "in" : "refused";
    };
    return { client, finish };
  }

  /** Asks to become another user, and leaves open what its password is; the function gives a wrong one. */
  async beginChangeOfUser(user: string): Promise<() => Promise<"in" | "refused" | "closed">> {
    const named = Buffer.from(`${user}\0\0\0`);
    this.command(
      COMMAND.changeUser,
      Buffer.concat([named, Buffer.from([UTF8MB4, 0]), Buffer.from(SOME_PLUGIN)]),
    );
    await this.saltAsked();
    return async () => {
      if (!this.closed) this.answer(Buffer.alloc(20, 7));
      const answer = await this.next();
      return answer === undefined ? "closed" : answer[0] === ANSWER.ok ? "in" : "refused";
    };
  }

  /** Whether the server did it. */
  async does(sql: string): Promise<boolean> {
    if (this.closed) return false;
    this.command(COMMAND.query, Buffer.from(sql));
    const answer = await this.next();
    return answer !== undefined && answer[0] !== ANSWER.error;
  }

  end(): void {
    this.socket.destroy();
  }

  private async saltAsked(): Promise<Buffer> {
    const request = await this.next();
    if (request?.[0] !== ANSWER.authSwitch) {
      throw new Error("the server did not ask for another way to log in");
    }
    return request.subarray(request.indexOf(0, 1) + 1).subarray(0, 20);
  }

  private command(code: number, payload: Buffer): void {
    this.socket.write(packet(0, Buffer.concat([Buffer.from([code]), payload])));
  }

  private answer(payload: Buffer): void {
    this.socket.write(packet(this.sequence + 1, payload));
  }

  /** Content of the next packet; undefined once the server has gone. */
  private async next(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.received.length < 4 ? Infinity : 4 + this.received.readUIntLE(0, 3);
      if (this.received.length >= end) {
        this.sequence = this.received[3] ?? 0;
        const payload = this.received.subarray(4, end);
        this.received = this.received.subarray(end);
        return payload;
      }
      if (this.closed) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
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
