// The appointments of a day as a list, each with the buttons of its visit.

import { timeOf } from "../shared/times.js";
import { announce, html, Problem, useRef } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { useCommand } from "../staff/command.js";
import { stateClass, stateText, Steps } from "../staff/visit.js";
import { words } from "../staff/words.js";
import { Answer } from "../waitlist/answer.js";
import { name, nextOf } from "./now.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */

/** @param {{appointments: Appointment[], zone: string, now: number, quiet?: boolean}} properties */
export function List({ appointments, zone, now, quiet = false }) {
  const next = nextOf(appointments.filter(({ status }) => status === "scheduled" || status === "confirmed"));
  return html`<ol class="visits" tabindex="-1" aria-label=${quiet ? null : words.day.list}>
    ${appointments.map(
      (appointment) => html`<${Visit}
        key=${appointment.id}
        appointment=${appointment}
        time=${timeOf(appointment.start, zone)}
        zone=${zone}
        now=${now}
        isNext=${!quiet && appointment === next}
      />`,
    )}
  </ol>`;
}

/** @param {{appointment: Appointment, time: string, zone: string, now: number, isNext: boolean}} properties */
function Visit({ appointment, time, zone, now, isNext }) {
  const { busy, problem, run } = useCommand();
  const { id, reason } = appointment;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const step = async (/** @type {import("../staff/visit.js").Step} */ kind) => {
    if (await run(kind, { appointmentId: id })) announce(`${name(appointment)} ${words.visit.said[kind]}`);
  };
  const answer = async (/** @type {"accept" | "decline"} */ kind) => {
    const list = heading.current?.closest("ol"); // the appointment may be gone from it when the answer comes
    if (!(await run(kind, { appointmentId: id }))) return;
    announce((kind === "accept" ? words.offer.taken : words.offer.passed)(name(appointment)));
    (kind === "accept" ? heading.current : list)?.focus(); // the buttons are gone
  };
  return html`<li class=${`visit ${stateClass(appointment)}${isNext ? " next" : ""}`} aria-busy=${busy ? "true" : null}>
    <span class="time">${time}</span>
    <div class="person">
      <h2 id="who-${id}" tabindex="-1" ref=${heading}>${name(appointment)}</h2>
      <p class="state">${isNext && html`<strong>${words.day.next} · </strong>`}${stateText(appointment, zone, now)}</p>
      ${reason && html`<p class="quiet">${shared.mine.reason}: ${reason}</p>`}
      <${Problem}>${problem}</>
    </div>
    ${appointment.status === "offered"
      ? html`<${Answer} busy=${busy} describedBy=${`who-${id}`} onAnswer=${answer} />`
      : html`<${Steps} appointment=${appointment} now=${now} busy=${busy} describedBy=${`who-${id}`} onStep=${step} />`}
  </li>`;
}
