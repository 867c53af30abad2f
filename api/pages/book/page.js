// Booking: a doctor, a day, a time. One signs in only to take the time; what one has chosen is kept meanwhile.

import { now } from "../shared/clock.js";
import { open, signInPath } from "../shared/frame.js";
import { doctors as readAll } from "../shared/reading.js";
import { codeOf, session } from "../shared/session.js";
import { SlotPicker } from "../shared/slot_picker.js";
import { dayOf, isDay } from "../shared/times.js";
import { html, Problem, Skeleton, useEffect, useLater, useState } from "../shared/ui.js";
import { errorText } from "../shared/language.js";
import { words } from "../shared/words.js";
import { Booked } from "./booked.js";
import { Choice } from "./choice.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").User} User */

const REASON = "clinic-hub reason"; // what was typed, while one signs in

/** @param {{user: User | null}} properties */
function Book({ user }) {
  const { doctors, problem } = useDoctors();
  const [{ doctorId, day, start }, choose] = useAddress();
  const [gone, setGone] = useState("");
  const [booked, setBooked] = useState(/** @type {Appointment | null} */ (null));
  const [busy, setBusy] = useState(false);
  const doctor = doctors?.find(({ id }) => id === doctorId) ?? doctors?.[0];
  if (booked && doctor) return html`<${Booked} appointment=${booked} doctor=${doctor} />`;
  return html`
    <h1>${words.book.title}</h1>
    ${problem && html`<${Problem}>${problem}</>`}
    ${!doctors && !problem && html`<${Skeleton} lines=${7} />`}
    ${doctors && !doctor && html`<p class="notice">${words.book.noDoctors}</p>`}
    ${doctors &&
    doctor &&
    html`<div class="booking">
      <div>
        <${DoctorChoice} doctors=${doctors} doctor=${doctor} onChange=${(/** @type {string} */ id) => choose({ doctorId: id, day: null, start: null })} />
        <${SlotPicker}
          key=${doctor.id}
          doctor=${doctor}
          day=${day}
          chosen=${start}
          busy=${busy}
          onDay=${(/** @type {string} */ date) => choose({ doctorId: doctor.id, day: date, start: null })}
          onChoose=${(/** @type {string} */ wanted) => {
            setGone("");
            choose({ doctorId: doctor.id, day, start: wanted });
          }}
          onSlots=${(/** @type {import("../hub-client.js").Slot[]} */ slots) => {
            const slot = slots.find((each) => each.start === start);
            if (start && !busy && !slot?.available) setGone(start);
          }}
          whenFull=${(/** @type {string} */ from, /** @type {string} */ to) =>
            html`<${WhenFull} key=${from} user=${user} doctor=${doctor} days=${{ from, to }} today=${dayOf(now(), doctor.zone)} onVisitor=${() => location.assign(signInPath())} />`}
        />
      </div>
      <${Choice}
        user=${user}
        doctor=${doctor}
        start=${start}
        gone=${gone === start ? gone : ""}
        reason=${stored()}
        onBusy=${setBusy}
        onBooked=${(/** @type {Appointment} */ appointment) => {
          sessionStorage.removeItem(REASON);
          history.replaceState(null, "", location.pathname); // so that the page, loaded again, does not offer it again
          setBooked(appointment);
        }}
        onVisitor=${(/** @type {string} */ reason) => {
          sessionStorage.setItem(REASON, reason);
          location.assign(signInPath());
        }}
      />
    </div>`}
  `;
}

/** What is offered on a day that is full; it is loaded when there is one.
 *
 * @param {Parameters<typeof import("./full_day.js").FullDay>[0]} properties */
function WhenFull(properties) {
  const part = useLater(() => import("./full_day.js"));
  return part && html`<${part.FullDay} ...${properties} />`;
}

/** @param {{doctors: Doctor[], doctor: Doctor, onChange: (id: string) => void}} properties */
function DoctorChoice({ doctors, doctor, onChange }) {
  return html`<div class="field">
    <label for="doctor">${words.book.doctor}</label>
    <select id="doctor" value=${doctor.id} aria-describedby="specialty" onChange=${(/** @type {Event} */ event) => onChange(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
      ${doctors.map(({ id, name }) => html`<option key=${id} value=${id} selected=${id === doctor.id}>${name}</option>`)}
    </select>
    <small id="specialty">${doctor.specialty ?? ""}</small>
  </div>`;
}

/** The doctors with whom one can book. */
function useDoctors() {
  const [doctors, setDoctors] = useState(/** @type {Doctor[] | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    readAll().then(
      (all) => setDoctors(all.filter(({ disabled }) => !disabled)),
      (error) => setProblem(errorText({ code: codeOf(error) })),
    );
  }, []);
  return { doctors, problem };
}

/** @typedef {{doctorId: string | null, day: string | null, start: string | null}} Address */

/** What is chosen, which is in the address of the page: so it survives the sign-in, and can be sent to somebody.
 *
 * @returns {[Address, (chosen: Address) => void]} */
function useAddress() {
  const [chosen, setChosen] = useState(read);
  return [
    chosen,
    (now) => {
      const given = Object.entries({ doctor: now.doctorId, date: now.day, start: now.start }).filter(([, value]) => value);
      history.replaceState(null, "", given.length ? `?${new URLSearchParams(/** @type {[string, string][]} */ (given))}` : location.pathname);
      setChosen(now);
    },
  ];
}

/** @returns {Address} */
function read() {
  const query = new URLSearchParams(location.search);
  const date = query.get("date");
  const start = query.get("start");
  return { doctorId: query.get("doctor"), day: isDay(date) ? date : null, start: start && isDay(dayOf(start, "UTC")) ? start : null };
}

function stored() {
  return session.user ? (sessionStorage.getItem(REASON) ?? "") : "";
}

await open(Book);
