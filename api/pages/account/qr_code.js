// A QR code as a drawing: one path, so that the policy of the page needs no exception.

import { html } from "../shared/ui.js";
import { generate } from "../vendor/lean-qr.js";

const QUIET = 4; // modules of white around the code, as ISO/IEC 18004 wants

/** @param {{text: string, label: string}} properties */
export function QrCode({ text, label }) {
  const code = generate(text);
  const across = Array.from({ length: code.size }, (_, place) => place);
  const dark = across.flatMap((y) => across.filter((x) => code.get(x, y)).map((x) => `M${x} ${y}h1v1h-1z`));
  const whole = code.size + 2 * QUIET;
  return html`<svg role="img" aria-label=${label} viewBox="${-QUIET} ${-QUIET} ${whole} ${whole}" shape-rendering="crispEdges">
    <path class="light" d="M${-QUIET} ${-QUIET}h${whole}v${whole}h-${whole}z" />
    <path class="dark" d=${dark.join("")} />
  </svg>`;
}
