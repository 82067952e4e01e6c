import assert from "node:assert/strict";
import test from "node:test";

const { Branches } = await import("wb/branches");

function tree(...pairs) {
  const branches = new Branches();
  branches.learn(pairs);
  return branches;
}

test("messages with the same parent are alternatives, oldest first, whenever they were learnt", () => {
  const branches = tree(["q", null], ["b", "q"], ["a", "q"]);
  branches.learn([["c", "q"], ["a", "q"]]);
  assert.deepEqual(branches.alternatives("b"), ["a", "b", "c"]);
});

test("first questions are one another's alternatives", () => {
  assert.deepEqual(tree(["1", null], ["2", "1"], ["3", null]).alternatives("3"), ["1", "3"]);
});

test("an unknown message stands alone", () => {
  assert.deepEqual(tree(["1", null]).alternatives("sending"), ["sending"]);
});

test("a branch ends where it was last written", () => {
  const branches = tree(["1", null], ["2", "1"], ["3", "2"], ["4", "3"], ["5", "1"], ["6", "3"]);
  assert.equal(branches.newestLeaf("2"), "6");
  assert.equal(branches.newestLeaf("5"), "5");
});
