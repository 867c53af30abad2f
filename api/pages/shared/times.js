// Days and times as people read them. A day is a text like "2026-12-01", of the zone that it belongs to.

import { language } from "./language.js";

const DAY = 24 * 60 * 60 * 1000;
const TURNS = [-60, -30, 30, 60].map((minutes) => minutes * 60_000); // by which clocks go back, in ms
const LATEST_TURN = "04:00"; // no clocks go back later in the day
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The format of these options; each is made once, which takes longer than to use it.
 *
 * @param {Intl.DateTimeFormatOptions} options @param {string} [locale] */
function format(options, locale = language === "de" ? "de" : "en-GB") {
  const name = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(name) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(name, known);
  return known;
}

/** The day of an instant by the clocks of a zone.
 *
 * @param {string | number} instant @param {string} zone */
export function dayOf(instant, zone) {
  return format({ timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA").format(new Date(instant));
}

/** The day that is `number` days after another.
 *
 * @param {string} day @param {number} number */
export function plusDays(day, number) {
  return new Date(Date.parse(day) + number * DAY).toISOString().slice(0, 10);
}

/** How many days `later` is after `earlier`.
 *
 * @param {string} earlier @param {string} later */
export function daysBetween(earlier, later) {
  return Math.round((Date.parse(later) - Date.parse(earlier)) / DAY);
}

/** Whether a text is a day.
 *
 * @param {string | null | undefined} text @returns {text is string} */
export function isDay(text) {
  return /^[12]\d{3}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text ?? ""));
}

/** "09:30": what the clocks of a zone show. When they go back, two instants have the same; `timeOf` tells them apart.
 *
 * @param {string | number} instant @param {string} zone */
export function clockOf(instant, zone) {
  return format({ timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(instant));
}

/** "09:30" by the clocks of a zone; "02:30 GMT+1" of an hour that comes twice.
 *
 * @param {string | number} instant @param {string} zone */
export function timeOf(instant, zone) {
  const time = clockOf(instant, zone);
  const at = new Date(instant).getTime();
  if (time >= LATEST_TURN || !TURNS.some((by) => clockOf(at + by, zone) === time)) return time;
  return format({ timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "shortOffset" }).format(at);
}

/** "Tuesday, 1 December 2026".
 *
 * @param {string} day */
export function longDay(day) {
  return format({ timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(Date.parse(day));
}

/** The parts of a day for a small button: "Tue", "1", "Dec".
 *
 * @param {string} day */
export function shortDay(day) {
  const parts = (/** @type {Intl.DateTimeFormatOptions} */ options) => format({ timeZone: "UTC", ...options }).format(Date.parse(day));
  return { weekday: parts({ weekday: "short" }), day: parts({ day: "numeric" }), month: parts({ month: "short" }) };
}

/** "Tuesday, 1 December 2026, 09:30", by the clocks of a zone.
 *
 * @param {string} instant @param {string} zone */
export function dayAndTime(instant, zone) {
  return `${longDay(dayOf(instant, zone))}, ${timeOf(instant, zone)}`;
}

/** The name of a zone if its clocks show another time at that instant than the reader's; null if they do not.
 *
 * @param {string | number} instant @param {string} zone */
export function foreignZone(instant, zone) {
  const at = new Date(instant);
  const here = { hour: "2-digit", minute: "2-digit", day: "2-digit", hourCycle: "h23" };
  const shown = (/** @type {string} */ timeZone) => format({ .../** @type {Intl.DateTimeFormatOptions} */ (here), timeZone }).format(at);
  if (shown(zone) === shown(ZONE)) return null;
  const name = format({ timeZone: zone, timeZoneName: "longGeneric" }).formatToParts(at).find((part) => part.type === "timeZoneName");
  return name?.value ?? zone;
}
