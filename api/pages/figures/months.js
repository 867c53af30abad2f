// The month whose figures are shown: it is in the address, and one goes to others by buttons.

import { now } from "../shared/clock.js";
import { dayOf } from "../shared/times.js";
import { html, useEffect, useState } from "../shared/ui.js";
import { language } from "../shared/language.js";
import { instantOf } from "../staff/zones.js";
import { words } from "./words.js";

/** A month like "2026-12", or "all". @typedef {string} Month */

export const ALL = "all";

const long = new Intl.DateTimeFormat(language === "de" ? "de" : "en-GB", { timeZone: "UTC", month: "long", year: "numeric" });

/** The month of the address (`?month=2026-12`, `?month=all`), else this one in `zone`; and the way to another one.
 *
 * @param {string} zone @returns {[Month, (month: Month) => void]} */
export function useMonth(zone) {
  const read = () => {
    const wanted = new URLSearchParams(location.search).get("month") ?? "";
    return wanted === ALL || /^[12]\d{3}-(0[1-9]|1[0-2])$/.test(wanted) ? wanted : thisMonth(zone);
  };
  const [month, setMonth] = useState(read());
  useEffect(() => {
    const back = () => setMonth(read());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const go = (/** @type {Month} */ to) => {
    history.pushState(null, "", `?${new URLSearchParams({ month: to })}`);
    setMonth(to);
  };
  return [month, go];
}

/** @param {string} zone @returns {Month} */
function thisMonth(zone) {
  return dayOf(now(), zone).slice(0, 7);
}

/** "December 2026".
 *
 * @param {Month} month */
export function longMonth(month) {
  return month === ALL ? words.all : long.format(Date.parse(`${month}-01`));
}

/** The query for a month of the clocks of a zone: from its first instant to that of the next month.
 *
 * @param {Month} month @param {string} zone @returns {string} */
export function spanOf(month, zone) {
  if (month === ALL) return "";
  const first = (/** @type {Month} */ of) => instantOf(`${of}-01T00:00`, zone) ?? "";
  return `?${new URLSearchParams({ from: first(month), to: first(plusMonths(month, 1)) })}`;
}

/** @param {Month} month @param {number} number */
function plusMonths(month, number) {
  const [year, nth] = month.split("-").map(Number);
  return new Date(Date.UTC(year, nth - 1 + number, 1)).toISOString().slice(0, 7);
}

/** The heading of the month, which tells a change, and the ways to other months.
 *
 * @param {{month: Month, zone: string, onMonth: (month: Month) => void}} properties */
export function MonthHead({ month, zone, onMonth }) {
  const current = thisMonth(zone);
  const from = month === ALL ? current : month;
  const way = (/** @type {number} */ step, /** @type {string} */ name, /** @type {string} */ sign) =>
    html`<button type="button" class="secondary" aria-label=${name} onClick=${() => onMonth(plusMonths(from, step))}>${sign}</button>`;
  return html`<div class="day-head">
    <h1 aria-live="polite">${longMonth(month)}</h1>
    <fieldset class="ways" aria-label=${words.others}>
      ${way(-1, words.before, "‹")}
      <button type="button" class="secondary" aria-pressed=${month === current ? "true" : "false"} onClick=${() => onMonth(current)}>${words.thisMonth}</button>
      ${way(1, words.after, "›")}
      <button type="button" class="secondary" aria-pressed=${month === ALL ? "true" : "false"} onClick=${() => onMonth(ALL)}>${words.all}</button>
    </fieldset>
  </div>`;
}
