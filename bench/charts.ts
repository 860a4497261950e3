import { init } from "echarts";
import type { Axis, Chart } from "./benchmark";

const SIZE = { width: 760, height: 470 };
/** Okabe and Ito's colours, told apart with any colour vision; the yellow is too pale on white. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle"];
const TEXT = { color: "#222", fontFamily: "sans-serif", fontSize: 14 };

/** The chart as SVG; the same chart gives the same text. */
export function renderChart(chart: Chart): string {
  const drawing = init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  try {
    drawing.setOption(optionsOf(chart));
    const svg = drawing.renderToSVGString();
    // Without what is for a pointer, and without the library's count of drawings in its names.
    const still = svg.replace(/<style.*?<\/style>/s, "").replaceAll(/ (class|pointer-events)="[^"]*"/g, "");
    return `${still.replaceAll(/zr\d+-/g, "zr-")}\n`;
  } finally {
    drawing.dispose();
  }
}

function optionsOf(chart: Chart): Record<string, unknown> {
  const bars = chart.kind === "bar";
  return {
    animation: false,
    backgroundColor: "#fff",
    color: COLOURS,
    textStyle: TEXT,
    title: { text: chart.title, left: "center", top: 8, textStyle: { ...TEXT, fontSize: 17 } },
    legend: { bottom: 6, itemGap: 30, textStyle: TEXT },
    grid: { left: 80, right: 30, top: 50, bottom: 130 },
    xAxis: {
      ...axis(chart.x, 34),
      ...(bars ? { type: "category", data: [...new Set(chart.series.flatMap(categories))] } : {}),
    },
    yAxis: axis(chart.y, 55),
    series: chart.series.map(({ name, points }, index) => ({
      name,
      type: chart.kind,
      data: points,
      ...(bars ? {} : { symbol: SYMBOLS[index % SYMBOLS.length], symbolSize: 9, lineStyle: { width: 2 } }),
    })),
  };
}

function categories(series: Chart["series"][number]): string[] {
  return series.points.map(([x]) => String(x));
}

function axis({ label, unit, log }: Axis, nameGap: number): object {
  return {
    type: log === true ? "log" : "value",
    name: unit === undefined ? label : `${label} (${unit})`,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: TEXT,
    axisLabel: TEXT,
    axisLine: { show: true, lineStyle: { color: "#555" } },
    splitLine: { lineStyle: { color: "#ddd" } },
  };
}
