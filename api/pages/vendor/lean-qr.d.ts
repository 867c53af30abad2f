/** The types of the package that `lean-qr.js` is a copy of. */
export { generate } from "lean-qr";
