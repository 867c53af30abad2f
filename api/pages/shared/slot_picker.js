// A doctor's days and the free times of one of them, to choose a time from. They stay true while one looks.

import { now } from "./clock.js";
import { followSlots, freeDays } from "./reading.js";
import { daysBetween, foreignZone, longDay, shortDay, timeOf } from "./times.js";
import { html, Skeleton, useEffect, useRef, useState } from "./ui.js";
import { errorText } from "./language.js";
import { words } from "./words.js";
import { codeOf } from "./session.js";

/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").FreeDay} FreeDay */
/** @typedef {import("../hub-client.js").Slot} Slot */

const SHOWN = 7; // days at a time
const LOOK_AGAIN = 60_000; // ms between two readings of how much is free on each day
const TICK = 15_000; // ms between two looks at the clock: a time that has begun is not free any more

/** @param {{
 *   doctor: Doctor,
 *   day: string | null,
 *   chosen: string | null,
 *   busy?: boolean,
 *   level?: number,
 *   onDay: (day: string) => void,
 *   onChoose: (start: string, time: string) => void,
 *   onSlots?: (slots: Slot[]) => void,
 *   whenFull?: (from: string, to: string) => import("preact").ComponentChild,
 * }} properties */
export function SlotPicker({ doctor, day, chosen, busy = false, level = 2, onDay, onChoose, onSlots, whenFull }) {
  const { days, problem } = useFreeDays(doctor, day, onDay);
  const slots = useSlots(doctor, day, onSlots);
  const full = useRef(""); // the day that was full: what is shown of that stays, though a time may become free
  if (problem) return html`<p class="problem" role="alert">${problem}</p>`;
  if (!days || (day ? !slots : days.some((each) => each.free > 0))) return html`<${Skeleton} lines=${6} />`;
  if (!day || !slots) return html`<p class="notice">${words.book.noneSoon}</p>${doctor.shifts.length > 0 && whenFull?.(days[0].date, days[days.length - 1].date)}`;
  const free = slots.filter((slot) => slot.available && Date.parse(slot.start) > now());
  if (free.length === 0 && slots.some(({ start }) => Date.parse(start) > now())) full.current = day;
  const next = days.find((each) => each.date > day && each.free > 0);
  return html`
    <${Days} doctor=${doctor} days=${days.map((each) => (each.date === day ? { ...each, free: free.length } : each))} day=${day} onDay=${onDay} />
    <fieldset class="times" aria-label=${words.book.freeOn(longDay(day))} aria-busy=${busy ? "true" : null}>
      <${`h${level}`} class="title">${words.book.freeOn(longDay(day))}</>
      <${Zone} doctor=${doctor} day=${day} />
      ${free.length
        ? html`<${Times} free=${free} zone=${doctor.zone} chosen=${chosen} onChoose=${onChoose} />`
        : html`<p>${words.book.none}</p>
            ${next && html`<p><button type="button" class="secondary" onClick=${() => onDay(next.date)}>${words.book.next(longDay(next.date))}</button></p>`}`}
    </fieldset>
    ${full.current === day && whenFull?.(day, day)}
  `;
}

/** @param {{free: Slot[], zone: string, chosen: string | null, onChoose: (start: string, time: string) => void}} properties */
function Times({ free, zone, chosen, onChoose }) {
  const times = free.map(({ start }) => timeOf(start, zone));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useFocusKept(list, free.length);
  return html`<ul ref=${list}>
    ${free.map(
      ({ start }, number) => html`<li key=${start}>
        <button type="button" class="time" aria-pressed=${start === chosen ? "true" : "false"} onClick=${() => onChoose(start, times[number])}>${times[number]}</button>
      </li>`,
    )}
  </ul>`;
}

/** Keep the focus in a list when the button that has it goes away: the one that takes its place gets it.
 *
 * @param {{current: HTMLElement | null}} list @param {number} length */
function useFocusKept(list, length) {
  const place = useRef(-1);
  useEffect(() => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const lost = place.current >= 0 && document.activeElement === document.body;
    if (lost) buttons[Math.min(place.current, buttons.length - 1)]?.focus();
  }, [length]);
  useEffect(() => {
    const note = () => (place.current = [...(list.current?.querySelectorAll("button") ?? [])].findIndex((each) => each === document.activeElement));
    document.addEventListener("focusin", note);
    return () => document.removeEventListener("focusin", note);
  }, []);
}

/** @param {{doctor: Doctor, days: FreeDay[], day: string, onDay: (day: string) => void}} properties */
function Days({ doctor, days, day, onDay }) {
  const place = Math.max(0, daysBetween(days[0].date, day));
  const [begin, setBegin] = useState(Math.floor(place / SHOWN) * SHOWN);
  useEffect(() => setBegin(Math.floor(place / SHOWN) * SHOWN), [place]);
  const shown = days.slice(begin, begin + SHOWN);
  return html`<fieldset class="days" aria-label=${words.book.day}>
    <button type="button" class="secondary turn" aria-label=${words.book.earlierDays} disabled=${begin === 0} onClick=${() => setBegin(begin - SHOWN)}>‹</button>
    <ul>
      ${shown.map((each) => html`<li key=${each.date}><${Day} doctor=${doctor} ...${each} pressed=${each.date === day} onDay=${onDay} /></li>`)}
    </ul>
    <button type="button" class="secondary turn" aria-label=${words.book.laterDays} disabled=${begin + SHOWN >= days.length} onClick=${() => setBegin(begin + SHOWN)}>›</button>
  </fieldset>`;
}

/** @param {{doctor: Doctor, date: string, free: number, pressed: boolean, onDay: (day: string) => void}} properties */
function Day({ doctor, date, free, pressed, onDay }) {
  const { weekday, day, month } = shortDay(date);
  const works = doctor.shifts.some((shift) => shift.weekday === (new Date(date).getUTCDay() + 6) % 7);
  const label = free > 0 ? words.book.free(free) : works ? words.book.full : words.book.closed;
  return html`<button type="button" class="day ${free > 0 ? "" : "none"}" aria-pressed=${pressed ? "true" : "false"} onClick=${() => onDay(date)}>
    <span>${weekday}</span> <strong>${day}</strong> <span>${month}</span> <small>${label}</small>
  </button>`;
}

/** Whose clocks show the times, if the reader's show others. @param {{doctor: Doctor, day: string}} properties */
function Zone({ doctor, day }) {
  const zone = foreignZone(`${day}T12:00:00Z`, doctor.zone);
  return zone && html`<p class="quiet">${words.frame.zone(zone)}</p>`;
}

/** How much is free on each day from today on, and go to the first such day if none is chosen.
 *
 * @param {Doctor} doctor @param {string | null} day @param {(day: string) => void} onDay */
function useFreeDays(doctor, day, onDay) {
  const [days, setDays] = useState(/** @type {FreeDay[] | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let current = true;
    const look = async (/** @type {boolean} */ first) => {
      if (document.hidden && !first) return;
      try {
        const found = await freeDays(doctor.id);
        if (!current) return;
        setDays(found);
      } catch (error) {
        if (current && first) setProblem(errorText({ code: codeOf(error) }));
      }
    };
    setDays(null);
    void look(true);
    const timer = setInterval(() => void look(false), LOOK_AGAIN);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [doctor.id]);
  useEffect(() => {
    const free = day ? null : days?.find((each) => each.free > 0);
    if (free) onDay(free.date);
  }, [day, days]);
  // A day that the address names, beyond those that are read, or before them, is shown beside them.
  const named = days && day && !days.some((each) => each.date === day) ? [{ date: day, free: 0 }] : [];
  return { days: days && [...named, ...days].sort((a, b) => (a.date < b.date ? -1 : 1)), problem };
}

/** @param {Doctor} doctor @param {string | null} day @param {((slots: Slot[]) => void) | undefined} onSlots */
function useSlots(doctor, day, onSlots) {
  const [read, setRead] = useState(/** @type {{of: string, slots: Slot[]} | null} */ (null));
  const [, tick] = useState(0);
  const of = `${doctor.id} ${day}`;
  const tell = useRef(onSlots);
  tell.current = onSlots; // the one that knows what is chosen now
  useEffect(() => {
    if (!day) return undefined;
    return followSlots(doctor, day, (slots) => {
      setRead({ of, slots });
      tell.current?.(slots);
    });
  }, [of]);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), TICK);
    return () => clearInterval(timer);
  }, []);
  return read?.of === of ? read.slots : null;
}
