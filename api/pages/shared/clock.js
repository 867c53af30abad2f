// The hub's time: the clock of the reader's machine may be wrong, and would hide times that are free.

import { request } from "../hub-client.js";

const WITHIN = 1_000; // ms; without an answer the reader's clock has to do

let ahead = 0; // ms by which the hub's clock is ahead of the reader's

/** The time now, in ms since 1970. */
export function now() {
  return Date.now() + ahead;
}

/** Ask the hub for its time. */
export async function learnTime() {
  const begun = performance.now();
  try {
    const { unixMs } = /** @type {{unixMs: number}} */ (await request("GET", location.origin, "/api/v1/time/now", undefined, {}, WITHIN));
    ahead = unixMs + (performance.now() - begun) / 2 - Date.now();
  } catch {
    // The frame says when there is no connection.
  }
}
