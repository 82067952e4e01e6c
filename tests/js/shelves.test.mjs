import assert from "node:assert/strict";
import test from "node:test";

const { calendar, shelfOf } = await import("wb/shelves");
const days = calendar(new Date(2026, 2, 10, 0, 30)); // local time, as the reader's clock
const at = (...parts) => ({ last_message_at: new Date(2026, ...parts).toISOString() });

test("days are the reader's own, not the server's", () => {
  assert.equal(shelfOf(at(2, 10, 0, 10), days), "Today");
  assert.equal(shelfOf(at(2, 9, 23, 59), days), "Yesterday");
  assert.equal(shelfOf(at(2, 3, 0, 0), days), "Last 7 days");
  assert.equal(shelfOf(at(2, 2, 23, 59), days), "March 2026");
});

test("a pinned chat stands apart, however old", () => {
  assert.equal(shelfOf({ ...at(0, 1), pinned: true }, days), "Pinned");
});
