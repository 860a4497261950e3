import { ConfigurationError, Duration } from "../../lib";

describe("Duration", () => {
  test("counts in seconds", () => {
    expect(Duration.seconds(90).toSeconds()).toBe(90);
    expect(Duration.minutes(15).toSeconds()).toBe(900);
    expect(Duration.hours(1.5).toSeconds()).toBe(5400);
    expect(Duration.days(2).toSeconds()).toBe(172_800);
  });

  test("is written in the largest unit that divides it", () => {
    expect([0, 90, 900, 86_400].map((s) => Duration.seconds(s).toString())).toEqual([
      "0s",
      "90s",
      "15m",
      "24h",
    ]);
  });

  test("takes each fraction that makes whole seconds, whatever floating point makes of it", () => {
    const unit = [
      [(amount: number) => Duration.seconds(amount), 1],
      [(amount: number) => Duration.minutes(amount), 60],
      [(amount: number) => Duration.hours(amount), 3_600],
      [(amount: number) => Duration.days(amount), 86_400],
    ] as const;
    for (const [of, factor] of unit) {
      for (let tenths = 0; tenths <= 3_650; tenths++) {
        if ((tenths * factor) % 10 !== 0) continue;
        expect(of(tenths / 10).toSeconds()).toBe((tenths * factor) / 10);
      }
    }
    expect(Duration.hours(1.1).toString()).toBe("66m");
    expect(Duration.hours(1.1).toMilliseconds()).toBe("3960000");
    expect(Duration.hours(0.1 + 0.2).toSeconds()).toBe(1_080);
    expect(Duration.days(36_500.1).toSeconds()).toBe(3_153_608_640);
    expect(Duration.days(1 / 86_400).toSeconds()).toBe(1);
    expect(Duration.seconds(-0).toString()).toBe("0s");
  });

  test.each([
    ["1.00001 minutes", () => Duration.minutes(1.00001)],
    ["1/7 hours", () => Duration.hours(1 / 7)],
    ["a nanosecond", () => Duration.seconds(1e-9)],
    ["a second and a nanosecond", () => Duration.seconds(1.000000001)],
    ["a nanosecond less than none", () => Duration.seconds(-1e-9)],
  ])("refuses %s, which is no whole number of seconds", (_, make) => {
    expect(make).toThrow(/whole number of seconds/);
  });

  test.each([-1, 0.5, NaN, Infinity])("refuses %p seconds and says what to use", (amount) => {
    expect(() => Duration.seconds(amount)).toThrow(ConfigurationError);
    expect(() => Duration.seconds(amount)).toThrow(/whole number of seconds/);
  });
});
