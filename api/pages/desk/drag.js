// Moving an appointment with the mouse to a free time of its doctor. "Move…" does the same without a mouse.

/** @typedef {import("./page.js").Place} Place */

/** What is dragged now. @type {{appointment: string, doctor: string} | null} */
let dragged = null;

/** The handlers of the table.
 *
 * @param {(appointmentId: string, place: Place) => void} onMove */
export function dragging(onMove) {
  return {
    onDragStart: (/** @type {DragEvent} */ event) => {
      const { appointment, doctor } = /** @type {HTMLElement} */ (event.target).dataset;
      if (!appointment || !doctor) return;
      dragged = { appointment, doctor };
      event.dataTransfer?.setData("text/plain", ""); // Firefox drags nothing without it
    },
    onDragEnd: () => (dragged = null),
    onDragOver: (/** @type {DragEvent} */ event) => {
      const target = targetOf(event);
      target?.classList.add("over");
      if (target) event.preventDefault(); // it may be dropped here
    },
    onDragLeave: (/** @type {DragEvent} */ event) => targetOf(event)?.classList.remove("over"),
    onDrop: (/** @type {DragEvent} */ event) => {
      const target = targetOf(event);
      if (!target || !dragged) return;
      event.preventDefault();
      target.classList.remove("over");
      onMove(dragged.appointment, { doctorId: dragged.doctor, start: target.dataset.start ?? "" });
    },
  };
}

/** The free time of the same doctor on which the mouse is. @param {DragEvent} event */
function targetOf(event) {
  const button = /** @type {Element} */ (event.target).closest?.(/** @type {"button"} */ ("button.open"));
  return button && dragged && button.dataset.doctor === dragged.doctor ? button : null;
}
