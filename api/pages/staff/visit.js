// The visit of a patient, from the arrival to the end: how far it is, and the buttons for what comes next.

import { timeOf } from "../shared/times.js";
import { html, useEffect, useRef } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { words } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {"check_in" | "call_in" | "complete" | "undo_visit"} Step */

const CHECK_IN_LEAD = 3 * 60 * 60_000; // ms before the start; the actors refuse what is earlier
const COMPLETE_LEAD = 30 * 60_000; // ms before the start, for who was not called into the room
const MINUTE = 60_000;

/** What can be done next. Nobody is marked as missed by hand: the hub does it 15 minutes after the start of an
 * appointment whose patient has not arrived, and "Check in" takes it back.
 *
 * @param {Appointment} appointment @param {number} now @returns {Step[]} */
export function stepsOf({ status, visit, start }, now) {
  const begins = Date.parse(start);
  if (!["scheduled", "confirmed", "no_show"].includes(status)) return [];
  if (visit === "in_room") return ["complete", "undo_visit"];
  if (visit === "arrived") return ["call_in", ...(now >= begins - COMPLETE_LEAD ? [/** @type {Step} */ ("complete")] : []), "undo_visit"];
  if (now < begins - CHECK_IN_LEAD) return [];
  return now < begins - COMPLETE_LEAD ? ["check_in"] : ["check_in", "complete"];
}

/** How far the visit is, in words: "Confirmed", "Waiting since 09:12 (18 min)".
 *
 * @param {Appointment} appointment @param {string} zone @param {number} now */
export function stateText({ status, visit, arrivedAt, inRoomAt, completedAt, offeredUntil }, zone, now) {
  if (status === "offered" && offeredUntil) return words.visit.offered(timeOf(offeredUntil, zone));
  if (status === "completed") return completedAt ? words.visit.done(timeOf(completedAt, zone)) : words.visit.completed;
  if (visit === "in_room" && inRoomAt) return words.visit.inRoom(timeOf(inRoomAt, zone), minutes(inRoomAt, now));
  if (visit === "arrived" && arrivedAt) return words.visit.arrived(timeOf(arrivedAt, zone), minutes(arrivedAt, now));
  return shared.mine.status[status];
}

/** The same for a narrow place: "Waiting 18 min".
 *
 * @param {Appointment} appointment @param {string} zone @param {number} now */
export function shortStateText({ status, visit, arrivedAt, inRoomAt, offeredUntil }, zone, now) {
  if (status === "offered" && offeredUntil) return words.visit.offered(timeOf(offeredUntil, zone));
  if (status === "completed") return words.visit.completed;
  if (visit === "in_room" && inRoomAt) return words.visit.inRoomFor(minutes(inRoomAt, now));
  if (visit === "arrived" && arrivedAt) return words.visit.waitingFor(minutes(arrivedAt, now));
  return shared.mine.status[status];
}

/** The class by which a state is drawn; it is never told by the colour alone.
 *
 * @param {Appointment} appointment */
export function stateClass({ status, visit }) {
  return status === "scheduled" || status === "confirmed" ? (visit ?? status) : status;
}

/** The buttons of the steps. When a step has replaced the button that one has pressed, the next one gets the focus.
 *
 * @param {{appointment: Appointment, now: number, busy: string, describedBy?: string, onStep: (step: Step) => void}} properties */
export function Steps({ appointment, now, busy, describedBy, onStep }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const pressed = useRef(false);
  const steps = stepsOf(appointment, now);
  useEffect(() => {
    if (!pressed.current || document.activeElement !== document.body) return;
    pressed.current = false;
    (list.current?.querySelector("button") ?? list.current)?.focus();
  }, [steps.join()]);
  const press = (/** @type {MouseEvent} */ event, /** @type {Step} */ step) => {
    if (event.detail > 1) return; // the second click of a double click is not meant for the button that has come
    pressed.current = true;
    onStep(step);
  };
  return html`<fieldset class="actions" tabindex="-1" aria-label=${words.visit.actions} ref=${list}>
    ${steps.map(
      (step, place) => html`<button
        key=${step}
        type="button"
        class=${place === 0 ? null : "secondary"}
        aria-describedby=${describedBy}
        aria-busy=${busy === step ? "true" : null}
        onClick=${(/** @type {MouseEvent} */ event) => press(event, step)}
      >${words.visit.steps[step]}</button>`,
    )}
  </fieldset>`;
}

/** @param {string} since @param {number} now */
function minutes(since, now) {
  return Math.max(0, Math.floor((now - Date.parse(since)) / MINUTE));
}
