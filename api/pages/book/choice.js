// What one has chosen, and the last step: "Book".

import { isUndecided } from "../hub-client.js";
import { live } from "../shared/line.js";
import { dayAndTime, foreignZone, timeOf } from "../shared/times.js";
import { html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";
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

/** The command "book". It is repeated under its id until it is decided; pressing "Book" again goes on with it.
 *
 * @param {{doctor: Doctor, start: string | null, onBusy: (busy: boolean) => void, onBooked: (appointment: Appointment) => void}} properties */
function useBooking({ doctor, start, onBusy, onBooked }) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(/** @type {{start: string | null, text: string}} */ ({ start: null, text: "" }));
  const undecided = useRef(/** @type {{of: string, commandId: string} | null} */ (null));
  const working = (/** @type {boolean} */ is) => {
    setBusy(is);
    onBusy(is);
  };
  const book = async (/** @type {string} */ reason) => {
    working(true);
    setRefused({ start: null, text: "" });
    const wish = { doctorId: doctor.id, start, ...(reason ? { reason } : {}) };
    const of = JSON.stringify(wish);
    if (undecided.current?.of !== of) undecided.current = { of, commandId: newId() };
    const answer = await live.line.command("book", { ...wish, commandId: undecided.current.commandId });
    if (answer.ok || !isUndecided(answer.error.code)) undecided.current = null;
    working(false);
    if (answer.ok && answer.appointment) return onBooked(answer.appointment);
    if (!answer.ok) setRefused({ start, text: errorText({ code: answer.error.code, message: answer.error.detail }) });
  };
  return { book, busy, problem: refused.start === start ? refused.text : "" };
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
