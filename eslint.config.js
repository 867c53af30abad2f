// The rules for what a browser gets. Types are checked by tsc, layout is left to the writer.
import js from "@eslint/js";

const BROWSER = [
  ..."AbortController AbortSignal BroadcastChannel FormData HTMLElement Intl URL URLSearchParams addEventListener clearTimeout".split(" "),
  ..."TextDecoderStream console crypto document fetch globalThis history localStorage location matchMedia navigator performance".split(" "),
  ..."ResizeObserver getComputedStyle removeEventListener requestAnimationFrame sessionStorage setInterval clearInterval setTimeout".split(" "),
];

export default [
  { ignores: ["**/node_modules/", "**/.venv/", "api/pages/vendor/", "api/pages/redoc/", "api/pages/swagger-ui/", "api/pages/docs.js"] },
  {
    ...js.configs.recommended,
    files: ["api/pages/**/*.js"],
    languageOptions: { globals: Object.fromEntries(BROWSER.map((name) => [name, "readonly"])) },
    rules: {
      ...js.configs.recommended.rules,
      "no-constant-condition": ["error", { checkLoops: false }], // `for (;;)` until something is decided
      "no-restricted-imports": ["error", { patterns: [{ regex: "^[^.]", message: "A browser finds relative addresses only." }] }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
