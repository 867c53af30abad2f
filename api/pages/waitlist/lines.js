// Who waits, as the hub tells it.

import { live } from "../shared/line.js";
import { session } from "../shared/session.js";
import { useEffect, useRef, useState } from "../shared/ui.js";

/** @typedef {import("../hub-client.js").WaitlistEntry} WaitlistEntry */

const RETRY = 2_000; // ms between two attempts to read the lines
const PLACES = 30_000; // ms between two readings of a patient's own place: nobody tells when others leave the line

/** The waiting entries that one may see, the first in each line first; null until they are known. Nobody's are read
 * without `on`. `onEnded` is called with each entry that does not wait any more.
 *
 * The hub tells the clinic's people every change. It tells a patient only those of the own entries, so the places are
 * read again from time to time.
 *
 * @param {{on?: boolean, onEnded?: (entry: WaitlistEntry) => void}} [options] @returns {WaitlistEntry[] | null} */
export function useWaitlist({ on = true, onEnded } = {}) {
  const [read, setRead] = useState(/** @type {WaitlistEntry[] | null} */ (null));
  const [told, setTold] = useState(/** @type {Map<string, WaitlistEntry>} */ (new Map()));
  const tell = useRef(onEnded);
  tell.current = onEnded;
  useEffect(() => {
    if (!on) return undefined;
    const ofPatient = session.user?.role === "patient";
    let current = true;
    const ask = async () => {
      try {
        const entries = await session.waitlist();
        if (current) setRead(entries);
      } catch {
        if (current) setTimeout(ask, RETRY);
      }
    };
    const stop = live.hear({
      onSnapshot: () => {
        setTold(new Map()); // more was missed than the hub could tell
        void ask();
      },
      onWaiting: ({ entry }) => {
        setTold((before) => new Map(before).set(entry.id, entry));
        if (entry.status !== "waiting") tell.current?.(entry);
        if (ofPatient) void ask();
      },
    });
    const timer = ofPatient ? setInterval(() => !document.hidden && void ask(), PLACES) : undefined;
    void ask();
    return () => {
      current = false;
      stop();
      clearInterval(timer);
    };
  }, [on]);
  return read && merged(read, told);
}

/** @param {WaitlistEntry[]} read @param {Map<string, WaitlistEntry>} told */
function merged(read, told) {
  const all = new Map(read.map((each) => [each.id, each]));
  for (const entry of told.values()) {
    const known = all.get(entry.id);
    if (!known || entry.version >= known.version) all.set(entry.id, { ...known, ...entry });
  }
  return [...all.values()].filter(({ status }) => status === "waiting");
}
