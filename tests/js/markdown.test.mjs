import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { decoded } from "wb/markdown/entities";
import { healed } from "wb/markdown/heal";
import { hostBehind, imageAddress, linkAddress } from "wb/markdown/links";

const installed = existsSync(new URL("../../deploy/npm/node_modules/marked", import.meta.url));
const skip = installed ? false : "needs deploy/npm/install";
const { settledOf, tokensOf } = installed ? await import("wb/markdown/lexer") : {};
const HERE = "https://chat.example";

test("addresses of the web, of mail and of this site are links", () => {
  assert.equal(linkAddress("https://a.example/b?c=1&amp;d=2", HERE), "https://a.example/b?c=1&d=2");
  assert.equal(linkAddress("mailto:a@b.example", HERE), "mailto:a@b.example");
  assert.equal(linkAddress("/chats/", HERE), "https://chat.example/chats/");
});

test("other addresses are none", () => {
  const others = ["javascript:x", "data:text/html,x", "//a.example", "/\\a.example", "a/b", "#a", "", "https://", "\u0001javascript:x"];
  assert.deepEqual(others.map((address) => linkAddress(address, HERE)), others.map(() => null));
});

test("images come from this site or with the text, and from nowhere else", () => {
  assert.equal(imageAddress("/api/v1/files/1/", HERE), "https://chat.example/api/v1/files/1/");
  assert.equal(imageAddress("data:image/png;base64,AAAA", HERE), "data:image/png;base64,AAAA");
  const others = ["https://a.example/x.png", "//a.example/x.png", "data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA"];
  assert.deepEqual(others.map((address) => imageAddress(address, HERE)), others.map(() => null));
});

test("words that name another host than the link's are found out", () => {
  assert.equal(hostBehind("https://bank.example/login", "https://thief.example/"), "thief.example");
  assert.equal(hostBehind("me@bank.example", "mailto:me@thief.example"), "thief.example");
  assert.equal(hostBehind("www.a.example/x", "https://a.example/x"), null);
  assert.equal(hostBehind("the manual, v2.0", "https://a.example/"), null);
});

test("character references are resolved once, and what is none stays", () => {
  assert.equal(decoded("&lt;b&gt; &amp;amp; &copy; &szlig; &alpha;&Omega; &thinsp;| &#8364; &#x1F600;"), "<b> &amp; © ß αΩ \u2009| € 😀");
  assert.equal(decoded("&nosuch; &#0; &#xD800; &#9999999; AT&T; &"), "&nosuch; \uFFFD \uFFFD \uFFFD AT&T; &");
});

const HALVES = [
  ["some **bold", "some **bold**"],
  ["some *slanted", "some *slanted*"],
  ["some `code", "some `code`"],
  ["a [link](https://exa", "a link"],
  ["an ![image](https://exa", "an "],
  ["cited [1", "cited "],
  ["a ~~struck", "a ~~struck~~"],
  ["so $e^{i", "so "],
  ["it costs $5", "it costs $5"],
  ["text\n-", "text\n"],
  ["| a | b |\n|--", ""],
  ["| a |\n|---|\n| x", "| a |\n|---|\n| x"],
  ["done **bold** and `code`", "done **bold** and `code`"],
];

for (const [half, whole] of HALVES) {
  test(`half typed: ${JSON.stringify(half)}`, () => assert.equal(healed(half), whole));
}

test("only what stands after the last empty line is healed", () => {
  assert.equal(healed("**open\n\nsome *more"), "**open\n\nsome *more*");
});

const PIECES =
  "a|word |\n|\n\n|\n\n|- |* |1. |2)|1|10. |  |    |\t|> |# |#|```|```js\n|~~~|`|¦|¦a¦b¦\n|¦-¦-¦\n|---|===|***|*|**|_|<div>|</div>|<!--|-->|<pre>|<b>|</b>|[|](|)|[1]|$|$$|\\[|\\]|\\(|\\)|x|\\|- [ ] |=|-"
    .split("|")
    .map((piece) => piece.replaceAll("¦", "|"));

/** Always the same documents: a failure can be looked at again. */
function* documents(count) {
  let seed = 42;
  const next = (below) => (seed = (seed * 1664525 + 1013904223) % 4294967296) % below;
  for (let made = 0; made < count; made += 1) {
    yield Array.from({ length: 2 + next(22) }, () => PIECES[(next(1 << 16) >> 4) % PIECES.length]).join("");
  }
}

const tidy = (tokens) =>
  JSON.stringify(tokens.filter(({ type }) => type !== "space"), (key, value) => (key === "raw" ? value.trimEnd() : value));

test("what is settled says the same, whatever comes after it", { skip }, () => {
  let settledParts = 0;
  for (const document of documents(4000)) {
    const whole = tidy(tokensOf(document));
    for (let end = 1; end < document.length; end += 5) {
      const tokens = tokensOf(document.slice(0, end));
      const { count, length } = settledOf(tokens, document.slice(0, end));
      if (count === 0) continue;
      settledParts += 1;
      const joined = [...tokens.slice(0, count), ...tokensOf(document.slice(length))];
      assert.equal(tidy(joined), whole, JSON.stringify([document, end]));
    }
  }
  assert.ok(settledParts > 1000, `${settledParts}`);
});

const kinds = (source) => tokensOf(source)[0].tokens.map(({ type }) => type);

test("formulas are told from money", { skip }, () => {
  assert.deepEqual(kinds("$x$"), ["mathInline"]);
  assert.deepEqual(kinds("\\(x\\)"), ["mathInline"]);
  for (const money of ["$5 and $10", "$5-$6", "US$5 to US$6", "$20 per month or 30$", "$HOME/$USER"]) {
    assert.ok(!kinds(money).includes("mathInline"), money);
  }
  assert.equal(tokensOf("$$\nx\n$$")[0].type, "mathBlock");
  assert.equal(tokensOf("$$\nx\n\ny\n$$")[0].type, "paragraph");
});

test("nesting without end is cut", { skip }, () => {
  const depth = (tokens) => 1 + Math.max(0, ...tokens.map((token) => depth(token.items ?? token.tokens ?? [])));
  assert.ok(depth(tokensOf(`${"- ".repeat(10_000)}x`)) < 80);
  assert.ok(depth(tokensOf(`${"> ".repeat(10_000)}x`)) < 40);
});
