// For tests/chats/test_presentation.py: per line of input (a list of parts) one line of output, what the page shows.
import { createInterface } from "node:readline";
import { itemsOf } from "wb/items";

for await (const line of createInterface({ input: process.stdin })) {
  const items = itemsOf(JSON.parse(line), true).map(({ kind, part, returned, sources }) => ({
    kind,
    content: part?.content ?? "",
    result: returned?.result ?? null,
    sources: (sources ?? []).map(({ document, citations }) => [document.title, citations.map(({ content }) => content)]),
  }));
  console.log(JSON.stringify(items));
}
