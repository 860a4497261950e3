import { UNKNOWN } from "../../sandbox/providers/protocol/values";
import { plan } from "../../sandbox/providers/resource/plan";
import { newState } from "../../sandbox/providers/resource/state";
import type { BlockFacts, BlockSchema } from "../../sandbox/providers/schema/types";

const SCHEMA: BlockSchema = {
  attributes: {
    id: { type: "string", optional: true, computed: true },
    name: { type: "string", required: true },
    limit: { type: "number", optional: true },
    login: { type: "bool", optional: true },
    owner: { type: "string", optional: true, computed: true },
    secret: { type: "string", optional: true, writeOnly: true },
    members: { type: ["set", "string"], optional: true },
  },
  blocks: {
    details: {
      nesting: "list",
      maxItems: 1,
      block: {
        attributes: {
          size: { type: "number", optional: true },
          label: { type: "string", optional: true },
          secret: { type: "string", optional: true, writeOnly: true },
        },
        blocks: {},
      },
    },
  },
};
const FACTS: BlockFacts = { serves: [], defaults: { limit: -1 }, forceNew: ["name"] };
const PRIOR = {
  id: "a",
  name: "a",
  limit: -1,
  login: false,
  owner: "postgres",
  secret: null,
  members: [],
  details: [],
};

describe("a planned creation", () => {
  const { planned, replace } = plan({
    schema: SCHEMA,
    facts: FACTS,
    prior: null,
    config: {
      name: "a",
      login: false,
      secret: "hunter2",
      members: ["b", "a"],
      details: [{ secret: "hunter2" }],
    },
  });

  it("leaves to the server what the server fills in, and takes defaults for the rest", () => {
    expect(planned).toMatchObject({ id: UNKNOWN, owner: UNKNOWN, limit: -1, login: false });
  });

  it("holds no write-only value, on any level", () => {
    expect(planned.secret).toBeNull();
    expect(JSON.stringify(planned)).not.toContain("hunter2");
  });

  it("orders sets as Terraform does, and replaces nothing", () => {
    expect(planned.members).toEqual(["a", "b"]);
    expect(replace).toEqual([]);
  });
});

describe("a planned change", () => {
  const change = (config: object) =>
    plan({ schema: SCHEMA, facts: FACTS, prior: PRIOR, config: { name: "a", details: [], ...config } });

  it("is none where absent and empty values are all that differs", () => {
    expect(change({ members: null, login: null })).toEqual({ planned: PRIOR, replace: [] });
  });

  it("keeps what the server filled in", () => {
    expect(change({ login: true }).planned).toEqual({ ...PRIOR, login: true });
  });

  it("goes back to the default when a setting is taken away", () => {
    const prior = { ...PRIOR, limit: 7 };
    const { planned } = plan({ schema: SCHEMA, facts: FACTS, prior, config: { name: "a", details: [] } });
    expect(planned.limit).toBe(-1);
  });

  it("replaces the object where the attribute cannot change, and only there", () => {
    expect(change({ name: "b" }).replace).toEqual(["name"]);
    expect(change({ login: true }).replace).toEqual([]);
  });

  it("sees a drifted set", () => {
    const prior = { ...PRIOR, members: ["x"] };
    const { planned } = plan({ schema: SCHEMA, facts: FACTS, prior, config: { name: "a", details: [] } });
    expect(planned.members).toEqual([]);
  });
});

describe("the state", () => {
  const planned = {
    ...PRIOR,
    members: null,
    owner: UNKNOWN,
    details: [{ size: 3, label: null, secret: null }],
  };
  const answer = { id: "a", owner: "me", members: [], details: [{ size: 3 }] };

  it("keeps an absent collection absent after an apply, and has it empty after a refresh", () => {
    expect(newState(SCHEMA, planned, answer, "apply").members).toBeNull();
    expect(newState(SCHEMA, planned, answer, "refresh").members).toEqual([]);
  });

  it("has zero values for what a block's answer does not say, and never a write-only value", () => {
    expect(newState(SCHEMA, planned, answer, "apply").details).toEqual([
      { size: 3, label: "", secret: null },
    ]);
  });

  it("holds nothing that is unknown", () => {
    expect(newState(SCHEMA, planned, { id: "a" }, "apply").owner).toBeNull();
  });
});
