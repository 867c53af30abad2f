/** What the pages use of `htm-preact.js`, which has no types of its own: Preact with htm. */
export { Component, h, render, createContext } from "preact";
export { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
