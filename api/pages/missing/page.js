// What stands at an address where there is nothing.

import { open } from "../shared/frame.js";
import { html } from "../shared/ui.js";
import { words } from "../shared/words.js";

function Missing() {
  return html`<section class="narrow">
    <h1>${words.missing.title}</h1>
    <p>${words.missing.about}</p>
    <p><a class="button" href="/">${words.missing.home}</a></p>
  </section>`;
}

await open(Missing);
