// The clinic's people let a patient wait.

import { now } from "../shared/clock.js";
import { dayOf } from "../shared/times.js";
import { announce, html, useRef, useState } from "../shared/ui.js";
import { useCommand as useAnyCommand } from "../shared/command.js";
import { refusalText } from "../staff/command.js";
import { words } from "./staff_words.js";
import { WishForm } from "./wish.js";

/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").Patient} Patient */

/** `date`: the day that the page shows.
 *
 * @param {{patient: Patient, doctors: Doctor[], date: string}} properties */
export function AddToLine({ patient, doctors, date }) {
  const { busy, problem, run } = useAnyCommand(refusalText);
  const [said, setSaid] = useState("");
  const box = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const [chosen, setChosen] = useState("");
  const doctor = doctors.find(({ id }) => id === chosen) ?? doctors[0];
  if (!doctor) return null;
  const today = dayOf(now(), doctor.zone);
  const first = date > today ? date : today;
  const join = async (/** @type {import("./wish.js").Days} */ wish) => {
    setSaid("");
    const done = await run("join_waitlist", { doctorId: doctor.id, patientId: patient.id, ...wish });
    if (!done?.entry) return;
    const text = words.joined(patient.name, doctor.name, done.entry.place ?? 1);
    setSaid(text);
    announce(text);
    if (box.current) box.current.open = false;
    box.current?.querySelector("summary")?.focus(); // the form is closed
  };
  return html`<details class="adding-to-line" ref=${box}>
      <summary>${words.add}</summary>
      <div class="field">
        <label for="line-of">${words.adding(patient.name)}</label>
        <select id="line-of" onChange=${(/** @type {Event} */ event) => setChosen(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
          ${doctors.map(({ id, name }) => html`<option key=${id} value=${id} selected=${id === doctor.id}>${name}</option>`)}
        </select>
      </div>
      <${WishForm} key=${first} days=${{ from: first, to: first }} first=${today} submit=${words.add} busy=${busy !== ""} problem=${problem} onWish=${join} />
    </details>
    ${said && html`<p class="notice">${said}</p>`}`;
}
