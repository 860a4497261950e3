import { endGroup } from "../../cli/end-group";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox";

jest.setTimeout(60_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ terraform: false });
  const vault = sandbox.vault.client();
  for (const mount of ["one", "two"]) {
    await vault.write(`sys/auth/${mount}`, { type: "approle" });
    await vault.write(`auth/${mount}/role/rack-a`, {});
    await vault.write(`auth/${mount}/role/rack-b`, {});
  }
});
afterAll(() => sandbox?.stop());

/** Issues a SecretID and logs in with it, some times over. */
async function logIn(mount: string, name: string, times = 1): Promise<string[]> {
  const vault = sandbox.vault.client();
  const role = `auth/${mount}/role/${name}`;
  const { data: id } = await vault.read(`${role}/role-id`);
  const { data: secret } = await vault.write(`${role}/secret-id`);
  const tokens: string[] = [];
  while (tokens.length < times) {
    const { auth } = await vault.write(`auth/${mount}/login`, {
      role_id: id?.role_id,
      secret_id: secret?.secret_id,
    });
    tokens.push(sandbox.lifetime.remember(auth?.client_token ?? ""));
  }
  return tokens;
}

const isAlive = (token: string) =>
  sandbox.vault
    .client()
    .withToken(token)
    .read("auth/token/lookup-self")
    .then(
      () => true,
      () => false,
    );

test("all tokens and SecretIDs of the AppRole are ended, and nobody else's", async () => {
  const ended = [...(await logIn("one", "rack-a", 3)), ...(await logIn("one", "rack-a"))];
  const others = [...(await logIn("one", "rack-b")), ...(await logIn("two", "rack-a"))];
  expect(await endGroup(sandbox.vault.client(), { mount: "one", name: "rack-a" })).toEqual({
    tokens: 4,
    secretIds: 2,
  });
  expect(await Promise.all(ended.map(isAlive))).toEqual([false, false, false, false]);
  expect(await Promise.all(others.map(isAlive))).toEqual([true, true]);
  expect(await sandbox.vault.client().list("auth/two/role/rack-a/secret-id")).toHaveLength(1);
});

test("a group that has ended already has nothing to end", async () => {
  expect(await endGroup(sandbox.vault.client(), { mount: "one", name: "rack-a" })).toEqual({
    tokens: 0,
    secretIds: 0,
  });
});

test("a name that no AppRole has is an error, and not a group without tokens", async () => {
  await expect(endGroup(sandbox.vault.client(), { mount: "one", name: "none" })).rejects.toThrow(
    /"none" does not exist/,
  );
});

test("an AppRole that logs in without a SecretID is said not to be stopped", async () => {
  const vault = sandbox.vault.client();
  await vault.write("auth/two/role/open", { bind_secret_id: false, token_bound_cidrs: "127.0.0.1/32" });
  const { data } = await vault.read("auth/two/role/open/role-id");
  const login = () => vault.write("auth/two/login", { role_id: data?.role_id });
  await login();
  let running = true;
  const client = (async () => {
    while (running) await login().then(() => new Promise((resolve) => setTimeout(resolve, 20)));
  })();
  const ended = endGroup(vault, { mount: "two", name: "open" }).finally(() => (running = false));
  await expect(ended).rejects.toThrow(/open of auth\/two keeps getting/);
  await client;
});

test("a token without the rights is refused, and nothing is taken for ended", async () => {
  const [token] = await logIn("two", "rack-b");
  const vault = sandbox.vault.client().withToken(token);
  await expect(endGroup(vault, { mount: "two", name: "rack-b" })).rejects.toMatchObject({ status: 403 });
  expect(await isAlive(token ?? "")).toBe(true);
});

test("tokens whose lookup is refused are not passed over", async () => {
  const vault = sandbox.vault.client();
  const policy = `path "auth/two/role/*" { capabilities = ["list", "update"] }
    path "auth/token/accessors" { capabilities = ["list", "sudo"] }`;
  await vault.write("sys/policies/acl/half", { policy });
  const { auth } = await vault.write("auth/token/create", { policies: ["half"] });
  const half = vault.withToken(sandbox.lifetime.remember(auth?.client_token ?? ""));
  await expect(endGroup(half, { mount: "two", name: "rack-b" })).rejects.toMatchObject({
    status: 403,
    path: "auth/token/lookup-accessor",
  });
});
