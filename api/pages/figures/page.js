// The figures of a doctor: how appointments ended, when they are, how long before they were booked, how long one waits,
// and what became of the offers from the waitlist.

import { open } from "../shared/frame.js";
import { foreignZone } from "../shared/times.js";
import { html, Problem, Skeleton } from "../shared/ui.js";
import { language } from "../shared/language.js";
import { words as shared } from "../shared/words.js";
import { Chart } from "./chart.js";
import { chartsOf } from "./charts.js";
import { ALL, longMonth, MonthHead, spanOf, useMonth } from "./months.js";
import { useStatistics } from "./reading.js";
import { words } from "./words.js";

/** @typedef {import("./reading.js").Statistics} Statistics */

const percent = new Intl.NumberFormat(language === "de" ? "de" : "en-GB", { style: "percent", maximumFractionDigits: 1 });

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Figures({ user }) {
  const zone = user?.zone ?? "UTC";
  const [month, go] = useMonth(zone);
  const { statistics, problem } = useStatistics(user?.id ?? "", spanOf(month, zone));
  const foreign = foreignZone(Date.now(), zone);
  return html`
    <${MonthHead} month=${month} zone=${zone} onMonth=${go} />
    ${foreign && html`<p class="quiet">${shared.frame.zone(foreign)}</p>`}
    <${Problem}>${problem}</>
    ${statistics ? html`<${Shown} statistics=${statistics} month=${month} />` : !problem && html`<${Skeleton} lines=${12} />`}
  `;
}

/** @param {{statistics: Statistics, month: string}} properties */
function Shown({ statistics, month }) {
  const none = month === ALL ? html`<p>${words.never}</p>` : html`<p>${words.empty(longMonth(month))} ${words.emptyHint}</p>`;
  return html`
    ${statistics.all.total === 0 ? html`<div class="notice">${none}</div>` : html`<${Sums} statistics=${statistics} />`}
    <div class="charts">${chartsOf(statistics).map((chart) => html`<${Chart} key=${chart.id} chart=${chart} />`)}</div>
  `;
}

/** @param {{statistics: Statistics}} properties */
function Sums({ statistics: { all, waitingTimes } }) {
  const waits = waitingTimes.all;
  const sum = (/** @type {string} */ name, /** @type {number | string} */ value, /** @type {string} */ about = "") =>
    html`<div><dt>${name}</dt><dd><strong>${value}</strong> ${about && html`<small>${about}</small>`}</dd></div>`;
  return html`<section class="sums" aria-label=${words.sums.title}>
    <dl>
      ${sum(words.sums.total, all.total)}
      ${sum(words.sums.completed, all.completed)}
      ${sum(words.sums.ahead, all.scheduled + all.confirmed)}
      ${sum(words.sums.missed, all.noShow, all.noShowRate === null ? "" : words.rate.missed(percent.format(all.noShowRate)))}
      ${sum(words.sums.cancelled, all.cancelled, all.cancellationRate === null ? "" : words.rate.cancelled(percent.format(all.cancellationRate)))}
      ${waits.medianMinutes !== null && sum(words.sums.wait, words.minutes(waits.medianMinutes), words.rate.wait(waits.count))}
    </dl>
  </section>`;
}

await open(Figures, { roles: ["doctor"] });
