import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseBefore } from "wb/socket";

test("pauses grow, are half random, and end at half a minute", () => {
  const least = [0, 1, 2, 10].map((attempt) => pauseBefore(attempt, 1006, () => 0));
  const most = [0, 1, 2, 10].map((attempt) => pauseBefore(attempt, 1006, () => 1));
  assert.deepEqual(least, [250, 500, 1000, 15_000]);
  assert.deepEqual(most, [500, 1000, 2000, 30_000]);
});

test("a tab too many waits until another may have been closed", () => {
  assert.equal(pauseBefore(0, 4429, () => 0), 15_000);
});
