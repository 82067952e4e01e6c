import assert from "node:assert/strict";
import { test } from "node:test";
import { Fold } from "wb/transcript";

function fold(...events) {
  const result = new Fold();
  let next = 0;
  for (const event of events) result.feed({ sequence: event.live ? null : next++, ...event });
  return result;
}
const say = (content, rest = {}) => ({ type: "content", content, ...rest });
const live = { live: true };

test("unstored text is shown in its place and is no part of what stays", () => {
  const { parts, storedParts } = fold(say("one "), say("(live) ", live), say("two"));
  assert.equal(parts.map(({ content }) => content).join(""), "one (live) two");
  assert.deepEqual(storedParts, [{ kind: "text", content: "one two" }]);
});

test("an event type named like an object's own method is a custom event", () => {
  const { parts } = fold({ type: "constructor", a: 1 });
  assert.deepEqual(parts[0], { kind: "custom", type: "constructor", fields: { a: 1 }, content: "" });
});

test("the status line is the handler's last word until text comes", () => {
  const status = { type: "status", status: "processing", message: "Looking…" };
  assert.equal(fold(status).statusLine, "Looking…");
  assert.equal(fold(status, say("Here")).statusLine, "");
});

test("signed reasoning closes its block", () => {
  const think = (text, signature = null) => ({ type: "reasoning", text, signature, redacted: null });
  const contents = fold(think("a"), think("b", "sig"), think("c")).parts.map(({ content }) => content);
  assert.deepEqual(contents, ["ab", "c"]);
});
