// For tests/chats/test_fold_twin.py: per line of input (a list of events) one line of output, what the page's fold makes.
import { createInterface } from "node:readline";
import { Fold } from "wb/transcript";

for await (const line of createInterface({ input: process.stdin })) {
  const fold = new Fold();
  for (const event of JSON.parse(line)) fold.feed(event);
  const { storedParts: parts, errors, metadata, usage, status, errorType } = fold;
  const kept = errors.filter(({ sequence }) => sequence !== null);
  console.log(JSON.stringify({ parts, errors: kept, metadata, usage, status, error_type: errorType }));
}
