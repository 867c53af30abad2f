// The words of the display, in English. The hub sends words.de.js instead to who reads German.

export const words = {
  title: "Please come in",
  nobody: "Please wait until you are called.",
  ended: "This display is switched off",
  endedWhy: "The front desk makes a new link.",
};
