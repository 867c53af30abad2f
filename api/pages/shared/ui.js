// What all pages draw with: Preact with htm, and the small parts that more than one page has.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { words } from "./words.js";

export { html, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/htm-preact.js";

/** @typedef {import("preact").ComponentChildren} Children */

const RELOAD = 2_000; // ms between two attempts to load a module

/** A field of a form with its label, its hint and what is wrong with it. More attributes are those of the input.
 *
 * @param {{label: string, name: string, hint?: string, error?: string, [more: string]: unknown}} properties */
export function Field({ label, name, hint, error, ...more }) {
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <input id=${name} name=${name} aria-describedby=${described || null} aria-invalid=${error ? "true" : null} ...${more} />
    ${hint && html`<small id="${name}-hint">${hint}</small>`}
    ${error && html`<small id="${name}-error" class="wrong">${error}</small>`}
  </div>`;
}

/** What went wrong, where one has clicked. It is read out at once.
 *
 * @param {{children?: Children}} properties */
export function Problem({ children }) {
  return html`<div role="alert">${children && html`<p class="problem">${children}</p>`}</div>`;
}

/** Grey bars in the place of what is still being read, so that nothing jumps when it comes.
 *
 * @param {{lines?: number, kind?: string}} properties */
export function Skeleton({ lines = 3, kind = "line" }) {
  return html`<div class="skeleton ${kind}" role="status"><span class="unseen">${words.frame.loading}…</span>
    ${Array.from({ length: lines }, () => html`<span aria-hidden="true"></span>`)}</div>`;
}

/** A heading that takes the focus when it appears, for what replaces that which one has clicked.
 *
 * @param {{children: Children, level?: number}} properties */
export function FocusedHeading({ children, level = 1 }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => heading.current?.focus(), []);
  return html`<${`h${level}`} tabindex="-1" ref=${heading}>${children}</>`;
}

/** A module of what is not in the first view of a page; null until it is loaded.
 *
 * @template Module @param {() => Promise<Module>} load @returns {Module | null} */
export function useLater(load) {
  const [loaded, setLoaded] = useState(/** @type {Module | null} */ (null));
  useEffect(() => {
    let current = true;
    const attempt = () => void load().then((part) => current && setLoaded(part), () => current && setTimeout(attempt, RELOAD));
    attempt();
    return () => void (current = false);
  }, []);
  return loaded;
}

/** Let a screen reader read a text out, after what it is reading now.
 *
 * @param {string} text */
export function announce(text) {
  const region = document.getElementById("announcements");
  if (!region) return;
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50); // the same text once more is read out only if it is new
}

/** The texts of the fields of a form.
 *
 * @param {SubmitEvent} event @returns {Record<string, string>} */
export function written(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

/** Give the focus to the first field that is wrong, once it is marked. */
export function focusWrongField() {
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("[aria-invalid=true]"))?.focus());
}
