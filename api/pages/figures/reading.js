// The statistics of a doctor as they are now: they are read again when an appointment of the doctor changes.

import { isUndecided } from "../hub-client.js";
import { live } from "../shared/line.js";
import { codeOf, session } from "../shared/session.js";
import { useEffect, useState } from "../shared/ui.js";
import { refusalText } from "../staff/command.js";

/** @typedef {{total: number, scheduled: number, confirmed: number, cancelled: number, completed: number, noShow: number, noShowRate: number | null, cancellationRate: number | null}} Tally */
/** @typedef {{count: number, medianMinutes: number | null, p90Minutes: number | null}} Waits */
/** The answer of `GET /api/v1/appointments/stats/doctor/{id}`.
 *
 * @typedef {{
 *   zone: string,
 *   all: Tally,
 *   byWeekday: {weekday: number, tally: Tally}[],
 *   byHour: {hour: number, tally: Tally}[],
 *   byWeek: {monday: string, tally: Tally}[],
 *   leadTimes: {medianMinutes: number | null, p90Minutes: number | null, groups: {underMinutes: number | null, count: number}[]},
 *   waitingTimes: {all: Waits, byHour: {hour: number, waits: Waits}[]},
 *   offers: {total: number, open: number, taken: number, declined: number, lapsed: number, fillTimes: Waits},
 * }} Statistics */

const AGAIN = 1_000; // ms until what could not be read is asked for again
const SOON = 250; // ms after a change: several at once cause one reading

/** The statistics of a span (the query of the request); null while they are read. Call it like the hooks of Preact.
 *
 * @param {string} doctorId @param {string} span @returns {{statistics: Statistics | null, problem: string}} */
export function useStatistics(doctorId, span) {
  const [read, setRead] = useState(/** @type {{of: string, statistics: Statistics} | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let current = true;
    let seq = 0; // the last event of the doctor that was heard: no answer may be from before it
    let reading = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const ask = async () => {
      timer = undefined;
      const mine = ++reading;
      try {
        const path = `/api/v1/appointments/stats/doctor/${encodeURIComponent(doctorId)}${span}`;
        /** @type {Statistics} */
        const statistics = await session.ask("GET", path, undefined, seq ? { "If-Position": `${doctorId}=${seq}` } : {});
        if (!current || mine !== reading) return;
        setProblem("");
        setRead({ of: span, statistics });
      } catch (error) {
        if (!current) return;
        if (isUndecided(codeOf(error))) again(AGAIN);
        else setProblem(refusalText({ code: codeOf(error) }));
      }
    };
    const again = (/** @type {number} */ after) => (timer ??= setTimeout(ask, after));
    const stop = live.hear({
      onSnapshot: (_appointments, position) => {
        seq = Math.max(seq, position[doctorId] ?? 0);
        again(SOON);
      },
      onAppointment: (event) => {
        seq = Math.max(seq, event.seq);
        again(SOON);
      },
    });
    setProblem("");
    void ask();
    return () => {
      current = false;
      clearTimeout(timer);
      stop();
    };
  }, [doctorId, span]);
  return { statistics: read?.of === span ? read.statistics : null, problem };
}
