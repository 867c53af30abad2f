// What one has chosen, and the last step: "Book".

import { useCommand } from "../shared/command.js";
import { dayAndTime, foreignZone, timeOf } from "../shared/times.js";
import { html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { words } from "../shared/words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").User} User */

/** @param {{
 *   user: User | null,
 *   doctor: Doctor,
 *   start: string | null,
 *   gone: string,
 *   reason: string,
 *   onBusy: (busy: boolean) => void,
 *   onBooked: (appointment: Appointment) => void,
 *   onVisitor: (reason: string) => void,
 * }} properties */
export function Choice({ user, doctor, start, gone, reason, onBusy, onBooked, onVisitor }) {
  const [typed, setTyped] = useState(reason);
  const { book, busy, problem } = useBooking({ doctor, start, onBusy, onBooked });
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (start) heading.current?.focus(); // the next step is here, also for who does not see it
  }, [start]);
  const said = gone ? words.book.gone(timeOf(gone, doctor.zone)) : problem;
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!user) onVisitor(typed);
    else if (!gone && !busy) void book(typed.trim());
  };
  return html`<aside class="choice" aria-labelledby="choice">
    <h2 id="choice" tabindex="-1" ref=${heading}>${words.book.yours}</h2>
    ${start
      ? html`<p class="when"><strong>${dayAndTime(start, doctor.zone)}</strong><br />${words.book.with(doctor.name)}</p>
          <${Zone} start=${start} zone=${doctor.zone} />`
      : html`<p class="quiet">${words.book.pick}</p>`}
    ${start && user && user.role !== "patient" && html`<p class="notice">${words.book.patientsOnly}</p>`}
    <${Problem}>${start && said}</>
    ${start &&
    (!user || user.role === "patient") &&
    html`<form onSubmit=${submit}>
      <label for="reason">${words.book.reason}</label>
      <textarea id="reason" rows="2" maxlength="500" value=${typed} onInput=${(/** @type {Event} */ event) => setTyped(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}></textarea>
      ${!user && html`<p class="quiet">${words.book.signInFirst}</p>`}
      <button type="submit" aria-disabled=${gone ? "true" : null} aria-busy=${busy ? "true" : null}>${words.book.submit}</button>
    </form>`}
  </aside>`;
}

/** @param {{start: string, zone: string}} properties */
function Zone({ start, zone }) {
  const name = foreignZone(start, zone);
  return name && html`<p class="quiet">${words.frame.zone(name)}</p>`;
}

/** The command "book". Its refusal is said until another time is chosen.
 *
 * @param {{doctor: Doctor, start: string | null, onBusy: (busy: boolean) => void, onBooked: (appointment: Appointment) => void}} properties */
function useBooking({ doctor, start, onBusy, onBooked }) {
  const { busy, problem, run } = useCommand();
  const [of, setOf] = useState(start);
  const book = async (/** @type {string} */ reason) => {
    setOf(start);
    onBusy(true);
    const done = await run("book", { doctorId: doctor.id, start, ...(reason ? { reason } : {}) });
    onBusy(false);
    if (done?.appointment) onBooked(done.appointment);
  };
  return { book, busy, problem: of === start ? problem : "" };
}
