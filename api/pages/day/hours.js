// The hours of the day, and the doctor's time off.

import { dayAndTime, timeOf } from "../shared/times.js";
import { announce, Field, html, Problem, useRef, useState, written } from "../shared/ui.js";
import { useCommand } from "../staff/command.js";
import { words } from "../staff/words.js";
import { instantOf } from "../staff/zones.js";

/** @typedef {import("../hub-client.js").Schedule} Schedule */

/** @param {{date: string, zone: string, schedule: Schedule}} properties */
export function Hours({ date, zone, schedule }) {
  const begin = instantOf(`${date}T00:00`, zone) ?? "";
  const shifts = schedule.shifts.filter(({ weekday }) => weekday === (new Date(date).getUTCDay() + 6) % 7);
  const off = [...schedule.timeOff].sort((one, other) => (one.start < other.start ? -1 : 1)).filter(({ end }) => end > begin);
  return html`<section class="hours" aria-labelledby="hours">
    <h2 id="hours">${words.hours.title}</h2>
    <p>${shifts.length ? html`${words.hours.hours}: ${shifts.map(shiftText).join(", ")}` : words.hours.closed}</p>
    <${TimeOff} off=${off} zone=${zone} />
    <${NewTimeOff} date=${date} zone=${zone} />
  </section>`;
}

/** @param {{off: Schedule["timeOff"], zone: string}} properties */
function TimeOff({ off, zone }) {
  const { busy, problem, run } = useCommand();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const remove = async (/** @type {string} */ timeOffId) => {
    if (!(await run("remove_time_off", { timeOffId }))) return;
    announce(words.hours.removed);
    list.current?.focus(); // the button is gone
  };
  return html`<div tabindex="-1" ref=${list} role="group" aria-label=${words.hours.title}>
    ${off.length === 0 && html`<p class="quiet">${words.hours.none}</p>`}
    <ul class="off">
      ${off.map(
        ({ id, start, end }) => html`<li key=${id}>
          <span id="off-${id}">${words.hours.off(dayAndTime(start, zone), dayAndTime(end, zone))}</span>
          <button type="button" class="secondary" aria-describedby="off-${id}" aria-busy=${busy ? "true" : null} onClick=${() => remove(id)}>${words.hours.remove}</button>
        </li>`,
      )}
    </ul>
    <${Problem}>${problem}</>
  </div>`;
}

/** @param {{date: string, zone: string}} properties */
function NewTimeOff({ date, zone }) {
  const { busy, problem, run } = useCommand();
  const [said, setSaid] = useState({ text: "", wrong: "" });
  const add = async (/** @type {SubmitEvent} */ event) => {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { from, to, note } = written(event);
    const [start, end] = [instantOf(from, zone), instantOf(to, zone)];
    if (!start || !end || end <= start) return setSaid({ text: "", wrong: words.hours.order });
    setSaid({ text: "", wrong: "" });
    const done = await run("add_time_off", { start, end, ...(note.trim() ? { note: note.trim() } : {}) });
    if (!done) return;
    form.reset();
    setSaid({ text: words.hours.added, wrong: "" });
  };
  return html`<details class="adding">
    <summary>${words.hours.add}</summary>
    <form key=${date} onSubmit=${add} novalidate>
      <${Field} label=${words.hours.from} name="from" type="datetime-local" step="1800" defaultValue=${`${date}T00:00`} error=${said.wrong || undefined} required />
      <${Field} label=${words.hours.to} name="to" type="datetime-local" step="1800" defaultValue=${`${date}T23:30`} required />
      <${Field} label=${words.hours.note} name="note" maxlength="200" />
      <${Problem}>${problem}</>
      <p role="status">${said.text}</p>
      <button type="submit" aria-busy=${busy ? "true" : null}>${words.hours.add}</button>
    </form>
  </details>`;
}

/** @param {import("../hub-client.js").Shift} shift */
function shiftText({ opens, closes }) {
  const clock = (/** @type {number} */ minute) => timeOf(minute * 60_000, "UTC");
  return words.hours.until(clock(opens), closes === 24 * 60 ? "24:00" : clock(closes));
}
