// What is offered to a patient who waits: take it, or pass, while there is time.

import { now } from "../shared/clock.js";
import { useCommand } from "../shared/command.js";
import { errorText } from "../shared/language.js";
import { dayAndTime, foreignZone, timeOf } from "../shared/times.js";
import { announce, html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { words } from "../waitlist/words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */

const TICK = 1_000; // ms between two looks at the clock
const MINUTE = 60_000; // ms
const SAID_AT = [10, 5, 1]; // minutes left at which that is read out
const EVENT_WITHIN = 2_000; // ms by which the event of a command may come after its answer

/** @param {{
 *   all: Map<string, Appointment>,
 *   doctors: Map<string, Doctor>,
 *   own: Set<string>,
 *   onSay: (notice: import("./appointments.js").Notice) => void,
 * }} properties `own`: the appointments that are being changed here */
export function Offers({ all, doctors, own, onSay }) {
  const time = useTime([...all.values()].some(isOffer));
  const open = [...all.values()].filter((each) => isOpenOffer(each, time)).sort((one, other) => (one.start < other.start ? -1 : 1));
  useOver(open, all, own, (appointment, text) => onSay({ text: text(dayAndTime(appointment.start, zoneOf(appointment, doctors))), keepsFocus: true }));
  if (open.length === 0) return null;
  return html`
    <h2 id="offers">${words.offers.title}</h2>
    <ul class="cards offers" aria-labelledby="offers">
      ${open.map(
        (appointment) => html`<${Offer} key=${appointment.id} appointment=${appointment} doctor=${doctors.get(appointment.doctorId)} left=${Date.parse(appointment.offeredUntil ?? "") - time} own=${own} onSay=${onSay} />`,
      )}
    </ul>
  `;
}

/** @param {Appointment} appointment */
export function isOffer({ status }) {
  return status === "offered";
}

/** Whether an offer can still be taken, at a time in ms. @param {Appointment} appointment @param {number} time */
function isOpenOffer(appointment, time) {
  return isOffer(appointment) && Date.parse(appointment.offeredUntil ?? "") > time;
}

/** @param {Appointment} appointment @param {Map<string, Doctor>} doctors */
export function zoneOf({ doctorId }, doctors) {
  return doctors.get(doctorId)?.zone ?? "UTC";
}

/** Say of each offer that goes away, unless one has answered it here, what has become of it.
 *
 * @param {Appointment[]} open @param {Map<string, Appointment>} all @param {Set<string>} own
 * @param {(appointment: Appointment, text: (when: string) => string) => void} say */
function useOver(open, all, own, say) {
  const before = useRef(open);
  useEffect(() => {
    const gone = before.current.filter(({ id }) => !open.some((each) => each.id === id) && !own.has(id));
    before.current = open;
    for (const offer of gone) {
      const { status } = all.get(offer.id) ?? offer;
      say(offer, status === "scheduled" || status === "confirmed" ? words.offers.booked : words.offers.over);
    }
  }, [open.map(({ id }) => id).join()]);
}

/** @param {{
 *   appointment: Appointment,
 *   doctor: Doctor | undefined,
 *   left: number,
 *   own: Set<string>,
 *   onSay: (notice: import("./appointments.js").Notice) => void,
 * }} properties `left`: ms */
function Offer({ appointment, doctor, left, own, onSay }) {
  const { busy, problem, run } = useCommand(({ code, message }) => (code === "wrong_status" ? words.offers.late : errorText({ code, message })));
  const { id, start, offeredUntil } = appointment;
  const zone = doctor?.zone ?? "UTC";
  const when = dayAndTime(start, zone);
  const foreign = foreignZone(start, zone);
  useWarnings(left);
  const answer = async (/** @type {"accept" | "decline"} */ kind) => {
    own.add(id);
    const done = await run(kind, { appointmentId: id });
    if (!done) return void own.delete(id);
    setTimeout(() => own.delete(id), EVENT_WITHIN);
    onSay({ text: (kind === "accept" ? words.offers.taken : words.offers.passed)(when) });
  };
  return html`<li aria-busy=${busy ? "true" : null}>
    <h3 id="when-${id}">${when}</h3>
    <p>${shared.book.with(appointment.doctor?.name ?? doctor?.name ?? "")}</p>
    ${foreign && html`<p class="quiet">${shared.frame.zone(foreign)}</p>`}
    <p id="left-${id}">${words.offers.until(timeOf(offeredUntil ?? start, zone))} · <strong class="left" role="timer">${leftText(left)}</strong></p>
    <p class="actions">
      <button type="button" aria-describedby="when-${id} left-${id}" aria-busy=${busy === "accept" ? "true" : null} onClick=${() => answer("accept")}>${words.offers.take}</button>
      <button type="button" class="secondary" aria-describedby="when-${id}" aria-busy=${busy === "decline" ? "true" : null} onClick=${() => answer("decline")}>${words.offers.pass}</button>
    </p>
    <${Problem}>${problem}</>
  </li>`;
}

/** Read out from time to time how much time is left, and not each second. @param {number} left ms */
function useWarnings(left) {
  const minutes = Math.ceil(left / MINUTE);
  const before = useRef(minutes);
  useEffect(() => {
    const passed = SAID_AT.filter((each) => minutes <= each && each < before.current);
    before.current = minutes;
    if (passed.length) announce(leftText(left));
  }, [minutes]);
}

/** @param {number} left ms */
function leftText(left) {
  return left > MINUTE ? words.offers.minutes(Math.ceil(left / MINUTE)) : words.offers.seconds(Math.max(0, Math.ceil(left / 1_000)));
}

/** The hub's time in ms, each second while `ticks`. @param {boolean} ticks */
function useTime(ticks) {
  const [time, setTime] = useState(now());
  useEffect(() => {
    if (!ticks) return undefined;
    const timer = setInterval(() => setTime(now()), TICK);
    return () => clearInterval(timer);
  }, [ticks]);
  return ticks ? Math.max(time, now()) : now();
}
