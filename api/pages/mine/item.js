// One appointment of the list: confirm it, move it, cancel it.

import { live } from "../shared/line.js";
import { SlotPicker } from "../shared/slot_picker.js";
import { dayAndTime, foreignZone } from "../shared/times.js";
import { announce, FocusedHeading, html, Problem, useRef, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";
import { words } from "../shared/words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */

const EVENT_WITHIN = 2_000; // ms by which the event of a command may come after its answer

/** @param {{
 *   appointment: Appointment,
 *   doctor: Doctor | undefined,
 *   own: Set<string>,
 *   onSay: (notice: import("./appointments.js").Notice | null) => void,
 * }} properties */
export function Item({ appointment, doctor, own, onSay }) {
  const [moving, setMoving] = useState(false);
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const move = useRef(/** @type {HTMLElement | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const { id, start, status } = appointment;
  const zone = doctor?.zone ?? "UTC";
  const when = dayAndTime(start, zone);
  const foreign = foreignZone(start, zone);

  const change = async (/** @type {string} */ kind, /** @type {Record<string, unknown>} */ more = {}) => {
    if (busy) return false;
    setBusy(kind);
    setProblem("");
    own.add(id);
    const answer = await live.line.command(kind, { appointmentId: id, ...more });
    setTimeout(() => own.delete(id), EVENT_WITHIN);
    setBusy("");
    if (!answer.ok) setProblem(errorText({ code: answer.error.code, message: answer.error.detail }));
    return answer.ok;
  };
  const confirm = async () => {
    if (!(await change("confirm"))) return;
    announce(words.mine.confirmed);
    heading.current?.focus(); // the button is gone
  };
  const cancel = async () => {
    if (await change("cancel")) onSay({ text: words.mine.cancelled(when), again: appointment });
  };
  const moveTo = async (/** @type {string} */ wanted) => {
    if (!(await change("reschedule", { start: wanted }))) return;
    setMoving(false);
    onSay({ text: words.mine.moved(dayAndTime(wanted, zone)) });
  };
  const keep = () => {
    setMoving(false);
    move.current?.focus();
  };
  return html`<li aria-busy=${busy ? "true" : null}>
    <h3 id="when-${id}" tabindex="-1" ref=${heading}>${when}</h3>
    <p class="who">${words.book.with(appointment.doctor?.name ?? doctor?.name ?? "")} <span class="status ${status}">${words.mine.status[status]}</span></p>
    ${foreign && html`<p class="quiet">${words.frame.zone(foreign)}</p>`}
    ${appointment.reason && html`<p class="quiet">${words.mine.reason}: ${appointment.reason}</p>`}
    <p class="actions">
      ${status === "scheduled" &&
      html`<button type="button" aria-describedby="when-${id}" aria-busy=${busy === "confirm" ? "true" : null} onClick=${confirm}>${words.mine.confirm}</button>`}
      <button type="button" class="secondary" ref=${move} aria-describedby="when-${id}" aria-expanded=${moving ? "true" : "false"} onClick=${() => setMoving(!moving)}>${words.mine.move}</button>
      <button type="button" class="secondary" aria-describedby="when-${id}" aria-busy=${busy === "cancel" ? "true" : null} onClick=${cancel}>${words.mine.cancel}</button>
    </p>
    <${Problem}>${problem}</>
    ${moving && doctor && html`<${Mover} doctor=${doctor} busy=${busy !== ""} onChoose=${moveTo} onKeep=${keep} />`}
  </li>`;
}

/** @param {{doctor: Doctor, busy: boolean, onChoose: (start: string) => void, onKeep: () => void}} properties */
function Mover({ doctor, busy, onChoose, onKeep }) {
  const [day, setDay] = useState(/** @type {string | null} */ (null));
  return html`<div class="mover">
    <${FocusedHeading} level=${4}>${words.mine.moveTo}</>
    <${SlotPicker} doctor=${doctor} day=${day} chosen=${null} busy=${busy} level=${5} onDay=${setDay} onChoose=${onChoose} />
    <p><button type="button" class="secondary" onClick=${onKeep}>${words.mine.keep}</button></p>
  </div>`;
}
