// The list of a patient's appointments, which is told by the hub and stays true.

import { now } from "../shared/clock.js";
import { live } from "../shared/line.js";
import { doctors as readDoctors } from "../shared/reading.js";
import { session } from "../shared/session.js";
import { dayAndTime, timeOf } from "../shared/times.js";
import { announce, html, Skeleton, useEffect, useLater, useRef, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";
import { words } from "../shared/words.js";
import { words as waitlist } from "../waitlist/words.js";
import { Item } from "./item.js";
import { isOffer, Offers } from "./offers.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** `keepsFocus`: it tells what has happened, and not what one has just done.
 *
 * @typedef {{text: string, again?: Appointment, keepsFocus?: boolean}} Notice */

const MONTHS_BACK = 6;
const TICK = 30_000; // ms between two looks at the clock: what has ended goes to the past ones
const RETRY = 2_000; // ms between two attempts to read the doctors
const UNSAID = new Set(["booked", "accepted", "declined", "lapsed"]); // the events of which nothing is to be said here

export function Appointments() {
  const own = useRef(/** @type {Set<string>} */ (new Set())); // what is being changed here: it is no news when it changes
  const { all, doctors } = useAppointments(own.current);
  const [notice, setNotice] = useState(/** @type {Notice | null} */ (null));
  const waiting = useLater(() => import("./waiting.js"));
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), TICK);
    return () => clearInterval(timer);
  }, []);
  if (!all || !doctors) return html`<${Skeleton} lines=${4} />`;
  const sorted = [...all.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
  const coming = sorted.filter(isComing);
  return html`
    <${Said} notice=${notice} onSay=${setNotice} doctors=${doctors} />
    <${Offers} all=${all} doctors=${doctors} own=${own.current} onSay=${setNotice} />
    <h2 id="appointments">${words.mine.list}</h2>
    ${coming.length === 0 &&
    html`<p>${words.mine.empty}</p>
      <p><a class="button" href="/book">${words.book.title}</a></p>`}
    <ul class="cards" aria-labelledby="appointments">
      ${coming.map(
        (appointment) =>
          html`<${Item} key=${appointment.id} appointment=${appointment} doctor=${doctors.get(appointment.doctorId)} own=${own.current} onSay=${setNotice} />`,
      )}
    </ul>
    ${waiting && html`<${waiting.Waiting} doctors=${doctors} onSay=${setNotice} />`}
    <${Past} ended=${sorted.filter((appointment) => !isComing(appointment) && !isOffer(appointment))} doctors=${doctors} />
  `;
}

/** What has just been done, and the way back from a cancellation. It takes the focus when what had it is gone.
 *
 * @param {{notice: Notice | null, onSay: (notice: Notice | null) => void, doctors: Map<string, Doctor>}} properties */
function Said({ notice, onSay, doctors }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const focused = useRef(/** @type {Element | null} */ (null));
  useEffect(() => {
    const note = () => (focused.current = document.activeElement);
    document.addEventListener("focusin", note);
    return () => document.removeEventListener("focusin", note);
  }, []);
  useEffect(() => {
    if (!notice) return;
    if (notice.keepsFocus && focused.current?.isConnected !== false) announce(notice.text);
    else box.current?.focus();
  }, [notice]);
  if (!notice) return null;
  const again = async (/** @type {Appointment} */ { doctorId, start, reason }) => {
    const answer = await live.line.command("book", { doctorId, start, ...(reason ? { reason } : {}) });
    onSay({ text: answer.ok ? words.mine.bookedAgain : errorText({ code: answer.error.code, message: answer.error.detail }) });
  };
  const gone = notice.again;
  const bookable = gone && Date.parse(gone.start) > now() && !doctors.get(gone.doctorId)?.disabled;
  return html`<div class="notice" role="status" tabindex="-1" ref=${box}>
    <p>${notice.text}</p>
    ${bookable && html`<p><button type="button" class="secondary" onClick=${() => again(gone)}>${words.mine.again}</button></p>`}
  </div>`;
}

/** @param {{ended: Appointment[], doctors: Map<string, Doctor>}} properties */
function Past({ ended, doctors }) {
  const [earlier, setEarlier] = useState(/** @type {Appointment[]} */ ([]));
  const read = async () => {
    const from = new Date(now());
    from.setMonth(from.getMonth() - MONTHS_BACK);
    const query = new URLSearchParams({ from: from.toISOString(), to: new Date(now()).toISOString(), limit: "200" });
    setEarlier(await session.ask("GET", `/api/v1/appointments?${query}`));
  };
  const known = new Set(ended.map(({ id }) => id));
  const shown = [...earlier.filter((each) => !known.has(each.id) && !isComing(each)), ...ended].sort((a, b) => (a.start > b.start ? -1 : 1));
  return html`<details onToggle=${(/** @type {Event} */ event) => /** @type {HTMLDetailsElement} */ (event.currentTarget).open && read().catch(() => {})}>
    <summary><h2>${words.mine.past}</h2></summary>
    ${shown.length === 0 && html`<p>${words.mine.none}</p>`}
    <ul>
      ${shown.map((each) => {
        const doctor = doctors.get(each.doctorId);
        return html`<li key=${each.id}>${dayAndTime(each.start, doctor?.zone ?? "UTC")}, ${each.doctor?.name ?? doctor?.name} · ${words.mine.status[each.status]}</li>`;
      })}
    </ul>
  </details>`;
}

/** @param {Appointment} appointment */
function isComing({ status, end }) {
  return (status === "scheduled" || status === "confirmed") && Date.parse(end) > now();
}

/** The patient's appointments by id, and the doctors by id; null until they are known.
 *
 * @param {Set<string>} own */
function useAppointments(own) {
  const [all, setAll] = useState(/** @type {Map<string, Appointment> | null} */ (null));
  const [doctors, setDoctors] = useState(/** @type {Map<string, Doctor> | null} */ (null));
  const zones = useRef(doctors);
  zones.current = doctors;
  useEffect(() => {
    const stop = live.hear({
      onSnapshot: (appointments) => setAll(new Map(appointments.map((each) => [each.id, each]))),
      onAppointment: ({ appointment, type }) => {
        // An event may come without the name, if it could not be read in time.
        setAll((before) => new Map(before).set(appointment.id, { ...before?.get(appointment.id), ...appointment }));
        if (own.has(appointment.id) || UNSAID.has(type)) return;
        const zone = zones.current?.get(appointment.doctorId)?.zone ?? "UTC";
        const when = dayAndTime(appointment.start, zone);
        if (isOffer(appointment)) announce(waitlist.offers.come(when, timeOf(appointment.offeredUntil ?? appointment.start, zone)));
        else announce(words.mine.changed(`${when}, ${words.mine.status[appointment.status]}`));
      },
    });
    const read = () => {
      readDoctors().then(
        (found) => setDoctors(new Map(found.map((each) => [each.id, each]))),
        () => setTimeout(read, RETRY),
      );
    };
    read();
    return stop;
  }, []);
  return { all, doctors };
}
