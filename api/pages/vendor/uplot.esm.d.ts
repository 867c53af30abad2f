/** The types of the package that `uplot.esm.js` is a copy of. */
export { default } from "uplot";
