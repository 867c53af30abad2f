// A chart: its title, its bars, what they mean, and the same values as a table.

import { html, useEffect, useRef, useState } from "../shared/ui.js";
import { heightOf } from "./charts.js";
import { colorOf, fillOf } from "./fills.js";
import { Plot } from "./plot.js";
import { words } from "./words.js";

/** @typedef {import("./charts.js").Chart} ChartData */
/** @typedef {import("./charts.js").Fill} Fill */

const SWATCH = 16; // CSS pixels

/** @param {{chart: ChartData}} properties */
export function Chart({ chart }) {
  const [column, setColumn] = useState(/** @type {number | null} */ (null));
  const heights = chart.columns.map((_, place) => heightOf(chart, place));
  const highest = heights.indexOf(Math.max(...heights));
  const value = (/** @type {number} */ number) => (chart.minutes ? words.minutes(number) : String(number));
  return html`<section class="chart" aria-labelledby="chart-${chart.id}">
    <h2 id="chart-${chart.id}">${chart.title}</h2>
    ${chart.about && html`<p class="quiet">${chart.about}</p>`}
    <${Plot} chart=${chart} label=${words.chart(chart.columns[highest], value(heights[highest]))} onColumn=${setColumn} />
    <${Legend} chart=${chart} column=${column !== null && column < chart.columns.length ? column : null} />
    <details>
      <summary aria-label=${words.tableOf(chart.title)}>${words.table}</summary>
      <${Table} chart=${chart} />
    </details>
  </section>`;
}

/** What the fills mean; with the values of the column on which the mouse is. Who does not see the bars has the table.
 *
 * @param {{chart: ChartData, column: number | null}} properties */
function Legend({ chart, column }) {
  if (chart.series.length < 2 && column === null) return html`<p class="legend" aria-hidden="true"></p>`;
  return html`<p class="legend" aria-hidden="true">
    ${column !== null && html`<strong>${chart.columns[column]}</strong>`}
    ${chart.series.map(({ name, fill, values }) => html`<span key=${fill}><${Swatch} fill=${fill} />${name}${column !== null && html` <strong>${values[column] ?? "–"}</strong>`}</span>`)}
  </p>`;
}

/** @param {{fill: Fill}} properties */
function Swatch({ fill }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const draw = () => {
      const side = (element.width = element.height = SWATCH * (globalThis.devicePixelRatio || 1));
      const drawing = element.getContext("2d");
      if (!drawing) return;
      drawing.fillStyle = fillOf(element, fill);
      drawing.fillRect(0, 0, side, side);
      drawing.strokeStyle = colorOf(element, fill);
      drawing.lineWidth = side / 8;
      drawing.strokeRect(0, 0, side, side);
    };
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    draw();
    scheme.addEventListener("change", draw);
    return () => scheme.removeEventListener("change", draw);
  }, []);
  return html`<canvas class="swatch" ref=${canvas}></canvas>`;
}

/** @param {{chart: ChartData}} properties */
function Table({ chart }) {
  const { head, columns, series, stacked, counts } = chart;
  const sums = stacked && series.length > 1;
  return html`<div class="figures-table" role="group" tabindex="0" aria-label=${words.tableOf(chart.title)}>
    <table>
      <thead>
        <tr>
          <th scope="col">${head}</th>
          ${series.map(({ name }) => html`<th key=${name} scope="col">${name}</th>`)}
          ${sums && html`<th scope="col">${words.series.total}</th>`}
          ${counts && html`<th scope="col">${words.series.count}</th>`}
        </tr>
      </thead>
      <tbody>
        ${columns.map(
          (name, column) => html`<tr key=${name}>
            <th scope="row">${name}</th>
            ${series.map(({ values }, place) => html`<td key=${place}>${values[column] ?? "–"}</td>`)}
            ${sums && html`<td>${heightOf(chart, column)}</td>`}
            ${counts && html`<td>${counts[column]}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
