// vault_database_secret_backend_static_role
import type { Value } from "../protocol/values";
import type { Attributes } from "../resource/attributes";
import type { AttributeError, ResourceType } from "../resource/type";
import { segments, trimSlashes } from "./paths";
import type { Data, VaultServer } from "./server";

/** Read back under the same name, where the server says it. */
const SETTINGS = ["db_name", "rotation_statements", "rotation_period", "credential_type"];
/** What the state has where the server says nothing; a schedule made by hand shows as drift. */
const WITHOUT_SCHEDULE = { rotation_schedule: "", rotation_window: 0 };
const SHORTEST_PERIOD_SECONDS = 5;

export const databaseStaticRole: ResourceType<VaultServer> = {
  facts: {
    serves: ["id", "namespace", "backend", "name", "username", ...SETTINGS],
    computed: ["credential_type"],
    sensitive: ["self_managed_password"],
    writeOnly: ["password_wo"],
    forceNew: ["name", "backend", "username", "db_name", "namespace"],
  },
  importable: true,

  validate(config): AttributeError[] {
    const period = config.number("rotation_period");
    return config.isSet("rotation_period") && period < SHORTEST_PERIOD_SECONDS
      ? [{ attribute: "rotation_period", summary: `a rotation period is 5 seconds or more, not ${period}` }]
      : [];
  },

  async create(server, wanted) {
    return write(server, wanted);
  },

  async read(server, id, known) {
    const found = await server.read(id, known.text("namespace"));
    if (found === undefined) {
      return undefined;
    }
    const [, backend, name] = segments(/^(.+)\/static-roles\/(.+)$/, id);
    const said = [...SETTINGS, ...Object.keys(WITHOUT_SCHEDULE)].filter((each) => found[each] !== undefined);
    const settings = Object.fromEntries(said.map((each) => [each, found[each] as Value]));
    return {
      attributes: { backend, name, username: found.username as Value, ...WITHOUT_SCHEDULE, ...settings },
    };
  },

  async update(server, _id, wanted) {
    return write(server, wanted);
  },

  // The login itself stays, with its last password.
  async delete(server, id, known) {
    await server.delete(id, known.text("namespace"));
  },
};

/** The server sets a password when the role is new, and keeps it when the role is written again. */
async function write(server: VaultServer, wanted: Attributes): Promise<string> {
  const path = `${trimSlashes(wanted.text("backend"))}/static-roles/${trimSlashes(wanted.text("name"))}`;
  const data: Data = {
    username: wanted.text("username"),
    db_name: wanted.text("db_name"),
    rotation_statements: wanted.texts("rotation_statements"),
    ...(wanted.has("rotation_period") ? { rotation_period: wanted.number("rotation_period") } : {}),
    ...(wanted.has("credential_type") ? { credential_type: wanted.text("credential_type") } : {}),
  };
  await server.write(path, data, wanted.text("namespace"));
  return path;
}
