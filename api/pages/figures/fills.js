// How the bars are filled. They differ by pattern, not by colour alone; the colours are those of the stylesheet.

/** @typedef {import("./charts.js").Fill} Fill */

const TILE = 8; // CSS pixels of a pattern's side

/** The colour of a fill, or another one of the stylesheet, as it is now: it changes with the scheme.
 *
 * @param {Element} element @param {string} name such as "completed", "grid" */
export function colorOf(element, name) {
  return getComputedStyle(element).getPropertyValue(`--plot-${name}`).trim();
}

/** What a canvas fills with.
 *
 * @param {Element} element @param {Fill} fill @returns {string | CanvasPattern} */
export function fillOf(element, fill) {
  const color = colorOf(element, fill);
  if (fill === "completed") return color;
  const side = TILE * (globalThis.devicePixelRatio || 1);
  const tile = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const drawing = tile.getContext("2d");
  if (!drawing) return color;
  drawing.fillStyle = colorOf(element, "paper");
  drawing.fillRect(0, 0, side, side);
  drawing.fillStyle = drawing.strokeStyle = color;
  if (fill === "missed") hatch(drawing, side);
  else if (fill === "cancelled") dot(drawing, side);
  return drawing.createPattern(tile, "repeat") ?? color; // "ahead" has an outline only
}

/** @param {CanvasRenderingContext2D} drawing @param {number} side */
function hatch(drawing, side) {
  drawing.lineWidth = side / 4;
  drawing.beginPath();
  for (const shift of [-side, 0, side]) {
    drawing.moveTo(shift - side / 2, side * 1.5);
    drawing.lineTo(shift + side * 1.5, -side / 2);
  }
  drawing.stroke();
}

/** @param {CanvasRenderingContext2D} drawing @param {number} side */
function dot(drawing, side) {
  drawing.beginPath();
  drawing.arc(side / 2, side / 2, side / 4, 0, 2 * Math.PI);
  drawing.fill();
}
