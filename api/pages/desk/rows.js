// The rows of the table: one for each time of the doctors' clocks at which there is anything.

import { clockOf, timeOf } from "../shared/times.js";
import { halfHours, holders, isFree } from "../staff/board.js";
import { shortStateText, stateClass } from "../staff/visit.js";
import { words } from "../staff/words.js";
import { words as desk } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../staff/board.js").DoctorDay} DoctorDay */

/** What a cell shows: a time that is free, or an appointment. The same values mean the same drawing.
 *
 * @typedef {{id: string, doctor: string, doctorName: string, start: string, time: string, appointment: string | null, name: string, state: string, kind: string, movable: boolean}} Entry */

/** @typedef {{time: string, cells: Entry[][]}} Row */

const SLOT = 30 * 60_000; // ms

/** The rows; `places`: the ids of all entries; `first`: that on which the Tab key comes in; `current`: the row of now.
 *
 * @param {DoctorDay[]} days @param {number} now
 * @returns {{rows: Row[], places: Set<string>, first: string, current: string | null}} */
export function rowsOf(days, now) {
  const columns = days.map((day) => column(day, now));
  const times = [...new Set(columns.flatMap(({ starts }) => [...starts.keys()]))].sort();
  const rows = times.map((time) => ({ time, cells: columns.map(({ starts, entries }) => (starts.get(time) ?? []).flatMap((start) => entries.get(start) ?? [])) }));
  const all = rows.flatMap(({ cells }) => cells.flat());
  const begun = now - SLOT;
  const first = all.find(({ start, kind }) => kind === "free" && Date.parse(start) > begun) ?? all[0];
  const running = columns.flatMap(({ starts }) => [...starts]).find(([, found]) => found.some((start) => Date.parse(start) <= now && now < Date.parse(start) + SLOT));
  return { rows, places: new Set(all.map(({ id }) => id)), first: first?.id ?? "", current: running?.[0] ?? null };
}

/** @typedef {{day: DoctorDay, now: number, starts: Map<string, string[]>, entries: Map<string, Entry>}} Column */

/** What was made of each doctor's day lately, by the doctor's id. A day is another object once something of it has
 * changed; an entry is the same object until what it shows changes, so rows can be compared.
 *
 * @type {Map<string, Column>} */
const known = new Map();

/** A doctor's day: the starts by the time that the clock shows, and the entry of each start that has one.
 *
 * @param {DoctorDay} day @param {number} now @returns {Column} */
function column(day, now) {
  const last = known.get(day.id);
  const same = last?.day === day ? last : null;
  if (same?.now === now) return same;
  const held = holders(day);
  const starts = same?.starts ?? byTime(day, halfHours(day, held));
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  for (const found of starts.values()) {
    for (const start of found) {
      const entry = entryOf(day, held.get(start), start, timeOf(start, day.zone), now);
      const before = last?.entries.get(start);
      if (entry) entries.set(start, before && isSame(before, entry) ? before : entry);
    }
  }
  const made = { day, now, starts, entries };
  known.set(day.id, made);
  return made;
}

/** Whether two entries show the same.
 *
 * @param {Entry} one @param {Entry} other */
function isSame(one, other) {
  const values = /** @type {Record<string, unknown>} */ (one);
  return Object.entries(other).every(([name, value]) => values[name] === value);
}

/** @param {DoctorDay} day @param {string[]} starts */
function byTime(day, starts) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const start of starts) {
    const time = clockOf(start, day.zone);
    found.set(time, [...(found.get(time) ?? []), start]);
  }
  return found;
}

/** @param {DoctorDay} day @param {Appointment | undefined} held @param {string} start @param {string} time @param {number} now
 * @returns {Entry | null} */
function entryOf(day, held, start, time, now) {
  const about = { id: `${day.id} ${start}`, doctor: day.id, doctorName: day.name, start, time };
  const free = isFree(day, start, now);
  if (held && !(held.status === "no_show" && free)) {
    return { ...about, appointment: held.id, name: held.patient?.name ?? words.visit.nameless, state: shortStateText(held, day.zone, now), kind: stateClass(held), movable: isAhead(held, now) };
  }
  return free ? { ...about, appointment: null, name: "", state: desk.free, kind: "free", movable: false } : null;
}

/** Whether an appointment can still be moved or cancelled.
 *
 * @param {Appointment} appointment @param {number} now */
export function isAhead({ status, visit, start }, now) {
  return (status === "scheduled" || status === "confirmed") && visit === null && Date.parse(start) > now;
}
