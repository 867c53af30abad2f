// The bars of a chart, drawn by uPlot. It is for the eye: the table beside it has the same values.

import { html, useEffect, useRef } from "../shared/ui.js";
import uPlot from "../vendor/uplot.esm.js";
import { heightOf } from "./charts.js";
import { colorOf, fillOf } from "./fills.js";

/** @typedef {import("./charts.js").Chart} Chart */

const HEIGHT = 220; // CSS pixels
const CHARACTER = 7.5; // CSS pixels of an axis' text, at most
const FONT = "12px system-ui, sans-serif";
const bars = /** @type {import("uplot").Series.BarsPathBuilderFactory} */ (uPlot.paths.bars)({ size: [0.7, 56] });

/** `onColumn` is told on which column the mouse is; null: on none.
 *
 * @param {{chart: Chart, label: string, onColumn: (column: number | null) => void}} properties */
export function Plot({ chart, label, onColumn }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const element = /** @type {HTMLElement} */ (box.current);
    const plot = new uPlot(optionsOf(chart, element, onColumn), dataOf(chart), element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => plot.redraw();
    observer.observe(element);
    scheme.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
    };
  }, [JSON.stringify(chart)]);
  return html`<div class="plot" role="img" aria-label=${label} ref=${box}></div>`;
}

/** The columns, and the heights of the bars of each series; that which is drawn first is the highest.
 *
 * @param {Chart} chart @returns {import("uplot").AlignedData} */
function dataOf({ columns, series, stacked }) {
  const heights = series.map(({ values }, place) =>
    values.map((value, column) => (stacked ? series.slice(0, place + 1).reduce((sum, each) => sum + (each.values[column] ?? 0), 0) : value) || null),
  );
  return [columns.map((_, column) => column), ...heights.reverse()];
}

/** @param {Chart} chart @param {HTMLElement} element @param {(column: number | null) => void} onColumn @returns {import("uplot").Options} */
function optionsOf(chart, element, onColumn) {
  const { columns, series } = chart;
  const highest = Math.max(1, ...columns.map((_, column) => heightOf(chart, column)));
  const text = () => colorOf(element, "text");
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: () => [-0.5, columns.length - 0.5] }, y: { range: () => [0, highest * 1.08] } },
    axes: [
      { stroke: text, font: FONT, size: 30, grid: { show: false }, ticks: { show: false }, splits: (plot) => shown(columns, plot.width), values: (_, places) => places.map((place) => columns[place]) },
      { stroke: text, font: FONT, size: 44, grid: { stroke: () => colorOf(element, "grid"), width: 1 }, ticks: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] },
    ],
    series: [
      {},
      ...[...series].reverse().map(({ fill }) => ({ paths: bars, points: { show: false }, width: 1, stroke: () => colorOf(element, fill), fill: () => /** @type {string} */ (fillOf(element, fill)) })),
    ],
    hooks: { setCursor: [(plot) => onColumn(plot.cursor.idx ?? null)] },
  };
}

/** The columns whose names have room below a plot of this width.
 *
 * @param {string[]} columns @param {number} width CSS pixels */
function shown(columns, width) {
  const longest = Math.max(...columns.map(({ length }) => length)) * CHARACTER + 8;
  const step = Math.max(1, Math.ceil((longest * columns.length) / Math.max(1, width - 60)));
  return columns.flatMap((_, column) => (column % step === 0 ? [column] : []));
}
