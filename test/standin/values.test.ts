import { selfSignedCertificate } from "../../sandbox/providers/protocol/certificate";
import { X509Certificate } from "node:crypto";
import { decodeObject, encodeObject, UNKNOWN } from "../../sandbox/providers/protocol/values";
import { durationSeconds, goDuration } from "../../sandbox/providers/vault/duration";

describe("values on the wire", () => {
  it("come back as they were sent, unknown ones included", () => {
    const value = { a: null, b: [1, -1, 70000, true], c: { d: "ü" }, e: UNKNOWN, f: [UNKNOWN] };
    expect(decodeObject(encodeObject(value))).toEqual(value);
    expect((decodeObject(encodeObject(value)) as { e: unknown }).e).toBe(UNKNOWN);
  });

  it("have the form that Terraform gives to an unknown value", () => {
    expect(encodeObject({ a: UNKNOWN }).msgpack.toString("hex")).toBe("81a161d40000");
  });

  it("may be unknown with a refinement, which counts as unknown", () => {
    // {"a": extension 12 with the map {1: false}}, "not null"
    const refined = Buffer.from("81a161c7030c8101c2", "hex");
    expect(decodeObject({ msgpack: refined })).toEqual({ a: UNKNOWN });
  });

  it("may come as JSON, or be nothing at all", () => {
    expect(decodeObject({ json: Buffer.from('{"a":1}') })).toEqual({ a: 1 });
    expect(decodeObject(undefined)).toBeNull();
    expect(decodeObject(encodeObject(null))).toBeNull();
  });
});

describe("the plugin's certificate", () => {
  it("is signed by its own key, for the host, and valid now", () => {
    const { der } = selfSignedCertificate("localhost");
    const certificate = new X509Certificate(der);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
  });
});

describe("durations", () => {
  it.each([
    [0, "0s"],
    [45, "45s"],
    [600, "10m"],
    [3600, "1h"],
    [3605, "1h0m5s"],
    [5400, "1h30m"],
    [2764800, "768h"],
  ])("%d s are written %s", (seconds, text) => {
    expect(goDuration(seconds)).toBe(text);
    expect(durationSeconds(text)).toBe(seconds);
  });

  it("are not read from anything else", () => {
    expect(durationSeconds("300")).toBeUndefined();
    expect(durationSeconds("")).toBeUndefined();
  });
});
