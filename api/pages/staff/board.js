// The day of one or more doctors as it is now, kept true by what the hub tells.

import { now } from "../shared/clock.js";
import { live } from "../shared/line.js";
import { isUndecided } from "../hub-client.js";
import { dayOf } from "../shared/times.js";
import { useEffect, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").AppointmentEvent} AppointmentEvent */
/** @typedef {import("../hub-client.js").SlotEvent} SlotEvent */

/** A doctor's day. It is replaced when something of it changes, so a part that shows it can compare it.
 *
 * `seq`: all events up to this one were in the board as it was read.
 *
 * @typedef {{
 *   id: string,
 *   name: string,
 *   zone: string,
 *   seq: number,
 *   slots: Map<string, boolean>,
 *   appointments: Map<string, Appointment>,
 * }} DoctorDay */

/** `of`: what was asked for. @typedef {{of: string, date: string, doctors: DoctorDay[]}} Board */

const SLOT = 30 * 60_000; // ms: every appointment takes half an hour
const WALK_IN = 15 * 60_000; // ms from its start on in which the clinic's people may still book a slot
const AGAIN = 1_000; // ms until a board that could not be read is asked for again
const TICK = 15_000; // ms between two looks at the clock

/** The board of a day; null while it is read. Call it in a component, like the hooks of Preact.
 *
 * @param {string} date @returns {{board: Board | null, problem: string}} */
export function useBoard(date) {
  const [board, setBoard] = useState(/** @type {Board | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let current = true;
    const ask = async () => {
      const answer = await live.line.board(date); // the line asks again by itself after a lost connection
      if (!current || answer.ok) return;
      if (isUndecided(answer.error.code)) setTimeout(() => current && void ask(), AGAIN);
      else setProblem(errorText({ code: answer.error.code, message: answer.error.detail }));
    };
    const stop = live.hear({
      onBoard: (read) => {
        if (read.date !== date) return;
        setProblem("");
        setBoard({ of: date, date, doctors: read.doctors.map((doctor) => dayOfDoctor(doctor, read.position[doctor.id] ?? 0)) });
      },
      onAppointment: (event) => setBoard((before) => before && changed(before, event.appointment.doctorId, event.seq, (day) => withAppointment(day, date, event))),
      onSlot: (event) => setBoard((before) => before && changed(before, event.doctorId, event.seq, (day) => withSlot(day, date, event))),
    });
    setProblem("");
    void ask();
    return () => {
      current = false;
      stop();
    };
  }, [date]);
  return { board: board?.of === date ? board : null, problem };
}

/** The hub's time in ms; it goes on while one looks.
 *
 * @returns {number} */
export function useNow() {
  const [time, setTime] = useState(now());
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), TICK);
    return () => clearInterval(timer);
  }, []);
  return time;
}

/** The appointment that holds each half hour, or that was there last: never more than one.
 *
 * @param {DoctorDay} day @returns {Map<string, Appointment>} */
export function holders(day) {
  /** @type {Map<string, Appointment>} */
  const found = new Map();
  for (const appointment of day.appointments.values()) {
    const other = found.get(appointment.start);
    if (!isGone(appointment) && (!other || RANK[appointment.status] > RANK[other.status])) found.set(appointment.start, appointment);
  }
  return found;
}

/** Whether it holds no time and never took place: it is cancelled, or an offer that nobody took.
 *
 * @param {Appointment} appointment */
export function isGone({ status }) {
  return status === "cancelled" || status === "lapsed";
}

/** Whether the clinic's people may book the half hour that nobody holds: it is free, or it has just begun.
 *
 * @param {DoctorDay} day @param {string} start @param {number} now */
export function isFree(day, start, now) {
  const begins = Date.parse(start);
  return begins > now ? day.slots.get(start) === true : day.slots.has(start) && now < begins + WALK_IN;
}

/** The half hours of a day in order: those that can be or could be booked, and those that somebody holds.
 *
 * @param {DoctorDay} day @param {Map<string, Appointment>} held */
export function halfHours(day, held) {
  return [...new Set([...day.slots.keys(), ...held.keys()])].sort();
}

/** @param {string} start */
export function endOf(start) {
  return new Date(Date.parse(start) + SLOT).toISOString();
}

const RANK = { cancelled: 0, lapsed: 0, no_show: 1, completed: 2, scheduled: 3, confirmed: 3, offered: 3 };

/** @param {import("../hub-client.js").BoardDoctor} doctor @param {number} seq @returns {DoctorDay} */
function dayOfDoctor({ id, name, zone, slots, appointments }, seq) {
  const free = new Map(slots.map((slot) => [slot.start, slot.available]));
  return { id, name, zone, seq, slots: free, appointments: new Map(appointments.map((each) => [each.id, each])) };
}

/** @param {Board} board @param {string} doctorId @param {number} seq @param {(day: DoctorDay) => DoctorDay} change @returns {Board} */
function changed(board, doctorId, seq, change) {
  const doctors = board.doctors.map((day) => (day.id === doctorId && seq > day.seq ? change(day) : day));
  return doctors.some((day, place) => day !== board.doctors[place]) ? { ...board, doctors } : board;
}

/** @param {DoctorDay} day @param {string} date @param {import("../hub-client.js").AppointmentEvent} event @returns {DoctorDay} */
function withAppointment(day, date, { type, appointment }) {
  const appointments = new Map(day.appointments);
  const known = appointments.get(appointment.id);
  if (dayOf(appointment.start, day.zone) === date) {
    // The name is null when the hub could not read it in time, or when the patient was erased.
    const patient = appointment.patient?.name || type === "patient_erased" ? appointment.patient : (known?.patient ?? appointment.patient);
    appointments.set(appointment.id, { ...appointment, ...(patient && { patient }) });
  } else if (!appointments.delete(appointment.id)) return day;
  return { ...day, appointments };
}

/** @param {DoctorDay} day @param {string} date @param {SlotEvent} event @returns {DoctorDay} */
function withSlot(day, date, { start, available }) {
  if (dayOf(start, day.zone) !== date) return day;
  return { ...day, slots: new Map(day.slots).set(start, available) };
}
