import type { App } from "cdktf";
import { Aspects, TerraformStack, Testing, dependable, type TerraformResource } from "cdktf";
import { Role } from "@cdktf/provider-postgresql/lib/role";
import { PostgresqlProvider } from "@cdktf/provider-postgresql/lib/provider";
import { dependOn } from "../../lib/dependencies";

interface Body {
  readonly depends_on?: readonly string[];
}

function stackIn(app: App, name: string): TerraformStack {
  const stack = new TerraformStack(app, name);
  new PostgresqlProvider(stack, "Provider", {});
  return stack;
}

const role = (stack: TerraformStack, id: string) => new Role(stack, id, { name: id });

/** What the role `id` of a stack waits for. */
function needsOf(stack: TerraformStack, id: string): readonly string[] | undefined {
  const { resource } = JSON.parse(Testing.synth(stack)) as {
    resource: { postgresql_role: Record<string, Body> };
  };
  return resource.postgresql_role[id]?.depends_on;
}

test("a resource waits for each of what it depends on once, in order", () => {
  const stack = stackIn(Testing.app(), "stack");
  const [waiting, first, second] = ["waiting", "first", "second"].map((id) => role(stack, id));
  dependOn(waiting!, second, undefined, first);
  dependOn(waiting!, first, second);
  expect(needsOf(stack, "waiting")).toEqual(["postgresql_role.second", "postgresql_role.first"]);
});

test("what a user has set before, or sets later, is kept", () => {
  const stack = stackIn(Testing.app(), "stack");
  const [first, second, third, fourth] = ["first", "second", "third", "fourth"].map((id) => role(stack, id));
  const waiting = new Role(stack, "waiting", { name: "waiting", dependsOn: [first!] });
  dependOn(waiting, second);
  waiting.dependsOn = [...(waiting.dependsOn ?? []), dependable(third!)];
  dependOn(waiting, fourth, second);
  expect(needsOf(stack, "waiting")).toEqual(
    ["first", "second", "third", "fourth"].map((id) => `postgresql_role.${id}`),
  );
});

test("an address is what it is at synthesis", () => {
  const stack = stackIn(Testing.app(), "stack");
  const [waiting, first] = ["waiting", "first"].map((id) => role(stack, id));
  dependOn(waiting!, first);
  first!.overrideLogicalId("renamed");
  expect(needsOf(stack, "waiting")).toEqual(["postgresql_role.renamed"]);
});

test("a resource of another stack is referred to as CDKTF does", () => {
  const across = (depend: (waiting: TerraformResource, on: Role) => void) => {
    const app = Testing.app();
    const other = role(stackIn(app, "other"), "other");
    const stack = stackIn(app, "stack");
    depend(role(stack, "waiting"), other);
    app.node.findAll().forEach((node) => TerraformStack.isStack(node) && node.prepareStack());
    return Testing.synth(stack);
  };
  const theirs = across((waiting, on) => (waiting.dependsOn = [dependable(on)]));
  expect(across(dependOn)).toEqual(theirs);
  expect(theirs).toContain("terraform_remote_state");
});

test("an aspect may add to what a resource waits for", () => {
  const stack = stackIn(Testing.app(), "stack");
  const [waiting, first, second] = ["waiting", "first", "second"].map((id) => role(stack, id));
  dependOn(waiting!, first);
  Aspects.of(stack).add({
    visit: (node) => {
      if (node === waiting) waiting.dependsOn?.push(dependable(second!));
    },
  });
  expect(needsOf(stack, "waiting")).toEqual(["postgresql_role.first", "postgresql_role.second"]);
});

test("a dependency captures no stack trace", () => {
  const captured = (depend: (waiting: TerraformResource, on: Role) => void) => {
    const stack = stackIn(Testing.app(), "stack");
    const [waiting, first] = ["waiting", "first"].map((id) => role(stack, id));
    const capture = jest.spyOn(Error, "captureStackTrace");
    try {
      depend(waiting!, first!);
      needsOf(stack, "waiting");
      return capture.mock.calls.length;
    } finally {
      capture.mockRestore();
    }
  };
  const none = captured(() => undefined);
  expect(captured(dependOn)).toBe(none);
  expect(captured((waiting, on) => (waiting.dependsOn = [dependable(on)]))).toBeGreaterThan(none);
});
