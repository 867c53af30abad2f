// The lines of the doctors, for the clinic's people: who waits for when, an offer out of turn, the way out of the line.

import { now } from "../shared/clock.js";
import { doctors as readDoctors } from "../shared/reading.js";
import { SlotPicker } from "../shared/slot_picker.js";
import { dayAndTime, dayOf, timeOf } from "../shared/times.js";
import { announce, FocusedHeading, html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { useCommand } from "../staff/command.js";
import { words as staff } from "../staff/words.js";
import { useWaitlist } from "./lines.js";
import { words } from "./staff_words.js";
import { wishText } from "./wish.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").WaitlistEntry} WaitlistEntry */

const RETRY = 2_000; // ms between two attempts to read the doctors

/** The line of one doctor, whose hours are read for the choice of a free time.
 *
 * @param {{doctorId: string, offers: Appointment[]}} properties */
export function OwnLine({ doctorId, offers }) {
  const [doctor, setDoctor] = useState(/** @type {Doctor | null} */ (null));
  useEffect(() => {
    const read = () => void readDoctors().then((all) => setDoctor(all.find(({ id }) => id === doctorId) ?? null), () => setTimeout(read, RETRY));
    read();
  }, []);
  return doctor && html`<${Lines} doctors=${[doctor]} offers=${offers} />`;
}

/** `offers`: the open offers that the page knows of.
 *
 * @param {{doctors: Doctor[], offers: Appointment[]}} properties */
export function Lines({ doctors, offers }) {
  const entries = useWaitlist();
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  if (!entries) return null;
  const lines = doctors.map((doctor) => ({ doctor, entries: entries.filter(({ doctorId }) => doctorId === doctor.id) })).filter((line) => line.entries.length > 0);
  return html`<section class="lines" aria-labelledby="lines">
    <h2 id="lines" tabindex="-1" ref=${heading}>${words.title}</h2>
    ${lines.length === 0 && html`<p class="quiet">${words.nobody}</p>`}
    ${lines.map((line) => html`<${Line} key=${line.doctor.id} ...${line} offers=${offers} open=${doctors.length === 1} onEmpty=${() => heading.current?.focus()} />`)}
  </section>`;
}

/** @param {{doctor: Doctor, entries: WaitlistEntry[], offers: Appointment[], open: boolean, onEmpty: () => void}} properties */
function Line({ doctor, entries, offers, open, onEmpty }) {
  const summary = useRef(/** @type {HTMLElement | null} */ (null));
  const onGone = () => (entries.length > 1 && summary.current ? summary.current.focus() : onEmpty()); // with the last entry, the line goes away
  return html`<details open=${open}>
    <summary ref=${summary}>${words.count(doctor.name, entries.length)}</summary>
    <ol class="cards" aria-label=${words.line(doctor.name)}>
      ${entries.map(
        (entry) => html`<${Entry}
          key=${entry.id}
          entry=${entry}
          doctor=${doctor}
          offer=${offers.find(({ doctorId, patientId }) => doctorId === doctor.id && patientId === entry.patientId)}
          onGone=${onGone}
        />`,
      )}
    </ol>
  </details>`;
}

/** @param {{entry: WaitlistEntry, doctor: Doctor, offer: Appointment | undefined, onGone: () => void}} properties */
function Entry({ entry, doctor, offer, onGone }) {
  const { busy, problem, run } = useCommand();
  const [offering, setOffering] = useState(false);
  const [day, setDay] = useState(/** @type {string | null} */ (null));
  const button = useRef(/** @type {HTMLElement | null} */ (null));
  const before = useRef(offering);
  const name = entry.patient?.name ?? staff.visit.nameless;
  useEffect(() => {
    if (before.current && !offering) button.current?.focus();
    before.current = offering;
  }, [offering]);
  const remove = async () => {
    if (!(await run("leave_waitlist", { entryId: entry.id }))) return;
    onGone(); // the button goes away with the entry
    announce(words.removed(name));
  };
  const give = async (/** @type {string} */ start) => {
    if (!(await run("offer_slot", { entryId: entry.id, start }))) return;
    setOffering(false);
    announce(words.offeredNow(name, dayAndTime(start, doctor.zone)));
  };
  const open = () => {
    const today = dayOf(now(), doctor.zone);
    setDay(entry.from > today ? entry.from : today);
    setOffering(!offering);
  };
  return html`<li aria-busy=${busy ? "true" : null}>
    <h3 id="entry-${entry.id}">${name}</h3>
    <p>${wishText(entry)}</p>
    ${offer && html`<p><span class="status offered">${words.offered(dayAndTime(offer.start, doctor.zone), timeOf(offer.offeredUntil ?? offer.start, doctor.zone))}</span></p>`}
    <p class="actions">
      <button type="button" class="secondary" ref=${button} aria-describedby="entry-${entry.id}" aria-expanded=${offering ? "true" : "false"} onClick=${open}>${words.offer}</button>
      <button type="button" class="secondary" aria-describedby="entry-${entry.id}" aria-busy=${busy === "leave_waitlist" ? "true" : null} onClick=${remove}>${words.remove}</button>
    </p>
    <${Problem}>${problem}</>
    ${offering &&
    html`<div class="mover">
      <${FocusedHeading} level=${4}>${words.choose}</>
      <p class="quiet">${words.offerHint}</p>
      <${SlotPicker} doctor=${doctor} day=${day} chosen=${null} busy=${busy !== ""} level=${5} onDay=${setDay} onChoose=${give} />
      <p><button type="button" class="secondary" onClick=${() => setOffering(false)}>${words.keep}</button></p>
    </div>`}
  </li>`;
}
