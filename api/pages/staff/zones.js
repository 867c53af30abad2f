// Instants from what somebody has written by the clocks of a zone.

import { clockOf, dayOf } from "../shared/times.js";

/** The instant (RFC 3339, UTC) of a local time like "2026-12-01T09:30" in a zone; null if it is none.
 *
 * A time that comes twice, when clocks go back, is the earlier one; one that does not come is an hour later.
 *
 * @param {string} local @param {string} zone */
export function instantOf(local, zone) {
  const wanted = Date.parse(`${local}Z`);
  if (Number.isNaN(wanted)) return null;
  const guesses = [24, -24].map((hours) => wanted - offset(wanted - hours * 3_600_000, zone)); // by both sides of a change
  const right = guesses.filter((guess) => guess + offset(guess, zone) === wanted);
  return new Date(Math.min(...(right.length ? right : [Math.max(...guesses)]))).toISOString();
}

/** How far the clocks of a zone are ahead of UTC, in ms.
 *
 * @param {number} instant @param {string} zone */
function offset(instant, zone) {
  return Date.parse(`${dayOf(instant, zone)}T${clockOf(instant, zone)}Z`) - Math.floor(instant / 60_000) * 60_000;
}
