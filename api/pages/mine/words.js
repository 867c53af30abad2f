// The words of a patient's own page that no other page has, in English. The hub sends words.de.js instead to who reads German.

export const words = {
  endTitle: "Delete my account",
  endWhat: "This cancels your appointments to come and removes your name, your e-mail, your phone, your picture, your messages and what you have written about your visits. The clinic keeps only that there were appointments.",
  endNoWay: "There is no way back. You can sign up again later, as somebody new.",
  endPassword: "Password of this account",
  end: "Delete my account",
  sureTitle: "Delete everything for ever?",
  sure: "Yes, delete everything",
  keep: "Keep my account",
  ended: "Your account is deleted. Your appointments are cancelled.",
  wrong: "This is not your password.",
};
