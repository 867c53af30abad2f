// The times of the pages, on days on which clocks change.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" }, querySelector: () => ({ content: "Clinic" }) };
const { clockOf, dayAndTime, dayOf, plusDays, timeOf } = await import("../../api/pages/shared/times.js");
const { instantOf } = await import("../../api/pages/staff/zones.js");

test("an hour that comes twice has two names, the hours around it have one", () => {
  const instants = ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"];
  assert.deepEqual(instants.map((each) => timeOf(each, "Europe/Berlin")), ["01:30", "02:30 GMT+2", "02:30 GMT+1", "03:00"]);
  assert.deepEqual(instants.map((each) => clockOf(each, "Europe/Berlin")), ["01:30", "02:30", "02:30", "03:00"]);
  assert.equal(dayAndTime(instants[2], "Europe/Berlin"), "Sunday, 25 October 2026, 02:30 GMT+1");
});

test("clocks that go back by half an hour are told apart, too", () => {
  const instants = ["2027-04-03T14:30:00Z", "2027-04-03T15:00:00Z", "2027-04-03T15:30:00Z"];
  assert.deepEqual(instants.map((each) => timeOf(each, "Australia/Lord_Howe")), ["01:30 GMT+11", "01:30 GMT+10:30", "02:00"]);
});

test("what somebody writes is the earlier of two times, and an hour later where there is none", () => {
  assert.equal(instantOf("2026-10-25T02:30", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  assert.equal(instantOf("2026-03-29T02:30", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
});

test("a day of 25 hours is one day", () => {
  assert.equal(plusDays("2026-10-25", 1), "2026-10-26");
  assert.equal(dayOf("2026-10-25T22:30:00Z", "Europe/Berlin"), "2026-10-25");
  assert.equal(dayOf("2026-10-25T23:30:00Z", "Europe/Berlin"), "2026-10-26");
});
