// The front desk: all doctors of a day side by side; patients are found, registered, booked, moved, checked in.

import { open } from "../shared/frame.js";
import { doctors as readDoctors } from "../shared/reading.js";
import { dayOf, timeOf } from "../shared/times.js";
import { announce, html, Problem, Skeleton, useCallback, useEffect, useLater, useRef, useState } from "../shared/ui.js";
import { useBoard, useNow } from "../staff/board.js";
import { useCommand } from "../staff/command.js";
import { DayHead, useDay } from "../staff/days.js";
import { words } from "../staff/words.js";
import { AppointmentDialog } from "./dialog.js";
import { DisplayLink } from "./display_link.js";
import { Finder } from "./finder.js";
import { Table } from "./table.js";
import { words as desk } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").Patient} Patient */
/** @typedef {import("../staff/board.js").DoctorDay} DoctorDay */
/** @typedef {{doctorId: string, start: string}} Place */

const FOCUS_WITHIN = 30_000; // ms in which the event of a change is told, also by a busy hub
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function Desk() {
  const [date, go] = useDay(ZONE);
  const { board, problem } = useBoard(date);
  const now = useNow();
  const [only, setOnly] = useState("");
  const [patient, setPatient] = useState(/** @type {Patient | null} */ (null));
  const [wanted, setWanted] = useState(/** @type {Place | null} */ (null));
  const [opened, setOpened] = useState(/** @type {{id: string, place: Place} | null} */ (null));
  const doctors = useDoctors();
  const lines = useLater(() => import("../waitlist/line.js"));
  const adding = useLater(() => import("../waitlist/add.js"));
  const booking = useBooking(board?.doctors ?? [], setPatient, setWanted);
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const days = board?.doctors ?? [];
  const shown = days.some(({ id }) => id === only) ? days.filter(({ id }) => id === only) : days;

  useEffect(() => {
    setWanted(null);
    booking.clear();
  }, [date]);
  const toTable = () => requestAnimationFrame(() => frame.current?.querySelector(/** @type {"button"} */ ("td button[tabindex='0']"))?.focus());
  const choose = (/** @type {Patient | null} */ chosen) => {
    if (chosen && wanted) void booking.book(chosen, wanted);
    else setPatient(chosen);
    if (chosen) {
      if (!wanted) announce(desk.pickTime(chosen.name));
      toTable();
    }
  };
  const pick = (/** @type {Place} */ place) => {
    booking.clear();
    if (patient) return void booking.book(patient, place);
    setWanted(place);
    document.getElementById("find")?.focus();
  };
  const closed = () => {
    if (opened) focusAt(opened.place);
    setOpened(null);
  };
  return html`<div class="desk" ref=${frame}>
    <${DayHead} day=${date} today=${dayOf(now, ZONE)} onDay=${go}>
      <${DoctorChoice} days=${days} only=${only} onChange=${setOnly} />
    </>
    <${Finder} patient=${patient} wanted=${wanted && placeText(wanted, days)} onChoose=${choose} onDrop=${() => setWanted(null)} />
    ${patient && adding && html`<${adding.AddToLine} key=${patient.id} patient=${patient} doctors=${doctors.filter(({ id, disabled }) => !disabled && (!only || id === only))} date=${date} />`}
    <${Problem}>${problem}</>
    ${board
      ? html`<${Table} key=${date} days=${shown} now=${now} wanted=${wanted} busy=${booking.busy} refused=${booking.refused} onPick=${pick} onOpen=${(/** @type {string} */ id, /** @type {Place} */ place) => setOpened({ id, place })} onMove=${booking.move} />`
      : !problem && html`<${Skeleton} lines=${10} />`}
    ${lines && doctors.length > 0 && html`<${lines.Lines} doctors=${doctors.filter(({ id }) => !only || id === only)} offers=${days.flatMap(({ appointments }) => [...appointments.values()].filter(({ status }) => status === "offered"))} />`}
    <${DisplayLink} />
    ${opened && board && html`<${AppointmentDialog} key=${opened.id} id=${opened.id} days=${days} doctors=${doctors} now=${now} onClose=${closed} />`}
  </div>`;
}

/** Keep the focus at a place of the table, where it is lost when the button there is replaced by a new one, until the
 * person does something.
 *
 * @param {Place} place */
function focusAt({ doctorId, start }) {
  const acted = new AbortController();
  const until = AbortSignal.any([acted.signal, AbortSignal.timeout(FOCUS_WITHIN)]);
  for (const act of ["keydown", "pointerdown"]) addEventListener(act, () => acted.abort(), { capture: true, signal: until });
  const look = () => {
    if (until.aborted) return;
    const focused = document.activeElement;
    if (!focused || focused === document.body || focused.closest("dialog:not([open])"))
      document.querySelector(/** @type {"button"} */ (`td button[data-doctor="${doctorId}"][data-start="${start}"]`))?.focus({ preventScroll: true });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** The commands to a place of the table, to book it or to move an appointment there, and why one was refused.
 *
 * @param {DoctorDay[]} days @param {(patient: Patient | null) => void} setPatient @param {(place: Place | null) => void} setWanted */
function useBooking(days, setPatient, setWanted) {
  const { busy, problem, run, clear } = useCommand();
  const [place, setPlace] = useState(/** @type {Place | null} */ (null));
  const book = async (/** @type {Patient} */ patient, /** @type {Place} */ at) => {
    if (busy) return;
    setPlace(at);
    const done = await run("book", { ...at, patientId: patient.id });
    setWanted(null);
    setPatient(done ? null : patient); // a refused one is still to be booked, at another time
    if (done) announce(desk.booked(patient.name, placeText(at, days)));
  };
  const move = async (/** @type {string} */ appointmentId, /** @type {Place} */ at) => {
    if (busy) return;
    const appointment = days.find(({ id }) => id === at.doctorId)?.appointments.get(appointmentId);
    setPlace(at);
    const done = await run("reschedule", { appointmentId, start: at.start });
    if (done) announce(desk.moved(appointment?.patient?.name ?? words.visit.nameless, placeText(at, days)));
  };
  return { book, move, busy: busy ? place : null, refused: problem && place ? { place, text: problem } : null, clear };
}

/** @param {{days: DoctorDay[], only: string, onChange: (id: string) => void}} properties */
function DoctorChoice({ days, only, onChange }) {
  if (days.length < 2) return null;
  return html`<select aria-label=${desk.doctors} value=${only} onChange=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
    <option value="">${desk.all}</option>
    ${days.map(({ id, name }) => html`<option key=${id} value=${id} selected=${id === only}>${name}</option>`)}
  </select>`;
}

/** "09:30, Dr. Mia Moor". @param {Place} place @param {DoctorDay[]} days */
function placeText({ doctorId, start }, days) {
  const day = days.find(({ id }) => id === doctorId);
  return day ? desk.with(timeOf(start, day.zone), day.name) : "";
}

/** The doctors with their hours, for the choice of another day; read once. */
function useDoctors() {
  const [doctors, setDoctors] = useState(/** @type {Doctor[]} */ ([]));
  const read = useCallback(() => void readDoctors().then(setDoctors, () => setTimeout(read, 2_000)), []);
  useEffect(read, []);
  return doctors;
}

await open(Desk, { roles: ["receptionist"] });
