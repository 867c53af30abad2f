// A cell of the table: a free time or an appointment, as one button.

import { Component } from "../vendor/htm-preact.js";
import { html } from "../shared/ui.js";

/** @typedef {import("./rows.js").Entry & {tab: boolean, wanted: boolean, busy: boolean, problem: string}} Drawn */

/** Drawn again only if what it shows has changed: the table of sixty doctors has two thousand of them.
 *
 * @extends {Component<Drawn>} */
export class Cell extends Component {
  /** @param {Drawn} next */
  shouldComponentUpdate(next) {
    const before = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this.props));
    return Object.entries(next).some(([name, value]) => before[name] !== value);
  }

  /** @param {Drawn} drawn */
  render({ doctor, doctorName, start, time, appointment, name, state, kind, movable, tab, wanted, busy, problem }) {
    return html`<button
        type="button"
        class=${`cell ${appointment ? "held" : "open"} ${kind}`}
        tabindex=${tab ? 0 : -1}
        draggable=${movable ? "true" : null}
        data-doctor=${doctor}
        data-start=${start}
        data-appointment=${appointment}
        aria-pressed=${appointment ? null : wanted ? "true" : "false"}
        aria-busy=${busy ? "true" : null}
        aria-haspopup=${appointment ? "dialog" : null}
      >
        ${appointment
          ? html`<strong>${name}</strong><small>${state}</small><span class="unseen">, ${time}, ${doctorName}</span>`
          : html`${time}<span class="unseen">, ${doctorName}, ${state}</span>`}
      </button>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}`;
  }
}
