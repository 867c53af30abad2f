// The display in the waiting room: who is called where. It needs no log-in; the key is behind the "#" of the address,
// which no browser sends to anybody.

import { isUndecided, request } from "../hub-client.js";
import { open } from "../shared/frame.js";
import { codeOf, session } from "../shared/session.js";
import { timeOf } from "../shared/times.js";
import { html, Skeleton, useEffect, useState } from "../shared/ui.js";
import { words } from "./words.js";

/** @typedef {{initials: string, start: string, calledAt: string, doctor: string, zone: string}} Call */

const EVERY = 2_000; // ms between two readings

function Display() {
  const { calls, ended } = useCalls();
  if (ended) return html`<section class="display"><h1>${words.ended}</h1><p>${words.endedWhy}</p></section>`;
  if (!calls) return html`<${Skeleton} lines=${4} />`;
  return html`<section class="display">
    <h1>${words.title}</h1>
    <div role="log" aria-label=${words.title}><ol>
      ${calls.map(
        ({ initials, start, calledAt, doctor, zone }) => html`<li key=${`${doctor} ${start} ${calledAt}`}>
          <span class="patient">${timeOf(start, zone)} <strong>${initials}</strong></span>
          <span class="where">${doctor}</span>
        </li>`,
      )}
    </ol></div>
    ${calls.length === 0 && html`<p>${words.nobody}</p>`}
  </section>`;
}

/** Who is called now, read again and again. While the hub does not answer, what was read stays; the frame says so. */
function useCalls() {
  const [calls, setCalls] = useState(/** @type {Call[] | null} */ (null));
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    let current = true;
    const read = async () => {
      try {
        const path = location.hash.slice(1).split("/").map(encodeURIComponent).join("/");
        setCalls(await request("GET", session.url, `/api/v1/displays/${path}`, undefined, {}, EVERY * 5));
        setEnded(false);
      } catch (error) {
        if (!isUndecided(codeOf(error))) setEnded(true);
      }
      if (current) setTimeout(read, EVERY);
    };
    void read();
    return () => void (current = false);
  }, []);
  return { calls, ended };
}

await open(Display);
