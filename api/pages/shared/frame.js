// What is around every page: the clinic's name, the ways to other pages, the language, the state of the connection.

import { isUndecided } from "../hub-client.js";
import { learnTime } from "./clock.js";
import { connection } from "./line.js";
import { codeOf, session } from "./session.js";
import { announce, html, render, Skeleton, useEffect, useState } from "./ui.js";
import { clinic, language, languages, speak } from "./language.js";
import { words } from "./words.js";

/** @typedef {import("../hub-client.js").Role} Role */
/** @typedef {import("../hub-client.js").User} User */
/** @typedef {(properties: {user: User | null}) => import("preact").ComponentChild} Page */

const RETRY = 2_000; // ms between two attempts to find out who is signed in
const NEXT = "next";
const ENROLS = "/account"; // the page where staff set up a second factor
const STARTS = ["/", "/sign-in"]; // where nobody wants to go back to
const NOTICE = "clinic-hub notice"; // in the storage of the tab: what the next page says first

/** The page on which each role begins. @type {Record<Role, string>} */
const HOMES = { patient: "/mine", doctor: "/day", receptionist: "/desk" };

/** The ways to other pages in the head of every page, by role; "nobody" is not signed in.
 *
 * @type {Record<Role | "nobody", [path: string, name: string][]>} */
const WAYS = {
  nobody: [["/book", words.book.title]],
  patient: [["/book", words.book.title], ["/mine", words.mine.title]],
  doctor: [["/day", words.staff.day], ["/figures", words.staff.figures], ["/account", words.staff.account]],
  receptionist: [["/desk", words.staff.desk], ["/account", words.staff.account]],
};

/** Draw a page. With `roles` it is only for people of these; others sign in first, or are sent to their own page.
 *
 * Who has to set up a second factor first is sent to the page where one `enrols`.
 *
 * @param {Page} page @param {{roles?: Role[], enrols?: boolean}} [options] */
export async function open(page, { roles, enrols = false } = {}) {
  draw(html`<${Skeleton} lines=${5} />`, null, false);
  connection.start();
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // who is signed in may have changed
  await Promise.all([signedIn(), learnTime()]);
  if (mustEnrol() && !enrols) return void goTo(enrolPath());
  if (roles && !admitted(roles)) return;
  const opened = session.user;
  session.onChange((user) => {
    if (leaving) return;
    if (user && user.id === opened?.id) return draw(html`<${page} user=${user} />`, user);
    if (!user && roles) location.replace(signInPath({ ended: true }));
    else if (user?.id !== opened?.id) location.reload();
  });
  draw(html`<${page} user=${opened} />`, opened);
}

/** Whether this page is about to go elsewhere by itself, so that it is not loaded again meanwhile. */
let leaving = false;

/** Go on after somebody has signed in: to where one was sent from, or to the page on which the role begins.
 *
 * @param {User} user */
export function goOn(user) {
  return goTo(mustEnrol() ? enrolPath() : (nextPath() ?? HOMES[user.role]));
}

/** Go to another page, from which "back" does not lead here again. The result stands for what a page draws.
 *
 * @param {string} path @returns {null} */
export function goTo(path) {
  leaving = true;
  location.replace(path);
  return null;
}

/** Call this before a change of who is signed in that is followed by `goOn`. */
export function staysHere() {
  leaving = true;
}

/** Do what ends the account, and go to the start page, which says `notice` first. Throws what `work` throws.
 *
 * @param {() => Promise<void>} work @param {string} notice */
export async function leaveAfter(work, notice) {
  leaving = true; // the hub ends the log-in before it answers
  try {
    await work();
  } catch (error) {
    leaving = false;
    throw error;
  }
  await session.signOut().catch(() => session.end()); // removes the cookie
  sessionStorage.setItem(NOTICE, notice);
  location.replace("/");
}

/** The page on which a user begins.
 *
 * @param {User} user */
export function homeOf(user) {
  return HOMES[user.role];
}

/** The path of the sign-in, which comes back to this page.
 *
 * @param {{ended?: boolean, path?: string}} [options] */
export function signInPath({ ended = false, path = "/sign-in" } = {}) {
  const back = `${location.pathname}${location.search}`;
  const query = new URLSearchParams({ ...(back === "/" ? {} : { [NEXT]: back }), ...(ended ? { ended: "1" } : {}) });
  return `${path}?${query}`;
}

/** Whether one has to set up a second factor before anything else: after the change of a first password. */
function mustEnrol() {
  return session.secondFactorRequired && !session.passwordChangeRequired;
}

/** The path of the page where one sets up a second factor, and goes on to where one wanted to go. */
function enrolPath() {
  const here = STARTS.includes(location.pathname) ? null : `${location.pathname}${location.search}`;
  const next = nextPath() ?? here;
  return next ? `${ENROLS}?${new URLSearchParams({ [NEXT]: next })}` : ENROLS;
}

/** The path of this origin that the address asks to go on to, if it does.
 *
 * @returns {string | null} */
export function nextPath() {
  const wanted = new URLSearchParams(location.search).get(NEXT);
  if (!wanted) return null;
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin ? `${url.pathname}${url.search}` : null; // no way to another site
}

/** Find out who is signed in, again and again while the hub does not answer. */
async function signedIn() {
  for (;;) {
    try {
      return await session.begin();
    } catch (error) {
      if (!isUndecided(codeOf(error))) throw error;
      connection.beaten(false);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}

/** @param {Role[]} roles */
function admitted(roles) {
  const user = session.user;
  if (user && !session.passwordChangeRequired && roles.includes(user.role)) return true;
  if (!user || session.passwordChangeRequired) location.replace(signInPath());
  else {
    sessionStorage.setItem(NOTICE, words.frame.forbidden);
    location.replace(homeOf(user));
  }
  return false;
}

/** `known`: whether it has been found out who is signed in.
 *
 * @param {import("preact").ComponentChild} content @param {User | null} user @param {boolean} [known] */
function draw(content, user, known = true) {
  render(html`<${Frame} user=${user} known=${known}>${content}</>`, document.body);
}

/** @param {{user: User | null, known: boolean, children: import("preact").ComponentChildren}} properties */
function Frame({ user, known, children }) {
  const here = location.pathname;
  // The start page has them in its middle.
  const ways = session.passwordChangeRequired || session.secondFactorRequired || here === "/" ? [] : WAYS[user?.role ?? "nobody"];
  return html`
    <a class="skip" href="#content">${words.frame.skip}</a>
    <header>
      <a class="clinic" href="/">${clinic}</a>
      <nav aria-label=${words.frame.main}>
        <ul>
          ${ways.map(([path, name]) => html`<li><a href=${path} aria-current=${here === path ? "page" : null}>${name}</a></li>`)}
          ${user
            ? html`<li><button type="button" class="plain" title=${words.account.signedInAs(user.name)} onClick=${leave}>${words.account.signOut}</button></li>`
            : !["/", "/sign-in", "/sign-up"].includes(here) && html`<li><a href=${signInPath()}>${words.account.signIn}</a></li>`}
        </ul>
      </nav>
    </header>
    <${ConnectionState} />
    <main id="content" tabindex="-1"><${Notice} user=${user} known=${known} />${children}</main>
    <footer>
      <span>${clinic}</span>
      <div role="group" aria-label=${words.frame.language}>
        ${languages.map(
          ([code, name]) =>
            html`<button type="button" class="plain" lang=${code} aria-pressed=${code === language ? "true" : "false"} onClick=${() => speak(code)}>${name}</button>`,
        )}
      </div>
    </footer>
    <div id="announcements" class="unseen" role="status"></div>
  `;
}

/** What the page before has left to say to the user.
 *
 * @param {{user: User | null, known: boolean}} properties */
function Notice({ user, known }) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (!known) return;
    setText(sessionStorage.getItem(NOTICE) ?? "");
    sessionStorage.removeItem(NOTICE);
  }, [known, user?.id]);
  return html`<div role="status">${text && html`<p class="notice">${text}</p>`}</div>`;
}

/** A word on a lost connection, while it is lost. */
function ConnectionState() {
  const [lost, setLost] = useState(connection.lost);
  useEffect(
    () =>
      connection.onChange((now) => {
        setLost(now);
        if (!now) announce(words.frame.back);
      }),
    [],
  );
  return html`<div role="status" class="connection">${lost && html`<p>${words.frame.lost}</p>`}</div>`;
}

async function leave() {
  leaving = true;
  try {
    await session.signOut();
    location.assign("/");
  } catch {
    leaving = false;
    announce(words.errors.no_answer);
  }
}
