// The words of codes by text and of the rules for passwords, in English. The hub sends words.de.js instead to who reads German.

export const words = {
  forgottenHow: "A code for a new password comes to the phone of your account, if you have proven it.",
  sendCode: "Send a code",
  code: "Code",
  passwordSet: "You have a new password",
  proveTitle: "Prove your phone",
  notProven: "You get text messages only on a phone that you have proven. Ask for a code and enter it here.",
  prove: "Prove the phone",
  proven: "Your phone is proven.",
  toPhone: "A code is on its way to your phone. It is good for ten minutes.",
  ifThereIs: "If there is such an account with a proven phone, a code is on its way to it. It is good for ten minutes.",
  signUpSent: (/** @type {string} */ phone) =>
    `If neither the phone nor the e-mail address has an account yet, a code is on its way to ${phone}. It is good for ten minutes.`,
  createAccount: "Create the account",
  noText: "No text?",
  noTextHow: "It can take a minute or two. Look whether the number is right, and ask for a new code. Only the last code is good.",
  sendNewCode: "Send a new code",
  newCodeSent: "A new code is on its way. Only this one is good now.",
  correct: "Correct what I have written",
  perhapsAccount: "Do you have an account, or was the connection lost after the code?",
  appCode: "Your authenticator app shows it. You can also write a recovery code.",
  wrongAppCode: "This is not the code, or it has been used. Wait for the next one.",
  rules: {
    common_password: "Many people have this password, so it is tried first. Choose another one.",
    personal_password: "A name or an address is no password. Choose another one.",
    wrong_code: "This is not the code, or not any more. After five tries or ten minutes, ask for a new one.",
  },
};
