// "Find a patient": the search, the patient that was chosen, and the registration of a new one.

import { isUndecided } from "../hub-client.js";
import { newId } from "../shared/command.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { codeOf, session } from "../shared/session.js";
import { Field, html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { refusalText } from "../staff/command.js";
import { words as desk } from "./words.js";

/** @typedef {import("../hub-client.js").Patient} Patient */

const PAUSE = 200; // ms without a key after which is searched
const SHORTEST = 2; // signs; the hub finds nothing by fewer
const AT_MOST = 20; // patients shown

/** `wanted`: the time that was clicked before the patient.
 *
 * @param {{patient: Patient | null, wanted: string | null, onChoose: (patient: Patient | null) => void, onDrop: () => void}} properties */
export function Finder({ patient, wanted, onChoose, onDrop }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const drop = () => {
    onChoose(null);
    requestAnimationFrame(() => document.getElementById("find")?.focus());
  };
  return html`<div class="finder">
    ${patient
      ? html`<p class="chosen">${desk.chosen} <strong>${patient.name}</strong> <span class="quiet">${patient.phone ?? desk.noPhone}</span>
          <button type="button" class="secondary" onClick=${drop}>${desk.drop}</button></p>`
      : html`<${Search} field=${field} hint=${wanted ? desk.pickPatient(...halves(wanted)) : desk.findHint} onChoose=${onChoose} onEscape=${onDrop} />
          <${Registration} onRegistered=${onChoose} />`}
  </div>`;
}

/** @param {string} wanted @returns {[string, string]} */
function halves(wanted) {
  const [time, ...doctor] = wanted.split(", ");
  return [time, doctor.join(", ")];
}

/** @param {{field: {current: HTMLInputElement | null}, hint: string, onChoose: (patient: Patient) => void, onEscape: () => void}} properties */
function Search({ field, hint, onChoose, onEscape }) {
  const [query, setQuery] = useState("");
  const { found, problem } = useSearch(query.trim());
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (found?.length === 1) onChoose(found[0]);
    else list.current?.querySelector("button")?.focus();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      setQuery("");
      onEscape();
      field.current?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event, list.current, field.current);
  };
  return html`<form class="search" onSubmit=${submit} onKeyDown=${keys}>
    <label for="find">${desk.find}</label>
    <input id="find" ref=${field} type="search" autocomplete="off" spellcheck=${false} aria-describedby="find-hint" value=${query}
      onInput=${(/** @type {Event} */ event) => setQuery(/** @type {HTMLInputElement} */ (event.currentTarget).value)} />
    <small id="find-hint">${hint}</small>
    <div role="status" class="unseen">${found && desk.found(found.length)}</div>
    ${found &&
    html`<ul class="found" ref=${list} aria-label=${desk.found(found.length)}>
      ${found.map(
        (each) => html`<li key=${each.id}><button type="button" onClick=${() => onChoose(each)}>${each.name} <small>${each.phone ?? each.email ?? desk.noPhone}</small></button></li>`,
      )}
      ${found.length === 0 && html`<li class="quiet">${desk.found(0)}</li>`}
      ${found.length === AT_MOST && html`<li class="quiet">${desk.more}</li>`}
    </ul>`}
    <${Problem}>${problem}</>
  </form>`;
}

/** Go from the field to the results, and from one to the next.
 *
 * @param {KeyboardEvent} event @param {HTMLElement | null} list @param {HTMLElement | null} field */
function step(event, list, field) {
  const all = [field, ...(list?.querySelectorAll("button") ?? [])];
  const place = all.findIndex((each) => each === document.activeElement);
  const to = all[place + (event.key === "ArrowDown" ? 1 : -1)];
  if (place < 0 || !to) return;
  event.preventDefault();
  to.focus();
}

/** Who is found; null while there is nothing to search for. An answer that is late is not shown.
 *
 * @param {string} query */
function useSearch(query) {
  const [found, setFound] = useState(/** @type {Patient[] | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (query.length < SHORTEST) {
      setFound(null);
      return setProblem("");
    }
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const patients = await session.searchPatients(query, AT_MOST);
        if (!current) return;
        setFound(patients);
        setProblem("");
      } catch (error) {
        if (current) setProblem(refusalText({ code: codeOf(error) }));
      }
    }, PAUSE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [query]);
  return { found, problem };
}

/** @param {{onRegistered: (patient: Patient) => void}} properties */
function Registration({ onRegistered }) {
  const key = useRef(newId()); // one for each registration: sent again with it, nobody is registered twice
  const form = submitting(async ({ name, phone, email }) => {
    const person = { name, ...(phone.trim() ? { phone } : {}), ...(email.trim() ? { email } : {}) };
    try {
      onRegistered(await session.registerPatient(person, key.current));
    } catch (error) {
      if (!isUndecided(codeOf(error))) key.current = newId();
      throw error;
    }
  });
  const wrong = ownWords(fieldErrors(form));
  return html`<details class="registration">
    <summary>${desk.register}</summary>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${shared.account.name} name="name" autocomplete="off" error=${wrong.name} required />
      <${Field} label=${desk.optional(shared.account.phone)} name="phone" type="tel" autocomplete="off" hint=${desk.registerHint} error=${wrong.phone} />
      <${Field} label=${desk.optional(shared.account.email)} name="email" type="email" autocomplete="off" error=${wrong.email} />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${desk.registerSubmit}</button>
    </form>
  </details>`;
}

/** What is wrong with the fields, as it is said of somebody else. @param {Record<string, string | undefined>} errors */
function ownWords(errors) {
  const own = /** @type {Record<string, string>} */ (desk.fields);
  return Object.fromEntries(Object.entries(errors).map(([field, text]) => [field, text && (own[field] ?? text)]));
}
