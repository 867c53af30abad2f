// The link of the display in the waiting room: made here, shown once, ended here.

import { codeOf, session } from "../shared/session.js";
import { announce, html, Problem, useState } from "../shared/ui.js";
import { refusalText } from "../staff/command.js";
import { words as desk } from "./words.js";

const PATH = "/api/v1/displays";

export function DisplayLink() {
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");
  const act = async (/** @type {() => Promise<void>} */ work) => {
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(refusalText({ code: codeOf(error) }));
    }
  };
  const make = () =>
    act(async () => {
      /** @type {{path: string}} */
      const { path } = await session.ask("POST", PATH);
      setLink(`${location.origin}${path}`);
      announce(desk.display.made);
    });
  const end = () =>
    act(async () => {
      await session.ask("DELETE", PATH);
      setLink("");
      announce(desk.display.ended);
    });
  return html`<details class="display-link">
    <summary>${desk.display.title}</summary>
    <p>${desk.display.about}</p>
    ${link && html`<p><a href=${link} target="_blank" rel="noopener">${link}</a><br /><small>${desk.display.once}</small></p>`}
    <p class="actions">
      <button type="button" class="secondary" onClick=${make}>${desk.display.make}</button>
      <button type="button" class="secondary" onClick=${end}>${desk.display.end}</button>
    </p>
    <${Problem}>${problem}</>
  </details>`;
}
