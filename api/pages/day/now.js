// Who is in the room, who waits, who is next; and what is read out when it changes.

import { timeOf } from "../shared/times.js";
import { announce, html, useEffect, useRef } from "../shared/ui.js";
import { isGone } from "../staff/board.js";
import { stateText } from "../staff/visit.js";
import { words } from "../staff/words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */

/** @param {{appointments: Appointment[], zone: string, now: number}} properties */
export function NowAndNext({ appointments, zone, now }) {
  const active = appointments.filter(({ status }) => status === "scheduled" || status === "confirmed");
  const inRoom = active.filter(({ visit }) => visit === "in_room");
  const waiting = active.filter(({ visit }) => visit === "arrived");
  const next = nextOf(active);
  return html`<section class="now" aria-label=${words.day.now}>
    <dl>
      <div><dt>${words.day.inRoom}</dt><dd>${inRoom.length ? inRoom.map(name).join(", ") : words.day.nobody}</dd></div>
      <div><dt>${words.day.waiting}</dt>
        <dd>${waiting.length ? html`<ul>${waiting.map((each) => html`<li key=${each.id}>${name(each)} <small>${stateText(each, zone, now)}</small></li>`)}</ul>` : words.day.nobody}</dd></div>
      <div><dt>${words.day.next}</dt><dd>${next ? html`<strong>${timeOf(next.start, zone)} ${name(next)}</strong>` : words.day.nobody}</dd></div>
    </dl>
  </section>`;
}

/** Who is to be seen next: of those who are not in the room yet, the earliest who has arrived, else the earliest.
 *
 * @param {Appointment[]} active in the order of their starts @returns {Appointment | undefined} */
export function nextOf(active) {
  return active.find(({ visit }) => visit === "arrived") ?? active.find(({ visit }) => visit === null);
}

/** @param {Appointment} appointment */
export function name({ patient }) {
  return patient?.name ?? words.visit.nameless;
}

/** Read out what others have changed of the day: who has arrived, who has booked, who has cancelled.
 *
 * @param {import("../staff/board.js").DoctorDay | null} day @param {boolean} isToday */
export function useNews(day, isToday) {
  const before = useRef(/** @type {{of: string, appointments: Map<string, Appointment>} | null} */ (null));
  useEffect(() => {
    if (!day) return void (before.current = null);
    const known = before.current?.appointments;
    before.current = { of: day.id, appointments: day.appointments };
    if (!known || known === day.appointments) return;
    for (const appointment of day.appointments.values()) {
      const said = isToday || !known.has(appointment.id) ? news(known.get(appointment.id), appointment, day.zone) : "";
      if (said) announce(said);
    }
  }, [day]);
}

/** @param {Appointment | undefined} before @param {Appointment} after @param {string} zone */
function news(before, after, zone) {
  if (!before?.visit && after.visit === "arrived") return words.day.arrivedNow(name(after));
  const time = timeOf(after.start, zone);
  if (before?.status !== "offered" && after.status === "offered") return words.day.offeredNow(name(after), time);
  if ((!before || (before.status === "offered" && after.status !== "offered")) && !isGone(after)) return words.day.bookedNow(name(after), time);
  if (before && before.status !== "cancelled" && after.status === "cancelled") return words.day.cancelledNow(name(after), time);
  return "";
}
