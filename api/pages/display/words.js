// The words of the display, in English and German.

import { language } from "../shared/words.js";

const en = {
  title: "Please come in",
  nobody: "Please wait until you are called.",
  ended: "This display is switched off",
  endedWhy: "The front desk makes a new link.",
};

/** @type {typeof en} */
const de = {
  title: "Bitte eintreten",
  nobody: "Bitte warten Sie, bis Sie aufgerufen werden.",
  ended: "Diese Anzeige ist abgeschaltet",
  endedWhy: "Am Empfang wird ein neuer Link gemacht.",
};

export const words = language === "de" ? de : en;
