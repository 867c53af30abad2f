// The language of this page, the clinic's name in it, and errors in words.

import { words } from "./words.js";

const YEAR = 365 * 24 * 60 * 60; // seconds

/** @typedef {"en" | "de"} Language */

/** The language of this page, which the hub has chosen: that of the browser, or that of `speak`. */
export const language = /** @type {Language} */ (document.documentElement.lang === "de" ? "de" : "en");

/** The languages with their names. @type {[Language, string][]} */
export const languages = [["en", "English"], ["de", "Deutsch"]];

/** The name of the clinic. */
export const clinic = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=clinic]")).content;

/** Show the pages in a language from now on. The hub reads the cookie.
 *
 * @param {Language} chosen */
export function speak(chosen) {
  document.cookie = `clinic-hub-language=${chosen}; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
  location.reload();
}

/** An error in the reader's language; in the hub's words if there are no others.
 *
 * @param {{code: string, message?: string}} error */
export function errorText({ code, message }) {
  const known = /** @type {Record<string, unknown>} */ (words.errors)[code];
  return typeof known === "string" ? known : message || words.errors.internal;
}
