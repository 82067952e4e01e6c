import assert from "node:assert/strict";
import { test } from "node:test";
import { Cursor } from "wb/cursor";

const event = (sequence, rest = {}) => ({ type: "content", sequence, content: "x", ...rest });
const frame = (after, through, events, rest = {}) => ({ type: "events", after, through, events, ...rest });
const numbers = ({ events }) => events.map(({ sequence }) => sequence);

test("a frame that joins is taken whole, and the cursor passes hidden numbers", () => {
  const cursor = new Cursor();
  assert.deepEqual(numbers(cursor.take(frame(-1, 4, [event(0), event(3)]))), [0, 3]);
  assert.equal(cursor.at, 4);
});

test("a frame beyond the next number is a gap, and nothing of it is taken", () => {
  const cursor = new Cursor();
  const { events, gap } = cursor.take(frame(2, 3, [event(3)]));
  assert.deepEqual([events, gap, cursor.at], [[], true, -1]);
});

test("what was seen is skipped in a frame that overlaps", () => {
  const cursor = new Cursor();
  cursor.take(frame(-1, 2, [event(0), event(1), event(2)]));
  assert.deepEqual(numbers(cursor.take(frame(1, 3, [event(2), event(3)]))), [3]);
});

test("an unstored event is taken in its place", () => {
  const cursor = new Cursor();
  cursor.take(frame(-1, 0, [event(0)]));
  assert.deepEqual(numbers(cursor.take(frame(0, 0, [event(null)]))), [null]);
  assert.deepEqual(numbers(cursor.take(frame(0, 1, [event(null), event(1), event(null)]))), [null, 1, null]);
});

test("an unstored event whose place has passed is dropped, one in the new stretch is taken", () => {
  const cursor = new Cursor();
  cursor.take(frame(-1, 1, [event(0), event(1)]));
  assert.deepEqual(numbers(cursor.take(frame(0, 2, [event(null), event(1), event(2), event(null)]))), [2, null]);
});

test("reset forgets what was held", () => {
  const cursor = new Cursor();
  cursor.take(frame(-1, 9, [event(9, { first_sequence: 0 })]));
  const taken = cursor.take(frame(-1, 4, [event(4, { first_sequence: 0 })], { reset: true }));
  assert.deepEqual([numbers(taken), taken.reset, cursor.at], [[4], true, 4]);
});

test("a merged event that overlaps what was seen has everything sent again", () => {
  const cursor = new Cursor();
  cursor.take(frame(-1, 2, [event(2, { first_sequence: 0 })]));
  const taken = cursor.take(frame(-1, 4, [event(4, { first_sequence: 0 })]));
  assert.deepEqual([taken.events, taken.reset, taken.gap, cursor.at], [[], true, true, -1]);
});
