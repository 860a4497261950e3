import { describeWithMariadb } from "../e2e/mariadb";
import { FaultTable } from "./fault-table";
import { testChangedRoles } from "./mysql/changed-roles";
import { RevocationFixture } from "./mysql/fixture";
import { testNamesAndModes } from "./mysql/names-and-modes";
import { testPreparedTransactions } from "./mysql/prepared-transactions";
import { testRemains } from "./mysql/remains";
import { testSessions } from "./mysql/sessions";

jest.setTimeout(60_000);

// One server for all.
describeWithMariadb("revocation on MariaDB", () => {
  const fixture = new RevocationFixture();
  beforeAll(() => fixture.start());
  afterAll(() => fixture.stop());

  const table = new FaultTable("mysql-revocation");
  testChangedRoles(fixture, table);
  testNamesAndModes(fixture, table);
  testPreparedTransactions(fixture, table);
  testRemains(fixture, table);
  testSessions(fixture, table);
  table.isDocumented();
});
