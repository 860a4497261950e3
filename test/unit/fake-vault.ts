import * as net from "node:net";
import * as tls from "node:tls";
import { OUTPUTS, policyText } from "./operator-outputs";

/** A request as it came. */
export interface Seen {
  readonly method: string;
  /** Below `/v1/`, with its query. */
  readonly path: string;
  readonly token?: string;
  readonly namespace?: string;
  readonly wrapped: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer as its bytes; what comes after it is cut off. */
export type Answer = string;

/** How often a server that drips says a little more, in milliseconds. */
const DRIP_MS = 20;

type Body = Readonly<Record<string, unknown>>;

/** An answer with its length, and the connection closed behind it. */
export function http(
  status: number | string,
  headers: Readonly<Record<string, string>>,
  text: string,
): Answer {
  const all = { "Content-Length": String(Buffer.byteLength(text)), Connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n${text}`;
}

export const json = (status: number, body: unknown) =>
  http(`${status} Status`, { "Content-Type": "application/json" }, JSON.stringify(body));
export const NOTHING = http("204 No Content", {}, "");
export const NOT_THERE = json(404, { errors: [] });

const envelope = (parts: Body) =>
  json(200, {
    ...{ request_id: "r", lease_id: "", renewable: false, lease_duration: 0 },
    ...{ data: null, wrap_info: null, warnings: null, auth: null, ...parts },
  });
const data = (fields: Body) => envelope({ data: fields });
const keys = (names: readonly string[]) => (names.length === 0 ? NOT_THERE : data({ keys: names }));

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

export const HEALTH = { initialized: true, sealed: false, standby: false };

/**
 * A server that answers as Vault does for the environment {@link OUTPUTS}, with two leases, a token and two SecretIDs; or as
 * it is told to. By hand, for Node's own server knows no LIST and sends no half answers.
 */
export class FakeVault {
  readonly seen: Seen[] = [];
  /** What is answered instead; undefined for the usual answer. */
  instead: (request: Seen, index: number) => Answer | undefined = () => undefined;
  address = "";
  /** Whether nothing is answered. */
  isSilent = false;
  /** Part of a path at which nothing is answered. */
  silentAt: string | undefined;
  /** What is said again and again after the beginning of an answer, which so never ends. */
  drips: { readonly beginning: string; readonly drop: string } | undefined;
  private readonly server: net.Server;
  private leases = ["x/database/creds/reader/one", "x/database/creds/writer/two"];
  private secretIds: Record<string, string[]> = { api: ["s1"], reports: ["s2"] };
  private tokens = ["a1"];
  private allowed = ["reader", "writer", "legacy"];
  private readonly wrapped = new Map<string, Answer>();
  private readonly wrappedBy = new Map<string, string>();

  /** @param certificate for a server that speaks TLS */
  static async start(certificate?: { readonly cert: string; readonly key: string }): Promise<FakeVault> {
    const fake = new FakeVault(certificate);
    await new Promise<void>((resolve) => fake.server.listen(0, "127.0.0.1", resolve));
    const { port } = fake.server.address() as net.AddressInfo;
    fake.address = `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`;
    return fake;
  }

  private constructor(certificate?: { readonly cert: string; readonly key: string }) {
    const serve = (socket: net.Socket) => this.serve(socket);
    this.server = certificate === undefined ? net.createServer(serve) : tls.createServer(certificate, serve);
  }

  /** How many leases there are. */
  get leasesLeft(): number {
    return this.leases.length;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private serve(socket: net.Socket): void {
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString();
      const request = parse(text);
      if (request === undefined) return;
      text = "";
      const index = this.seen.push(request) - 1;
      const isSilentHere = this.silentAt !== undefined && request.path.includes(this.silentAt);
      if (this.isSilent || isSilentHere) return;
      if (this.drips !== undefined) return drip(socket, this.drips);
      socket.end(this.instead(request, index) ?? this.usual(request));
    });
  }

  private usual(request: Seen): Answer {
    const { method, path, body } = request;
    const answer = this.answer(method, path.split("?")[0] ?? "", body, request.token);
    if (!request.wrapped || !answer.startsWith("HTTP/1.1 200")) {
      return answer === NOT_THERE && request.wrapped ? json(404, { errors: ["unsupported path"] }) : answer;
    }
    const token = `w${this.wrapped.size}`;
    this.wrapped.set(token, answer);
    this.wrappedBy.set(token, path);
    return json(200, {
      ...{ request_id: "", lease_id: "", renewable: false, lease_duration: 0, data: null },
      wrap_info: { token, creation_path: path, ttl: 60 },
    });
  }

  private answer(method: string, path: string, body: Body, token = ""): Answer {
    const { mount } = OUTPUTS.vault;
    const [, role = ""] = /^auth\/x\/approle\/role\/(\w+)/.exec(path) ?? [];
    const [, policy = ""] = /^sys\/policies\/acl\/x\/database\/creds\/(\w+)$/.exec(path) ?? [];
    switch (`${method} ${path.replace(role === "" ? "#" : `role/${role}`, "role/<role>")}`) {
      case "GET sys/health":
        return json(200, HEALTH);
      case "GET sys/leader":
        return json(200, { ha_enabled: false });
      case "GET sys/leases":
        return data({ lease_count: 0, leases: [] });
      case `LIST sys/leases/lookup/${mount}/creds`:
        return keys([...new Set(this.leases.map((id) => `${id.split("/").at(-2)}/`))]);
      case `LIST sys/leases/lookup/${mount}/creds/reader`:
      case `LIST sys/leases/lookup/${mount}/creds/writer`: {
        const prefix = path.replace("sys/leases/lookup/", "");
        return keys(
          this.leases.filter((id) => id.startsWith(`${prefix}/`)).map((id) => id.slice(prefix.length + 1)),
        );
      }
      case "PUT sys/leases/lookup": {
        if (!this.leases.includes(String(body.lease_id))) return json(400, { errors: ["invalid lease"] });
        const [issue_time, expire_time] = [-1, 1].map((sign) => inSeconds(sign * 1_800));
        return data({ id: body.lease_id, issue_time, expire_time, ttl: 1_800 });
      }
      case `LIST ${mount}/config`:
        return keys(["x"]);
      case `GET ${mount}/config/x`:
        return data({
          allowed_roles: this.allowed,
          connection_details: { connection_url: OUTPUTS.vault.connection_url, username: "x_manager" },
        });
      case `PUT ${mount}/config/x`:
        this.allowed = body.allowed_roles as string[];
        return NOTHING;
      case `GET sys/mounts/${mount}`:
        return data({ type: "database", description: "" });
      case `LIST ${mount}/roles`:
        return keys(["reader", "writer"]);
      case `GET ${mount}/roles/reader`:
      case `GET ${mount}/roles/writer`:
        return data({
          ...{ db_name: "x", default_ttl: 3_600, max_ttl: 86_400 },
          creation_statements: ["CREATE"],
          ...{ renew_statements: ["ALTER"], revocation_statements: ["DROP"] },
        });
      case `LIST ${mount}/static-roles`:
        return keys(["legacy"]);
      case `GET ${mount}/static-roles/legacy`:
        return data({
          ...{ username: "x_legacy", db_name: "x", rotation_statements: [] },
          last_vault_rotation: "2026-11-28T00:00:00Z",
        });
      case "GET sys/locked-users":
        return data({ total: 0, by_namespace: null });
      case "LIST auth/token/accessors":
        return keys(["root", ...this.tokens]);
      case "PUT auth/token/lookup-accessor":
        if (body.accessor === "root")
          return data({ path: "auth/token/root", creation_time: 1, policies: ["root"], meta: null });
        return data({
          path: "auth/x/approle/login",
          creation_time: 1_795_000_000,
          policies: ["default", "x/database/creds/reader"],
          meta: { role_name: "api" },
        });
      case "PUT auth/token/revoke-accessor":
        this.tokens = [];
        this.leases = this.leases.filter((id) => id.includes("/reader/"));
        return NOTHING;
      case "GET auth/x/approle/role/<role>":
        return data({ ...OUTPUTS.approles[role]?.settings, secret_id_bound_cidrs: ["10.0.0.1"] });
      case "GET auth/x/approle/role/<role>/role-id":
        return data({ role_id: "1" });
      case `GET sys/policies/acl/x/database/creds/${policy}`:
        return data({ name: policy, policy: policyText(policy) });
      case "LIST auth/x/approle/role/<role>/secret-id":
        return keys(this.secretIds[role] ?? []);
      case "PUT auth/x/approle/role/<role>/secret-id":
        return data({ secret_id: "the-secret-id", secret_id_accessor: "s3" });
      case "LIST auth/x/approle/role":
        return keys(Object.keys(OUTPUTS.approles));
      case "PUT auth/x/approle/role/<role>/secret-id-accessor/destroy":
        this.secretIds[role] = [];
        return NOTHING;
      case "PUT sys/wrapping/lookup":
        return data({ creation_path: this.wrappedBy.get(token), creation_ttl: 60 });
      case "PUT sys/wrapping/unwrap":
        return this.wrapped.get(token) ?? json(400, { errors: ["wrapping token is not valid"] });
      case "PUT sys/leases/revoke":
        this.leases = this.leases.filter((id) => id !== body.lease_id);
        return NOTHING;
      case `PUT sys/leases/revoke-prefix/${mount}/creds`:
      case `PUT sys/leases/revoke-prefix/${mount}/creds/reader`:
      case `PUT sys/leases/revoke-prefix/${mount}/creds/reader/one`:
      case `PUT sys/leases/revoke-prefix/${mount}/creds/writer/two`: {
        const prefix = path.replace("sys/leases/revoke-prefix/", "");
        this.leases = this.leases.filter((id) => !`${id}/`.startsWith(`${prefix}/`));
        return NOTHING;
      }
      case `PUT ${mount}/rotate-root/x`:
      case `PUT ${mount}/rotate-role/legacy`:
        return NOTHING;
      default:
        return json(404, { errors: [`no handler for route "${path}". route entry not found.`] });
    }
  }
}

function drip(socket: net.Socket, { beginning, drop }: { beginning: string; drop: string }): void {
  socket.write(beginning);
  const timer = setInterval(() => socket.write(drop), DRIP_MS);
  socket.on("close", () => clearInterval(timer));
}

/** Undefined for as long as it is not all there. */
function parse(text: string): Seen | undefined {
  const [head = "", payload] = text.split(/\r\n\r\n(.*)/s);
  if (payload === undefined) return undefined;
  const [line = "", ...rest] = head.split("\r\n");
  const headers = new Map(
    rest.map((each) => each.split(": ")).map(([name = "", value]) => [name.toLowerCase(), value]),
  );
  if (Buffer.byteLength(payload) < Number(headers.get("content-length") ?? 0)) return undefined;
  const [method = "", target = ""] = line.split(" ");
  return {
    method,
    path: target.replace("/v1/", ""),
    token: headers.get("x-vault-token"),
    namespace: headers.get("x-vault-namespace"),
    wrapped: headers.has("x-vault-wrap-ttl"),
    body: payload === "" ? {} : (JSON.parse(payload) as Body),
  };
}
