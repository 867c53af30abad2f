// The day that a page shows: it is in the address, and one goes to others by buttons or by its field.

import { now } from "../shared/clock.js";
import { dayOf, isDay, longDay, plusDays } from "../shared/times.js";
import { html, useEffect, useState } from "../shared/ui.js";
import { words } from "./words.js";

/** The day of the address (`?date=2026-12-01`), else today in `zone`; and the way to another one.
 *
 * @param {string} zone @returns {[string, (day: string) => void]} */
export function useDay(zone) {
  const read = () => {
    const wanted = new URLSearchParams(location.search).get("date");
    return isDay(wanted) ? wanted : dayOf(now(), zone);
  };
  const [day, setDay] = useState(read());
  useEffect(() => {
    const back = () => setDay(read());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const go = (/** @type {string} */ to) => {
    const query = new URLSearchParams(location.search);
    query.set("date", to);
    history.pushState(null, "", `${location.pathname}?${query}`);
    setDay(to);
  };
  return [day, go];
}

/** The heading of the day, which tells a change, and the ways to other days.
 *
 * @param {{day: string, today: string, onDay: (day: string) => void, children?: import("preact").ComponentChildren}} properties */
export function DayHead({ day, today, onDay, children }) {
  const entered = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.currentTarget);
    if (isDay(value)) onDay(value);
  };
  return html`<div class="day-head">
    <h1 aria-live="polite">${longDay(day)}</h1>
    <fieldset class="ways" aria-label=${words.day.others}>
      <button type="button" class="secondary" aria-label=${words.day.before} onClick=${() => onDay(plusDays(day, -1))}>‹</button>
      <button type="button" class="secondary" disabled=${day === today} onClick=${() => onDay(today)}>${words.day.today}</button>
      <button type="button" class="secondary" aria-label=${words.day.after} onClick=${() => onDay(plusDays(day, 1))}>›</button>
      <input type="date" aria-label=${words.day.date} value=${day} onChange=${entered} />
      ${children}
    </fieldset>
  </div>`;
}
