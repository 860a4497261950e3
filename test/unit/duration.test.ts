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

  test.each([-1, 0.5, NaN, Infinity])("refuses %p seconds and says what to use", (amount) => {
    expect(() => Duration.seconds(amount)).toThrow(ConfigurationError);
    expect(() => Duration.seconds(amount)).toThrow(/whole number of seconds/);
  });
});
