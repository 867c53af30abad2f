// The start page: where anybody begins. Who is signed in goes on to the page of the role.

import { goTo, homeOf, open, signInPath } from "../shared/frame.js";
import { session } from "../shared/session.js";
import { html } from "../shared/ui.js";
import { clinic } from "../shared/language.js";
import { words } from "../shared/words.js";

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Home({ user }) {
  if (user && session.passwordChangeRequired) return goTo(signInPath());
  if (user && user.role !== "patient" && homeOf(user) !== "/") return goTo(homeOf(user));
  return html`<section class="narrow">
    <h1>${words.home.welcome(clinic)}</h1>
    ${user && user.role !== "patient"
      ? html`<p>${words.home.staff} ${words.account.signedInAs(user.name)}.</p>`
      : html`<p>${words.home.about}</p>
          <p class="actions">
            <a class="button" href="/book">${words.book.title}</a>
            ${user
              ? html`<a class="button secondary" href="/mine">${words.mine.title}</a>`
              : html`<a class="button secondary" href="/sign-in">${words.account.signIn}</a>`}
          </p>`}
  </section>`;
}

await open(Home);
