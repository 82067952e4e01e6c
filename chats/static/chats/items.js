/**
 * What is shown for a message's parts, in order. Pure; the twin of presentation.py's `items_of`.
 *
 * A tool's return goes into its call's card; sources and what is cited of them stand together after the answer; and
 * text that was parted only by them is one text again, as the handler wrote it.
 */

/**
 * @typedef {object} Item
 * @property {string} kind "text", "sources", or a part's
 * @property {object} part for "text" its `content` is all of the text
 * @property {object} [returned] a tool's return
 * @property {object[]} [sources] see `sourcesOf`
 * @property {boolean} ended whether nothing more comes: the message is whole, or something else came after
 */

/** @param {object[]} parts @param {boolean} ended @returns {Item[]} */
export function itemsOf(parts, ended) {
  const returns = new Map(parts.filter(({ kind }) => kind === "tool-return").map((part) => [part.tool_id, part]));
  const called = new Set(parts.filter(({ kind }) => kind === "tool-call").map((part) => part.tool_id));
  const items = [];
  for (const part of parts) {
    if (isShownElsewhere(part, called)) continue;
    const last = items.at(-1);
    if (part.kind === "text" && last?.kind === "text") {
      items[items.length - 1] = { ...last, part: { ...last.part, content: last.part.content + part.content } };
    } else {
      const returned = part.kind === "tool-return" ? part : returns.get(part.tool_id);
      items.push({ kind: part.kind, part, returned, ended });
    }
  }
  // Only the last text may still go on.
  for (let index = 0; index < items.length - 1; index += 1) items[index].ended = true;
  const sources = sourcesOf(parts);
  if (sources.length > 0) items.push({ kind: "sources", part: null, sources, ended });
  return items;
}

function isShownElsewhere(part, called) {
  if (part.kind === "document" || part.kind === "citation") return true;
  if (part.kind === "reasoning") return part.content === "" && part.redacted === undefined;
  return part.kind === "tool-return" && called.has(part.tool_id);
}

/**
 * The sources with what is cited of them, in the order in which they came.
 * @returns {{document: object, citations: object[]}[]}
 */
export function sourcesOf(parts) {
  const sources = new Map();
  for (const part of parts) {
    if (part.kind === "document" && !sources.has(part.document_id)) {
      sources.set(part.document_id, { document: part, citations: [] });
    } else if (part.kind === "citation") {
      if (!sources.has(part.document_id)) sources.set(part.document_id, { document: named(part), citations: [] });
      sources.get(part.document_id).citations.push(part);
    }
  }
  return [...sources.values()];
}

/** For a citation whose source came to nobody's knowledge. */
function named({ document_id: id, document_title: title, document_pointer: pointer }) {
  return { kind: "document", document_id: id, title: title || id, pointer: pointer || "", mime_type: "" };
}
