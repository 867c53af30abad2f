/** What the pages use of `lean-qr.js`. The types of the package name more than a browser needs. */
export function generate(text: string): { readonly size: number; get(x: number, y: number): boolean };
