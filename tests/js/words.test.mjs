import assert from "node:assert/strict";
import test from "node:test";

const german = { Send: "Senden", "%(count)s hit": ["%(count)s Treffer (eins)", "%(count)s Treffer (viele)"], Empty: "" };
globalThis.document = {
  documentElement: { lang: "de" },
  getElementById: (id) => (id === "page-words" ? { textContent: JSON.stringify(german) } : null),
};
const { gettext, interpolate, ngettext } = await import("wb/words");

test("a text without a translation stays what it is", () => {
  assert.equal(gettext("Send"), "Senden");
  assert.equal(gettext("Fly"), "Fly");
  assert.equal(gettext("Empty"), "Empty");
});

test("a number has its form", () => {
  const hits = (count) => interpolate(ngettext("%(count)s hit", "%(count)s hits", count), { count });
  assert.equal(hits(1), "1 Treffer (eins)");
  assert.equal(hits(2), "2 Treffer (viele)");
  assert.equal(ngettext("one", "many", 2), "many");
});

test("what is put in isn't looked at again", () => {
  assert.equal(interpolate("“%(a)s” %(b)s", { a: "%(b)s", b: 2 }), "“%(b)s” 2");
});
