/** The types of the package that `socket.io.esm.min.js` is a copy of. */
export { io } from "socket.io-client";
export type { Socket } from "socket.io-client";
