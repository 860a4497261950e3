/** Resources of a synthesized stack, by type and name. */
export type Resources = Readonly<Record<string, Readonly<Record<string, Settings>>>>;
export type Settings = Readonly<Record<string, unknown>>;

/** A resource, and what Terraform is to do about it when the state is lost. */
export type Recovery =
  | { readonly address: string; readonly way: "import"; readonly id: string }
  /** Written into the state as the provider would; its next plan looks whether it stands. */
  | { readonly address: string; readonly way: "record"; readonly id: string; readonly attributes: Settings }
  /** Making it again changes nothing where it stands. */
  | { readonly address: string; readonly way: "deploy" }
  | { readonly address: string; readonly way: "by hand"; readonly reason: string };

const MEMBERSHIP = "postgresql_grant_role";
/** Terraform's own, on no server: whose the state is. */
const STATE_OWNER = "terraform_data";

/** How the providers form the id that `terraform import` takes, by type, in the order to import them in. */
const IDS: Readonly<Record<string, (text: (name: string) => string) => string>> = {
  postgresql_role: (text) => text("name"),
  postgresql_database: (text) => text("name"),
  postgresql_schema: (text) => `${text("database")}.${text("name")}`,
  vault_mount: (text) => text("path"),
  vault_audit: (text) => text("path"),
  vault_auth_backend: (text) => text("path"),
  vault_policy: (text) => text("name"),
  vault_quota_rate_limit: (text) => text("name"),
  vault_database_secret_backend_connection: (text) => `${text("backend")}/config/${text("name")}`,
  vault_database_secret_backend_role: (text) => `${text("backend")}/roles/${text("name")}`,
  vault_database_secret_backend_static_role: (text) => `${text("backend")}/static-roles/${text("name")}`,
  vault_approle_auth_backend_role: (text) => `auth/${text("backend")}/role/${text("role_name")}`,
};

/**
 * The provider cannot import the first two, and grants again what is granted. Importing a secret of a key-value engine
 * would write the secret into the state. A generic endpoint writes to its path what stands there, or has to; data is in the state only.
 */
const MADE_AGAIN = [
  ...["postgresql_grant", "postgresql_default_privileges", "vault_kv_secret_v2"],
  "vault_generic_endpoint",
];

/** What is to be done about each resource of a stack, those that others stand on first. */
export function recoveries(resources: Resources): Recovery[] {
  const types = [...Object.keys(IDS).filter((type) => type in resources)];
  types.push(...Object.keys(resources).filter((type) => !types.includes(type)));
  return types.flatMap((type) =>
    Object.entries(resources[type] ?? {}).map(([name, settings]) =>
      recoveryOf(type, `${type}.${name}`, settings),
    ),
  );
}

function recoveryOf(type: string, address: string, settings: Settings): Recovery {
  const byHand = (reason: string): Recovery => ({ address, way: "by hand", reason });
  if (MADE_AGAIN.includes(type)) return { address, way: "deploy" };
  if (type === STATE_OWNER) return stateOwner(address, settings);
  const form = IDS[type];
  if (form === undefined && type !== MEMBERSHIP) return byHand("this command does not know its type");
  if (settings.count !== undefined || settings.for_each !== undefined) return byHand("it is several");
  if (settings.namespace !== undefined) {
    return byHand(
      "it has a namespace of its own, which goes into TERRAFORM_VAULT_NAMESPACE_IMPORT for an import",
    );
  }
  const missing: string[] = [];
  const text = (name: string) => {
    const value = settings[name];
    // Anything with an expression in it only Terraform knows.
    if (typeof value === "string" && !/[$%]\{/.test(value)) return value;
    missing.push(name);
    return "";
  };
  const known: Recovery =
    form === undefined ? membership(address, settings, text) : { address, way: "import", id: form(text) };
  return missing.length === 0 ? known : byHand(`only Terraform knows its ${missing.join(" and ")}`);
}

/** As Terraform writes it, the type of the value beside the value. */
function stateOwner(address: string, { input }: Settings): Recovery {
  const { owner } = (input ?? {}) as { readonly owner?: unknown };
  if (typeof owner !== "string") return { address, way: "deploy" };
  const value = { value: { owner }, type: ["object", { owner: "string" }] };
  const attributes = { id: owner, input: value, output: value, triggers_replace: null };
  return { address, way: "record", id: owner, attributes };
}

/**
 * The provider has no import for it, and to make it again would revoke it first, which PostgreSQL refuses while a
 * credential lives that the member has handed it on to.
 */
function membership(address: string, settings: Settings, text: (name: string) => string): Recovery {
  const admin = settings.with_admin_option === true;
  const attributes = { role: text("role"), grant_role: text("grant_role"), with_admin_option: admin };
  const id = `${attributes.role}_${attributes.grant_role}_${admin}`;
  return { address, way: "record", id, attributes: { ...attributes, id } };
}
