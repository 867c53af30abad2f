// What one sees after booking.

import { download } from "../shared/download.js";
import { dayAndTime, foreignZone } from "../shared/times.js";
import { FocusedHeading, html, Problem, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";
import { words } from "../shared/words.js";
import { codeOf } from "../shared/session.js";

/** @param {{appointment: import("../hub-client.js").Appointment, doctor: import("../hub-client.js").Doctor}} properties */
export function Booked({ appointment, doctor }) {
  const [problem, setProblem] = useState("");
  const zone = foreignZone(appointment.start, doctor.zone);
  const save = () =>
    download(`/api/v1/appointments/${appointment.id}/calendar.ics`, "appointment.ics").catch((error) => setProblem(errorText({ code: codeOf(error) })));
  return html`<section class="narrow">
    <${FocusedHeading}>${words.book.done}</>
    <p class="when"><strong>${dayAndTime(appointment.start, doctor.zone)}</strong><br />${words.book.with(doctor.name)}</p>
    ${zone && html`<p class="quiet">${words.frame.zone(zone)}</p>`}
    ${appointment.reason && html`<p>${words.mine.reason}: ${appointment.reason}</p>`}
    <p class="actions">
      <button type="button" onClick=${save}>${words.book.calendar}</button>
      <a class="button secondary" href="/mine">${words.book.all}</a>
      <a class="button secondary" href="/book">${words.book.another}</a>
    </p>
    <${Problem}>${problem}</>
  </section>`;
}
