// Reading doctors and free times, with a log-in or without.

import { readDoctors, readFreeDays, readSlots } from "../hub-client.js";
import { live } from "./line.js";
import { session } from "./session.js";
import { dayOf } from "./times.js";

/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").FreeDay} FreeDay */
/** @typedef {import("../hub-client.js").Slot} Slot */

const AHEAD = 62; // days: as many as the hub tells at once
const WATCH_AGAIN = 2_000; // ms after a watch that the hub could not begin
const EVERY = 10_000; // ms between two readings without a log-in, while somebody looks

/** All doctors by name. Throws a HubError. @returns {Promise<Doctor[]>} */
export function doctors() {
  return session.user ? session.ask("GET", "/api/v1/doctors") : readDoctors(session.url);
}

/** How much is free on each day of two months, from today on. Throws a HubError.
 *
 * @param {string} doctorId @returns {Promise<FreeDay[]>} */
export function freeDays(doctorId) {
  const path = `/api/v1/doctors/${encodeURIComponent(doctorId)}/free-days?days=${AHEAD}`;
  return session.user ? session.ask("GET", path) : readFreeDays(session.url, doctorId, { days: AHEAD });
}

/** Call `hears` with the slots of a doctor's day, now and whenever one changes; return what ends that.
 *
 * With a log-in the changes are told by the hub; without one, the day is read again from time to time.
 *
 * @param {Doctor} doctor @param {string} day @param {(slots: Slot[]) => void} hears */
export function followSlots(doctor, day, hears) {
  return session.user ? watchSlots(doctor, day, hears) : rereadSlots(doctor, day, hears);
}

/** @param {Doctor} doctor @param {string} day @param {(slots: Slot[]) => void} hears */
function watchSlots(doctor, day, hears) {
  /** @type {Slot[]} */
  let slots = [];
  let stopped = false;
  const watch = async () => {
    const answer = await live.line.watch(doctor.id, day);
    if (!answer.ok && !stopped) setTimeout(() => !stopped && watch(), WATCH_AGAIN);
  };
  const stop = live.hear({
    onWatched: (doctorId, date, told) => {
      if (doctorId === doctor.id && date === day) hears((slots = told));
    },
    onSlot: ({ doctorId, start, available }) => {
      if (doctorId !== doctor.id || dayOf(start, doctor.zone) !== day) return;
      // A slot that is new, because the doctor's hours have changed: its end is not told, so the day is read again.
      if (!slots.some((slot) => slot.start === start)) return void watch();
      hears((slots = slots.map((slot) => (slot.start === start ? { ...slot, available } : slot))));
    },
  });
  void watch();
  return () => {
    stopped = true;
    stop();
    void live.line.unwatch(doctor.id, day);
  };
}

/** @param {Doctor} doctor @param {string} day @param {(slots: Slot[]) => void} hears */
function rereadSlots(doctor, day, hears) {
  let stopped = false;
  const reread = async () => {
    if (document.hidden) return;
    try {
      const slots = await readSlots(session.url, doctor.id, day);
      if (!stopped) hears(slots);
    } catch {
      // The next reading comes soon, and a lost connection is said by the frame.
    }
  };
  const timer = setInterval(reread, EVERY);
  document.addEventListener("visibilitychange", reread);
  void reread();
  return () => {
    stopped = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", reread);
  };
}
