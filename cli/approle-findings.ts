import type { EnvironmentOutputs } from "../stacks/outputs";
import { policiesOf, settingDifferences, type AppRoleSurvey, type ForeignAppRole } from "./approle-survey";
import type { Finding } from "./finding";
import type { Inventory } from "./inventory";
import type { LockedAppRole } from "./locked-approles";
import { counted, listed } from "./text";
import { rolesOpenedBy, undeclaredAppRoles, type UndeclaredAppRole } from "./undeclared-approles";

/** Where AppRoles, and the policies of their tokens, are not as they were declared. */
export function appRoleFindings(
  environment: string,
  outputs: EnvironmentOutputs,
  { tokens }: Inventory,
  found: AppRoleSurvey,
  deploy: string,
): Finding[] {
  const undeclared = undeclaredAppRoles(outputs, tokens).filter(({ name }) => found.gone.includes(name));
  return [
    ...undeclared.map((approle) => undeclaredFinding(environment, approle)),
    ...found.foreign.map((approle) => foreignFinding(environment, outputs, approle)),
    ...changedAppRoles(outputs, found, deploy),
    ...policyFindings(outputs, found, deploy),
  ];
}

/** Nobody logs in with it any more; what has logged in before goes on until its tokens end, with new credentials, too. */
function undeclaredFinding(environment: string, { name, tokens, roles }: UndeclaredAppRole): Finding {
  const reads = roles.length === 0 ? "" : `, which may read ${listed(roles)}`;
  return {
    kind: "undeclared-approle",
    subject: name,
    detail: `it is neither declared nor in the auth method any more, and has ${counted(tokens, "token")}${reads}`,
    remedy: `To end its tokens and their credentials: vault-postgres revoke ${environment} --approle ${name}`,
  };
}

function foreignFinding(
  environment: string,
  outputs: EnvironmentOutputs,
  { name, policies }: ForeignAppRole,
): Finding {
  const roles = rolesOpenedBy(outputs, new Set(policies));
  const reads = roles.length === 0 ? "" : `, by which it may read ${listed(roles)}`;
  const mount = outputs.vault.approle_mount;
  return {
    kind: "undeclared-approle",
    subject: name,
    detail: `the environment does not declare it, and its tokens have the policy ${listed(policies)}${reads}`,
    remedy:
      `Find out who made it. To end it: vault delete auth/${mount}/role/${name}; then its tokens, if it has any: vault-postgres ` +
      `revoke ${environment} --approle ${name}`,
  };
}

function changedAppRoles({ approles }: EnvironmentOutputs, found: AppRoleSurvey, deploy: string): Finding[] {
  return Object.entries(approles).flatMap(([subject, { role_id, settings = {} }]): Finding[] => {
    const approle = found.approles.get(subject);
    if (approle === undefined) return [];
    const differences = settingDifferences(settings, approle.settings);
    return [
      ...(differences.length === 0
        ? []
        : [
            {
              kind: "changed-approle" as const,
              subject,
              detail: `not as it was declared: ${differences.join("; ")}`,
              remedy: `Find out who changed it; tokens that it has issued keep what they have. ${deploy}`,
            },
          ]),
      ...(approle.roleId === role_id
        ? []
        : [
            {
              kind: "changed-approle" as const,
              subject,
              detail:
                "it has another RoleID than the outputs: with the one that was handed out nobody logs in",
              remedy:
                `Find out who changed it. ${deploy}, which takes the RoleID that it has into the outputs, and give its ` +
                "application that one.",
            },
          ]),
    ];
  });
}

function policyFindings(outputs: EnvironmentOutputs, found: AppRoleSurvey, deploy: string): Finding[] {
  return policiesOf(outputs).flatMap((subject): Finding[] => {
    if (!found.policies.has(subject)) return [];
    const digest = found.policies.get(subject);
    const declared = outputs.policies?.[subject];
    if (digest === undefined) {
      const holders = holdersOf(outputs, subject);
      const detail =
        holders.length === 0
          ? "Vault does not have this policy"
          : `Vault does not have this policy: tokens of ${listed(holders)} may not do what it allows`;
      // Also where the environment's own stack declares it, since an application of a group's, deployed alone, reads it.
      const elsewhere = `${deploy}, as for a role that no application read before; or, where another stack declares it, deploy that.`;
      return [
        { kind: "missing-policy", subject, detail, remedy: declared === undefined ? elsewhere : deploy },
      ];
    }
    if (declared === undefined || declared === digest) return [];
    const detail = "its text is another than was declared, and holds at once for tokens that have it";
    return [
      {
        kind: "changed-policy",
        subject,
        detail,
        remedy: `Find out who changed it, and what it allows. ${deploy}`,
      },
    ];
  });
}

/** What could not be compared, and why. */
export function appRolesNotLookedAt(
  outputs: EnvironmentOutputs,
  { forbidden, areListed }: AppRoleSurvey,
  rights: string,
): string[] {
  const older = Object.entries(outputs.approles).filter(([, { settings }]) => settings === undefined);
  const readable = policiesOf(outputs).filter((name) => !forbidden.policies.includes(name));
  const ofOthers = readable.filter((name) => outputs.policies?.[name] === undefined);
  return [
    ...(older.length === 0
      ? []
      : [
          `The settings and policies of ${listed(older.map(([name]) => name))} were not compared with the declared ones: ` +
            "an earlier deployment wrote the outputs, which do not say them. Deploy again.",
        ]),
    ...(areListed
      ? []
      : [`Whether there are AppRoles that the environment does not declare was not looked at: ${rights}`]),
    ...(forbidden.approles.length === 0
      ? []
      : [`${listed(forbidden.approles)} and the RoleID were not compared with what was declared: ${rights}`]),
    ...(forbidden.policies.length === 0
      ? []
      : [`The policies ${listed(forbidden.policies)} were not compared with the declared ones: ${rights}`]),
    ...(ofOthers.length === 0
      ? []
      : [
          `The text of the policies ${listed(ofOthers)} was not compared: the outputs do not say it. Another stack declares it, or this one was not deployed since.`,
        ]),
  ];
}

/** AppRoles whose tokens have a policy. */
function holdersOf({ approles }: EnvironmentOutputs, policy: string): string[] {
  return Object.entries(approles)
    .filter(([, { settings }]) => settings?.token_policies?.includes(policy) === true)
    .map(([name]) => name);
}

/** AppRoles that are not there, or that are locked out. */
export function shutAppRoles(
  { vault }: EnvironmentOutputs,
  { missingAppRoles, lacksAuthMethod }: Inventory,
  locked: readonly LockedAppRole[],
  deploy: string,
): Finding[] {
  const method: Finding = {
    kind: "missing-approle",
    subject: `auth/${vault.approle_mount}`,
    detail: "Vault does not have this auth method: no application can log in",
    remedy: `${deploy}. The AppRoles have other RoleIDs then, and need new SecretIDs.`,
  };
  const missing = lacksAuthMethod ? [] : missingAppRoles;
  return [
    ...(lacksAuthMethod ? [method] : []),
    ...missing.map((name): Finding => ({
      kind: "missing-approle",
      subject: name,
      detail: "the auth method does not have this AppRole: its application cannot log in",
      remedy: `${deploy}. It has another RoleID then, and needs new SecretIDs.`,
    })),
    ...locked.map(({ name, unlockPath }): Finding => ({
      kind: "locked-approle",
      subject: name,
      detail: "failed logins have locked it out: Vault answers 403 to its good SecretIDs as well",
      remedy:
        "Stop what tries with a SecretID that has ended; the lock ends by itself 15 minutes after the last try, unless " +
        `the server is set up otherwise. At once: vault write -force ${unlockPath}`,
    })),
  ];
}
