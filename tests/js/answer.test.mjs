import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "wb/answer";

const base = { id: "r", status: "running", sequence: 2, parts: [{ kind: "text", content: "abc" }], errors: [] };
const content = (sequence, text, first) => ({ type: "content", sequence, content: text, first_sequence: first });
const events = (after, through, list) => ({ type: "events", response_id: "r", after, through, timestamp: 0, events: list });

test("following starts before the first event, merged", () => {
  assert.deepEqual(new Answer(base).subscribe(), { type: "subscribe", response_id: "r", after: -1, merge: true });
});

test("what the page brought is shown until the replay has caught up with it", () => {
  const answer = new Answer(base);
  answer.take(events(-1, 1, [content(1, "ab", 0)]));
  assert.equal(answer.message.parts[0].content, "abc");
  answer.take(events(1, 3, [content(3, "cd", 2)]));
  assert.equal(answer.message.parts[0].content, "abcd");
});

test("a gap asks once, and again only after an answer", () => {
  const answer = new Answer({ ...base, sequence: -1 });
  answer.take(events(-1, 0, [content(0, "a")]));
  assert.equal(answer.take(events(4, 5, [content(5, "f")])), true);
  assert.equal(answer.subscribe().after, 0);
  assert.equal(answer.take(events(5, 6, [content(6, "g")])), false);
  answer.take(events(0, 6, [content(6, "bcdefg", 1)]));
  assert.equal(answer.message.parts[0].content, "abcdefg");
  assert.equal(answer.take(events(9, 10, [content(10, "k")])), true);
});

test("the end gives the status, and errors come with it", () => {
  const answer = new Answer({ ...base, sequence: -1 });
  const error = { type: "error", sequence: 0, error_type: "worker_lost", message: "Lost." };
  const end = { type: "response_end", sequence: 1, status: "error", usage: {}, error_type: "worker_lost" };
  answer.take(events(-1, 1, [error, end]));
  assert.equal(answer.ended, true);
  assert.deepEqual(answer.message.errors, [{ type: "worker_lost", message: "Lost.", sequence: 0 }]);
  assert.equal(answer.message.status, "error");
});
