import { Lazy } from "cdktf";
import type { DatabaseSecretBackendRole } from "@cdktf/provider-vault/lib/database-secret-backend-role";
import { GenericEndpoint } from "@cdktf/provider-vault/lib/generic-endpoint";
import type { Construct } from "constructs";
import { dependOn, type MayBeLeftOut } from "../dependencies";
import { alwaysIgnoring } from "../keep-ignoring";
import { templateJson, type Templates } from "./template-json";

type Settings = Readonly<Record<string, Templates>>;

const STATEMENTS = [
  ...(["creation_statements", "renew_statements", "revocation_statements", "rollback_statements"] as const),
];
const TTLS = ["default_ttl", "max_ttl"];
/** What the role's own resource leaves to {@link WholeRole} once the role is made. */
const WRITTEN_WHOLE = [...STATEMENTS, ...TTLS, "credential_type", "credential_config"];
/** Arguments of Terraform's own that say whether, how often and by which provider the role is made. */
const AS_OF_THE_ROLE = ["count", "for_each", "provider"];

/**
 * Writes a dynamic role with all that it holds whenever something of it changes.
 *
 * The role's own resource sends a change without the rest, which an engine that replaces what is written, such as Vault 2.0,
 * forgets (terraform-provider-vault#2966): without its TTLs a role issues credentials for 32 days, without its SQL it cannot
 * end them. So that resource makes and deletes the role, and ignores changes; this one writes them, each in one request, on
 * every engine alike. It takes all from the resource, with what a user has overridden there.
 */
export class WholeRole extends GenericEndpoint implements MayBeLeftOut {
  private readonly role: DatabaseSecretBackendRole;

  constructor(scope: Construct, role: DatabaseSecretBackendRole) {
    super(scope, "Whole", {
      path: Lazy.stringValue({
        produce: (context) => pathOf(context.resolve(settingsOf(role)) as Settings),
      }),
      dataJson: Lazy.stringValue({
        produce: (context) => dataOf(context.resolve(settingsOf(role)) as Settings),
      }),
      // Fields that an engine adds, or does not know, are no difference.
      ignoreAbsentFields: true,
      // The role's own resource deletes it.
      disableDelete: true,
      namespace: role.namespaceInput,
      provider: role.provider,
    });
    this.role = role;
    // Without the list the role's own resource would send what changes, without the rest. What the user names again is what the user
    // ignores, also in what is written whole.
    alwaysIgnoring(role, (theirs) =>
      theirs === "all" || startsWithOurs(theirs) ? theirs : [...WRITTEN_WHOLE, ...theirs],
    );
    dependOn(this, role);
  }

  /** Moved by its user, or left alone altogether. */
  get isLeftOut(): boolean {
    const settings = settingsOf(this.role);
    return settings === undefined || ignored(settings) === "all";
  }

  override toTerraform(): unknown {
    const settings = settingsOf(this.role);
    if (settings === undefined || this.isLeftOut) return {};
    for (const name of AS_OF_THE_ROLE.filter((each) => settings[each] !== undefined)) {
      this.addOverride(name, settings[name]);
    }
    return super.toTerraform() as unknown;
  }
}

/** The resource's arguments as they are synthesized, overrides included; tokens in them are not resolved. */
function settingsOf(role: DatabaseSecretBackendRole): Settings | undefined {
  const { resource } = role.toTerraform() as {
    resource?: Readonly<Record<string, Readonly<Record<string, Settings>>>>;
  };
  return resource?.[role.terraformResourceType]?.[role.friendlyUniqueId];
}

function pathOf(settings: Settings): string {
  return `${settings.backend as string}/roles/${settings.name as string}`;
}

function dataOf(settings: Settings): string {
  const all: Settings = {
    db_name: settings.db_name ?? "",
    ...Object.fromEntries(STATEMENTS.map((name) => [name, settings[name] ?? []])),
    ...Object.fromEntries(TTLS.map((name) => [name, settings[name] ?? 0])),
    // Left out, an engine keeps what somebody has set by hand.
    credential_type: settings.credential_type ?? "password",
    // Of another type it has settings of its own, which would be a difference for ever.
    ...((settings.credential_type ?? "password") === "password" || settings.credential_config !== undefined
      ? { credential_config: settings.credential_config ?? {} }
      : {}),
  };
  const left = ignored(settings);
  return templateJson(Object.fromEntries(Object.entries(all).filter(([name]) => !left.includes(name))), TTLS);
}

/** What a user has Terraform ignore in the role, besides what this library has: it stays as it is on the engine. */
function ignored({ lifecycle }: Settings): "all" | readonly string[] {
  const list = (lifecycle as { ignore_changes?: "all" | readonly string[] } | undefined)?.ignore_changes;
  if (list === undefined || list === "all") return list ?? [];
  return startsWithOurs(list) ? list.slice(WRITTEN_WHOLE.length) : list;
}

function startsWithOurs(list: readonly string[]): boolean {
  return WRITTEN_WHOLE.every((name, index) => list[index] === name);
}
