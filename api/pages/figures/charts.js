// What the charts show: columns with one or more values each, made from the statistics.

import { shortDay } from "../shared/times.js";
import { language } from "../shared/language.js";
import { words } from "./words.js";

/** @typedef {import("./reading.js").Statistics} Statistics */
/** @typedef {import("./reading.js").Tally} Tally */
/** @typedef {"completed" | "missed" | "cancelled" | "ahead"} Fill */

/** The values of one kind, one for each column; null where there is none. @typedef {{name: string, fill: Fill, values: (number | null)[]}} Series */

/** A chart. The values of a column are stacked, or else each stands before the next one, which is not smaller.
 *
 * @typedef {{id: string, title: string, about?: string, head: string, columns: string[], series: Series[], stacked: boolean, minutes: boolean, counts?: number[]}} Chart */

const MONDAY = Date.UTC(2024, 0, 1);
const DAY = 24 * 60 * 60_000; // ms

/** The charts that have anything to show.
 *
 * @param {Statistics} statistics @returns {Chart[]} */
export function chartsOf({ all, byWeek, byWeekday, byHour, leadTimes, waitingTimes, offers }) {
  if (all.total === 0) return offers.total > 0 ? [offered(offers)] : [];
  const years = new Set(byWeek.map(({ monday }) => monday.slice(0, 4)));
  const hours = span(byHour, ({ tally }) => tally.total > 0);
  const waits = span(waitingTimes.byHour, ({ waits: { count } }) => count > 0);
  const charts = [
    tallied("weeks", byWeek.map(({ monday }) => dayText(monday, years.size > 1)), byWeek.map(({ tally }) => tally)),
    tallied("weekdays", byWeekday.map(({ weekday }) => weekdayText(weekday)), byWeekday.map(({ tally }) => tally)),
    tallied("hours", hours.map(({ hour }) => hourText(hour)), hours.map(({ tally }) => tally)),
    leads(leadTimes),
    waiting(waits),
    ...(offers.total > 0 ? [offered(offers)] : []),
  ];
  return charts.filter(({ columns }) => columns.length > 0);
}

/** The value that stands for a whole column.
 *
 * @param {Chart} chart @param {number} column @returns {number} */
export function heightOf({ series, stacked }, column) {
  const values = series.map(({ values: all }) => all[column] ?? 0);
  return stacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}

/** @param {"weeks" | "weekdays" | "hours"} id @param {string[]} columns @param {Tally[]} tallies @returns {Chart} */
function tallied(id, columns, tallies) {
  const series = (/** @type {Fill} */ fill, /** @type {(tally: Tally) => number} */ value) => ({ name: words.series[fill], fill, values: tallies.map(value) });
  return {
    id,
    title: words.charts[id],
    head: words.columns[id],
    columns,
    series: [
      series("completed", ({ completed }) => completed),
      series("ahead", ({ scheduled, confirmed }) => scheduled + confirmed),
      series("missed", ({ noShow }) => noShow),
      series("cancelled", ({ cancelled }) => cancelled),
    ],
    stacked: true,
    minutes: false,
  };
}

/** @param {Statistics["leadTimes"]} leadTimes @returns {Chart} */
function leads({ groups, medianMinutes }) {
  const text = (/** @type {number | null} */ minutes) => (minutes === null ? null : duration(minutes, words.shortUnits));
  const bounds = [null, ...groups.map(({ underMinutes }) => underMinutes)];
  return {
    id: "leads",
    title: words.charts.leads,
    ...(medianMinutes === null ? {} : { about: words.leadSummary(duration(medianMinutes)) }),
    head: words.columns.leads,
    columns: groups.map(({ underMinutes }, place) => words.leads(text(bounds[place]), text(underMinutes))),
    series: [{ name: words.series.appointments, fill: "completed", values: groups.map(({ count }) => count) }],
    stacked: true,
    minutes: false,
  };
}

/** @param {Statistics["waitingTimes"]["byHour"]} hours @returns {Chart} */
function waiting(hours) {
  return {
    id: "waits",
    title: words.charts.waits,
    head: words.columns.waits,
    columns: hours.map(({ hour }) => hourText(hour)),
    series: [
      { name: words.series.median, fill: "completed", values: hours.map(({ waits }) => waits.medianMinutes) },
      { name: words.series.p90, fill: "ahead", values: hours.map(({ waits }) => waits.p90Minutes) },
    ],
    stacked: false,
    minutes: true,
    counts: hours.map(({ waits }) => waits.count),
  };
}

/** @param {Statistics["offers"]} offers @returns {Chart} */
function offered({ taken, declined, lapsed, open, fillTimes: { count, medianMinutes } }) {
  const { columns, series, charts } = words;
  return {
    id: "offers",
    title: charts.offers,
    ...(medianMinutes === null ? {} : { about: words.fillSummary(count, duration(medianMinutes)) }),
    head: columns.offers,
    columns: [words.offers.taken, words.offers.declined, words.offers.lapsed, words.offers.open],
    series: [{ name: series.offers, fill: "completed", values: [taken, declined, lapsed, open] }],
    stacked: true,
    minutes: false,
  };
}

/** From the first of these to the last one for which it holds.
 *
 * @template T @param {T[]} all @param {(each: T) => boolean} holds @returns {T[]} */
function span(all, holds) {
  const places = all.flatMap((each, place) => (holds(each) ? [place] : []));
  return all.slice(places[0] ?? 0, (places.at(-1) ?? -1) + 1);
}

/** @param {string} day @param {boolean} withYear */
function dayText(day, withYear) {
  const { day: number, month } = shortDay(day);
  return `${number} ${month}${withYear ? ` ${day.slice(0, 4)}` : ""}`;
}

/** @param {number} weekday 0 is Monday */
function weekdayText(weekday) {
  const format = new Intl.DateTimeFormat(language === "de" ? "de" : "en-GB", { timeZone: "UTC", weekday: "short" });
  return format.format(MONDAY + weekday * DAY);
}

/** @param {number} hour */
function hourText(hour) {
  return `${String(hour).padStart(2, "0")}:00`;
}

/** "3 hours", "7 days"; rounded down to a whole number of the largest unit.
 *
 * @param {number} minutes @param {typeof words.units} units */
function duration(minutes, units = words.units) {
  const { minute, hour, day } = units;
  const [number, unit] = minutes >= 48 * 60 || minutes === 24 * 60 ? [Math.floor(minutes / (24 * 60)), day] : minutes >= 60 ? [Math.floor(minutes / 60), hour] : [minutes, minute];
  return `${number} ${unit[number === 1 ? 0 : 1]}`;
}
