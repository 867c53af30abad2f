// An appointment of the desk: what is known of it, and everything that can be done with it.

import { session } from "../shared/session.js";
import { SlotPicker } from "../shared/slot_picker.js";
import { dayAndTime, dayOf, foreignZone } from "../shared/times.js";
import { announce, html, Problem, useEffect, useRef, useState, written } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { useCommand } from "../staff/command.js";
import { stateText, Steps } from "../staff/visit.js";
import { words } from "../staff/words.js";
import { Answer } from "../waitlist/answer.js";
import { isAhead } from "./rows.js";
import { words as desk } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").Patient} Patient */
/** @typedef {import("../staff/board.js").DoctorDay} DoctorDay */

/** @param {{id: string, days: DoctorDay[], doctors: Doctor[], now: number, onClose: () => void}} properties */
export function AppointmentDialog({ id, days, doctors, now, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const day = days.find(({ appointments }) => appointments.has(id));
  const appointment = day?.appointments.get(id);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector("h2")?.focus();
  }, []);
  const close = () => dialog.current?.close(); // the focus goes back to where it was
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
    <article>
      ${appointment && day
        ? html`<${Details} appointment=${appointment} day=${day} doctor=${doctors.find((each) => each.id === day.id)} now=${now} onClose=${close} />`
        : html`<h2 id="dialog-title" tabindex="-1">${desk.gone}</h2>`}
      <p class="closing"><button type="button" class="secondary" onClick=${close}>${desk.close}</button></p>
    </article>
  </dialog>`;
}

/** @param {{appointment: Appointment, day: DoctorDay, doctor: Doctor | undefined, now: number, onClose: () => void}} properties */
function Details({ appointment, day, doctor, now, onClose }) {
  const { busy, problem, run, clear } = useCommand();
  const [part, setPart] = useState(/** @type {"" | "move" | "cancel"} */ (""));
  const why = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => why.current?.focus(), [part]);
  const patient = usePatient(appointment.patientId);
  const { id, start, status, reason } = appointment;
  const name = appointment.patient?.name ?? words.visit.nameless;
  const zone = foreignZone(start, day.zone);
  const canChange = isAhead(appointment, now);

  const step = async (/** @type {string} */ kind, /** @type {string} */ said) => {
    if (await run(kind, { appointmentId: id })) announce(`${name} ${said}`);
  };
  const moveTo = async (/** @type {string} */ wanted) => {
    if (!(await run("reschedule", { appointmentId: id, start: wanted }))) return;
    announce(desk.moved(name, dayAndTime(wanted, day.zone)));
    onClose();
  };
  const cancel = async (/** @type {SubmitEvent} */ event) => {
    const text = written(event).reason.trim();
    if (!(await run("cancel", { appointmentId: id, ...(text ? { reason: text } : {}) }))) return;
    announce(desk.cancelled(name));
    onClose();
  };
  const answer = async (/** @type {"accept" | "decline"} */ kind) => {
    if (!(await run(kind, { appointmentId: id }))) return;
    announce((kind === "accept" ? words.offer.taken : words.offer.passed)(name));
    onClose();
  };
  const show = (/** @type {"move" | "cancel"} */ wanted) => {
    clear();
    setPart(part === wanted ? "" : wanted);
  };
  const expanded = (/** @type {string} */ wanted) => (part === wanted ? "true" : "false");
  return html`
    <h2 id="dialog-title" tabindex="-1">${name}</h2>
    <p><strong>${dayAndTime(start, day.zone)}</strong><br />${day.name}${zone && html`<br /><span class="quiet">${shared.frame.zone(zone)}</span>`}</p>
    <p>${stateText(appointment, day.zone, now)}</p>
    ${reason && html`<p>${desk.reason}: ${reason}</p>`}
    ${patient && html`<p>${desk.phone}: ${patient.phone ? html`<a href=${`tel:${patient.phone}`}>${patient.phone}</a>` : desk.noPhone}</p>`}
    ${status === "offered" && html`<${Answer} busy=${busy} describedBy="dialog-title" onAnswer=${answer} />`}
    <${Steps} appointment=${appointment} now=${now} busy=${busy} describedBy="dialog-title" onStep=${(/** @type {import("../staff/visit.js").Step} */ kind) => step(kind, words.visit.said[kind])} />
    ${canChange &&
    html`<p class="actions">
      ${status === "scheduled" && html`<button type="button" class="secondary" aria-busy=${busy === "confirm" ? "true" : null} onClick=${() => step("confirm", desk.confirmed)}>${desk.confirm}</button>`}
      <button type="button" class="secondary" aria-expanded=${expanded("move")} onClick=${() => show("move")}>${desk.move}</button>
      <button type="button" class="secondary" aria-expanded=${expanded("cancel")} onClick=${() => show("cancel")}>${desk.cancel}</button>
    </p>`}
    <${Problem}>${problem}</>
    ${canChange && part === "move" && doctor && html`<${Mover} doctor=${doctor} first=${dayOf(start, day.zone)} busy=${busy !== ""} onChoose=${moveTo} />`}
    ${canChange &&
    part === "cancel" &&
    html`<form onSubmit=${cancel}>
      <label for="cancel-reason">${desk.cancelReason}</label>
      <input id="cancel-reason" name="reason" maxlength="500" autocomplete="off" aria-describedby="cancel-hint" ref=${why} />
      <small id="cancel-hint">${desk.cancelHint}</small>
      <button type="submit" aria-busy=${busy === "cancel" ? "true" : null}>${desk.cancelSubmit}</button>
    </form>`}
  `;
}

/** @param {{doctor: Doctor, first: string, busy: boolean, onChoose: (start: string) => void}} properties */
function Mover({ doctor, first, busy, onChoose }) {
  const [day, setDay] = useState(/** @type {string | null} */ (first));
  return html`<section aria-label=${desk.moveTo}>
    <${SlotPicker} doctor=${doctor} day=${day} chosen=${null} busy=${busy} level=${3} onDay=${setDay} onChoose=${onChoose} />
  </section>`;
}

/** Who the patient is, with the phone; null while that is read, or if it cannot be read.
 *
 * @param {string} id */
function usePatient(id) {
  const [patient, setPatient] = useState(/** @type {Patient | null} */ (null));
  useEffect(() => {
    let current = true;
    session.patient(id).then((read) => current && setPatient(read), () => {}); // the rest can be done without it
    return () => void (current = false);
  }, [id]);
  return patient;
}
