// The day of all doctors side by side.
//
// It is a table of buttons, and not EventCalendar: screen readers know tables, each cell is reached by the arrow keys,
// an appointment takes exactly one half hour, and it saves 45 KB (gzip) and the styles that our policy forbids.

import { foreignZone } from "../shared/times.js";
import { Component } from "../vendor/htm-preact.js";
import { html, Problem, useEffect, useRef, useState } from "../shared/ui.js";
import { Cell } from "./cell.js";
import { dragging } from "./drag.js";
import { rowsOf } from "./rows.js";
import { words as desk } from "./words.js";

/** @typedef {import("../staff/board.js").DoctorDay} DoctorDay */
/** @typedef {import("./page.js").Place} Place */
/** @typedef {import("./rows.js").Entry} Entry */

/** @param {{
 *   days: DoctorDay[],
 *   now: number,
 *   wanted: Place | null,
 *   busy: Place | null,
 *   refused: {place: Place, text: string} | null,
 *   onPick: (place: Place) => void,
 *   onOpen: (appointmentId: string, place: Place) => void,
 *   onMove: (appointmentId: string, place: Place) => void,
 * }} properties */
export function Table({ days, now, wanted, busy, refused, onPick, onOpen, onMove }) {
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const [at, setAt] = useState("");
  const { rows, first, places, current } = rowsOf(days, now);
  const stop = places.has(at) ? at : first; // the one cell that the Tab key reaches
  useEffect(() => {
    const row = frame.current?.querySelector(/** @type {"tr"} */ ("tr.current"));
    const head = frame.current?.querySelector("thead");
    if (row && head && frame.current) frame.current.scrollTop = row.offsetTop - head.offsetHeight - row.offsetHeight;
  }, []);
  if (days.length === 0) return html`<p class="notice">${desk.noDoctors}</p>`;
  if (rows.length === 0) return html`<p class="notice">${desk.noHours}</p>`;
  const click = (/** @type {MouseEvent} */ event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!button || event.detail > 1) return; // the second click of a double click is not meant for what has come
    const { doctor = "", start = "", appointment } = button.dataset;
    if (appointment) onOpen(appointment, { doctorId: doctor, start });
    else onPick({ doctorId: doctor, start });
  };
  // It is given as `onfocusin`: the Preact in htm's file hears nothing by `onFocusIn`.
  const focused = (/** @type {FocusEvent} */ event) => {
    const { doctor, start } = /** @type {HTMLElement} */ (event.target).dataset;
    if (doctor && start) setAt(`${doctor} ${start}`);
  };
  const gone = refused && !places.has(idOf(refused.place)); // there is no cell to say it in
  const ids = days.map(({ id }) => id).join(" ");
  return html`<${Problem}>${gone && refused.text}</>
    <p class="unseen" id="keys">${desk.keys}</p>
    <div class="board" ref=${frame} role="region" aria-label=${desk.board} aria-describedby="keys" onKeyDown=${move} onClick=${click} onfocusin=${focused} ...${dragging(onMove)}>
      <table style=${{ "--doctors": days.length }}>
        <thead>
          <tr>
            <th scope="col"><span class="unseen">${desk.time}</span></th>
            ${days.map(({ id, name, zone }) => html`<th key=${id} scope="col">${name}<${Zone} zone=${zone} now=${now} /></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ time, cells }) => html`<${Row}
              key=${time}
              time=${time}
              current=${time === current}
              cells=${cells}
              ids=${ids}
              stop=${stop}
              wanted=${idOf(wanted)}
              busy=${idOf(busy)}
              refused=${idOf(refused?.place)}
              problem=${refused?.text ?? ""}
            />`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** The id of the entry at a place. @param {Place | null | undefined} place */
function idOf(place) {
  return place ? `${place.doctorId} ${place.start}` : "";
}

/** A row: `ids` are those of the doctors; `stop`, `wanted`, `busy` and `refused` are ids of entries of any row.
 *
 * @typedef {{time: string, current: boolean, cells: Entry[][], ids: string, stop: string, wanted: string, busy: string, refused: string, problem: string}} Drawn */

/** Drawn again only if it shows something else: an event changes one row of the table.
 *
 * @extends {Component<Drawn>} */
class Row extends Component {
  /** @param {Drawn} next */
  shouldComponentUpdate({ cells, ...next }) {
    const { cells: shown, ...before } = this.props;
    const marks = /** @type {Record<string, unknown>} */ (before);
    if (Object.entries(next).some(([name, value]) => marks[name] !== value)) return true;
    return cells.some((entries, place) => entries.length !== shown[place].length || entries.some((entry, at) => entry !== shown[place][at]));
  }

  /** @param {Drawn} drawn */
  render({ time, current, cells, ids, stop, wanted, busy, refused, problem }) {
    const doctors = ids.split(" ");
    return html`<tr class=${current ? "current" : null}>
      <th scope="row" aria-current=${current ? "time" : null}>${time}</th>
      ${cells.map(
        (entries, place) => html`<td key=${doctors[place]}>
          ${entries.map(
            (entry) => html`<${Cell}
              key=${entry.id}
              ...${entry}
              tab=${entry.id === stop}
              wanted=${entry.id === wanted}
              busy=${entry.id === busy}
              problem=${entry.id === refused ? problem : ""}
            />`,
          )}
        </td>`,
      )}
    </tr>`;
  }
}

/** @param {{zone: string, now: number}} properties */
function Zone({ zone, now }) {
  const name = foreignZone(now, zone);
  return name && html`<small>${name}</small>`;
}

/** Move the focus by the arrow keys to the next button of the column, or to the nearest one of another column.
 *
 * @param {KeyboardEvent} event */
function move(event) {
  const cell = /** @type {HTMLElement} */ (event.target).closest("td");
  const row = cell?.parentElement;
  if (!cell || !(row instanceof globalThis.HTMLTableRowElement)) return;
  const rows = [.../** @type {HTMLTableSectionElement} */ (row.parentElement).rows];
  const [here, column] = [rows.indexOf(row), cell.cellIndex];
  const to = found(event.key, rows, here, column);
  if (to === undefined) return;
  event.preventDefault();
  to?.focus();
  to?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** The button to which a key leads; null if there is none, undefined if the key leads nowhere.
 *
 * @param {string} key @param {HTMLTableRowElement[]} rows @param {number} here @param {number} column
 * @returns {HTMLElement | null | undefined} */
function found(key, rows, here, column) {
  const button = (/** @type {number} */ row, /** @type {number} */ place) => rows[row]?.cells[place]?.querySelector("button") ?? null;
  const first = (/** @type {number[]} */ order) => order.map((row) => button(row, column)).find((each) => each) ?? null;
  const all = rows.map((_, place) => place);
  if (key === "ArrowDown") return first(all.slice(here + 1));
  if (key === "ArrowUp") return first(all.slice(0, here).reverse());
  if (key === "Home") return first(all);
  if (key === "End") return first([...all].reverse());
  if (key !== "ArrowRight" && key !== "ArrowLeft") return undefined;
  const near = [...all].sort((one, other) => Math.abs(one - here) - Math.abs(other - here));
  const step = key === "ArrowRight" ? 1 : -1;
  for (let place = column + step; place > 0 && place < rows[here].cells.length; place += step) {
    const to = near.map((row) => button(row, place)).find((each) => each);
    if (to) return to;
  }
  return null;
}
