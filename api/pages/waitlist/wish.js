// When somebody who waits could come: in words, and the form for it.

import { longDay, shortDay, timeOf } from "../shared/times.js";
import { Field, focusWrongField, html, Problem, useState } from "../shared/ui.js";
import { words } from "./words.js";

/** @typedef {{from: string, to: string, weekdays?: number[] | null, between?: {opens: number, closes: number} | null}} Days */

const WEEKDAYS = Array.from({ length: 7 }, (_, weekday) => shortDay(`2024-01-0${weekday + 1}`).weekday); // that was a Monday
const LAST = 24 * 60; // the minute at which a day ends

/** "Tuesday, 1 December 2026 to Friday, 4 December 2026, only Tue, Thu, 09:00 to 12:00".
 *
 * @param {Days} wish */
export function wishText({ from, to, weekdays, between }) {
  const days = from === to ? longDay(from) : words.days(longDay(from), longDay(to));
  const only = weekdays ? words.only(weekdays.map((each) => WEEKDAYS[each]).join(", ")) : "";
  return [days, only, between ? words.between(clock(between.opens), clock(between.closes)) : ""].filter(Boolean).join(", ");
}

/** The days of a form, as the hub is told them; or the fields in which something is wrong, with what it is.
 *
 * @param {FormData} form @returns {{wish?: Days, wrong: Record<string, string>}} */
function read(form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "");
  const [from, to, earliest, latest] = ["wait-from", "wait-to", "wait-earliest", "wait-latest"].map(text);
  const weekdays = form.getAll("wait-weekday").map(Number);
  const between = { opens: earliest ? minute(earliest) : 0, closes: latest ? minute(latest) : LAST };
  const wrong = {
    ...(from ? {} : { from: words.needed }),
    ...(to ? {} : { to: words.needed }),
    ...(from && to && to < from ? { to: words.order } : {}),
    ...(between.closes <= between.opens ? { latest: words.timeOrder } : {}),
  };
  if (Object.keys(wrong).length) return { wrong };
  const some = weekdays.length > 0 && weekdays.length < WEEKDAYS.length;
  return { wrong, wish: { from, to, ...(some ? { weekdays } : {}), ...(earliest || latest ? { between } : {}) } };
}

/** The form with the button that joins; `days` is what it shows first.
 *
 * @param {{days: Days, first?: string, submit: string, busy: boolean, problem: string, onWish: (wish: Days) => void}} properties */
export function WishForm({ days, first, submit, busy, problem, onWish }) {
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const said = read(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)));
    setWrong(said.wrong);
    if (said.wish) onWish(said.wish);
    else focusWrongField();
  };
  const { weekdays, between } = days;
  return html`<form class="wish" onSubmit=${send} novalidate>
    <div class="pair">
      <${Field} label=${words.from} name="wait-from" type="date" min=${first} defaultValue=${days.from} error=${wrong.from} required />
      <${Field} label=${words.to} name="wait-to" type="date" min=${first} defaultValue=${days.to} error=${wrong.to} required />
    </div>
    <details open=${Boolean(weekdays ?? between)}>
      <summary>${words.more}</summary>
      <fieldset class="weekdays">
        <legend>${words.weekdays}</legend>
        ${WEEKDAYS.map((name, weekday) => html`<label><input type="checkbox" name="wait-weekday" value=${weekday} defaultChecked=${weekdays?.includes(weekday)} /> ${name}</label>`)}
      </fieldset>
      <div class="pair">
        <${Field} label=${words.earliest} name="wait-earliest" type="time" step="1800" defaultValue=${between?.opens ? clock(between.opens) : ""} error=${wrong.earliest} />
        <${Field} label=${words.latest} name="wait-latest" type="time" step="1800" defaultValue=${between && between.closes < LAST ? clock(between.closes) : ""} error=${wrong.latest} />
      </div>
    </details>
    <${Problem}>${problem}</>
    <button type="submit" aria-busy=${busy ? "true" : null}>${submit}</button>
  </form>`;
}

/** "09:30", of minutes after midnight. @param {number} minutes */
function clock(minutes) {
  return minutes === LAST ? "24:00" : timeOf(minutes * 60_000, "UTC");
}

/** Minutes after midnight. @param {string} time "09:30" */
function minute(time) {
  const [hours, minutes] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
