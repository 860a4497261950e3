import type { AppRoleStatus, Finding, PostgresStatus, StatusReport } from "./status-report";
import { columns, counted, lasting } from "./text";

const NONE = "-";

/** The report for people. */
export function statusText(report: StatusReport): string {
  const parts = [
    `${report.environment}: ${report.vault.mount} at ${report.vault.address}`,
    columns(
      ["CONNECTION", "ISSUES FOR"],
      report.connections.map(({ name, allowedRoles }) => [name, allowedRoles.join(", ") || NONE]),
    ),
    columns(
      ["ROLE", "LEASES", "OLDEST", "NEXT END", "READ BY"],
      report.roles.map((role) => [
        role.name,
        String(role.leases),
        time(role.oldestSeconds),
        time(role.nextEndSeconds),
        role.readers.join(", ") || NONE,
      ]),
    ),
    ...(report.staticRoles.length === 0 ? [] : [staticRoles(report)]),
    columns(
      ["APPROLE", "SECRETIDS", "TOKENS", "OLDEST", "LEASES"],
      report.approles.map((approle) => [
        approle.name,
        String(approle.secretIds),
        String(approle.tokens),
        time(approle.oldestTokenSeconds),
        leasesOf(approle),
      ]),
    ),
    ...(report.postgres === undefined ? [] : [postgres(report.postgres)]),
    ...report.notLookedAt,
    findings(report),
    ...remedies(report.findings),
  ];
  return parts.join("\n\n");
}

function postgres({ users, sessions, together }: PostgresStatus): string {
  const counts = `PostgreSQL: ${counted(users, "user")}, ${counted(sessions, "session")}.`;
  const untold = together.reduce((sum, group) => sum + group.users.length, 0);
  if (untold === 0) return counts;
  return `${counts} Of ${untold} that were made together with others, the lease cannot be told, only counted.`;
}

function staticRoles(report: StatusReport): string {
  return columns(
    ["STATIC ROLE", "LOGIN", "CHANGED", "EVERY", "READ BY"],
    report.staticRoles.map((role) => [
      role.name,
      role.username,
      `${lasting(role.rotatedSecondsAgo)} ago`,
      lasting(role.rotationPeriodSeconds),
      role.readers.join(", ") || NONE,
    ]),
  );
}

/** Such as `2`, or `2, and reader shared: 5 in all` where others may read that role too. */
function leasesOf({ leases, sharedLeases }: AppRoleStatus): string {
  const shared = Object.entries(sharedLeases).map(([role, count]) => `${role} shared: ${count} in all`);
  if (shared.length === 0) return String(leases);
  return [...(leases > 0 ? [String(leases)] : []), ...shared].join(", ");
}

function findings({ findings: found, limits }: StatusReport): string {
  if (found.length === 0) {
    const elsewhere = limits.map((limit) => `  ${limit}`);
    return ["Nothing is amiss in what was looked at. What status never looks at:", ...elsewhere].join("\n");
  }
  return columns(
    ["AMISS", "WHICH", "WHAT"],
    found.map(({ kind, subject, detail }) => [kind.replaceAll("-", " "), subject, detail]),
  );
}

/** What to do, for each thing that is amiss; once where it is the same. */
function remedies(found: readonly Finding[]): string[] {
  const all = [...new Set(found.map(({ remedy }) => remedy).filter((remedy) => remedy !== undefined))];
  if (all.length === 0) return [];
  const lines = all.map((remedy) => {
    const subjects = found.filter((finding) => finding.remedy === remedy).map(({ subject }) => subject);
    return `  ${subjects.join(", ")}:\n    ${remedy}`;
  });
  return [["What to do:", ...lines].join("\n")];
}

function time(seconds: number | undefined): string {
  return seconds === undefined ? NONE : lasting(seconds);
}
