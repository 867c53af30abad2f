// For whom a patient waits, and the way out of the line.

import { useCommand } from "../shared/command.js";
import { html, Problem, useRef } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { useWaitlist } from "../waitlist/lines.js";
import { wishText } from "../waitlist/wish.js";
import { words } from "../waitlist/words.js";

/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").WaitlistEntry} WaitlistEntry */
/** @typedef {(notice: import("./appointments.js").Notice) => void} Say */

/** @param {{doctors: Map<string, Doctor>, onSay: Say}} properties */
export function Waiting({ doctors, onSay }) {
  const own = useRef(/** @type {Set<string>} */ (new Set())); // the entries that are ended here
  const nameOf = (/** @type {WaitlistEntry} */ { doctorId, doctor }) => doctor?.name ?? doctors.get(doctorId)?.name ?? "";
  const entries = useWaitlist({
    onEnded: (entry) => {
      if (own.current.has(entry.id) || entry.status === "booked") return; // what is booked is said already
      onSay({ text: (entry.status === "expired" ? words.expired : words.removed)(nameOf(entry)), keepsFocus: true });
    },
  });
  if (!entries?.length) return null;
  return html`
    <h2 id="waiting">${words.title}</h2>
    <ul class="cards" aria-labelledby="waiting">
      ${entries.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} name=${nameOf(entry)} own=${own.current} onSay=${onSay} />`)}
    </ul>
  `;
}

/** @param {{entry: WaitlistEntry, name: string, own: Set<string>, onSay: Say}} properties */
function Entry({ entry, name, own, onSay }) {
  const { busy, problem, run } = useCommand();
  const leave = async () => {
    own.add(entry.id);
    const done = await run("leave_waitlist", { entryId: entry.id });
    if (done) onSay({ text: words.left(name) });
    else own.delete(entry.id);
  };
  return html`<li aria-busy=${busy ? "true" : null}>
    <h3 id="entry-${entry.id}">${shared.book.with(name)}</h3>
    <p>${wishText(entry)}</p>
    ${entry.place && html`<p class="quiet">${words.place(entry.place)}</p>`}
    <p class="actions">
      <button type="button" class="secondary" aria-describedby="entry-${entry.id}" aria-busy=${busy ? "true" : null} onClick=${leave}>${words.leave}</button>
    </p>
    <${Problem}>${problem}</>
  </li>`;
}
