/**
 * The fold: events in sequence order → parts, errors, metadata, usage and status of a response.
 *
 * Pure, and the twin of the Python fold (chats/transcript.py); tests/chats/test_fold_twin.py holds the two
 * together. What's more here: events that aren't in the log (sequence null) are shown where they came, marked
 * `unstored`, and text that goes on after one is a part of its own, marked `continues`. `storedParts` is
 * without both, and equals what a reload shows.
 */

const pick = (event, ...names) => Object.fromEntries(names.map((name) => [name, event[name] ?? null]));

export class Fold {
  parts = [];
  errors = [];
  metadata = {};
  usage = {};
  status = null;
  errorType = null;
  /** Which handler and model answer, once the log says so. */
  start = {};
  /** The handler's last word on what it's doing; gone when the answer speaks. */
  statusLine = "";
  #open = null; // the stored part that an adjacent delta continues
  #documents = new Set();

  feed(event) {
    const step = STEPS.get(event.type);
    if (step !== undefined) return step(this, event);
    const { type, sequence, first_sequence, ...fields } = event;
    return this.add(event, { kind: "custom", type, fields, content: "" });
  }

  get storedParts() {
    const stored = [];
    for (const part of this.parts) {
      const { unstored, continues, ...rest } = part;
      if (unstored) continue;
      const before = stored.at(-1);
      if (continues) stored[stored.length - 1] = { ...before, ...rest, content: before.content + rest.content };
      else stored.push(rest);
    }
    return stored;
  }

  add(event, part) {
    if (event.sequence === null) part.unstored = true;
    else this.#open = null;
    this.parts.push(part);
  }

  extend(event, kind, text) {
    const last = this.parts.at(-1);
    const unstored = event.sequence === null;
    const goesOn = unstored ? last?.unstored === true && last.kind === kind : this.#open?.kind === kind;
    if (goesOn && (unstored || last === this.#open)) {
      this.parts[this.parts.length - 1] = { ...last, content: last.content + text };
    } else {
      this.parts.push({ kind, content: text, ...(unstored && { unstored }), ...(goesOn && { continues: true }) });
    }
    if (!unstored) this.#open = this.parts.at(-1);
  }

  content(event) {
    this.statusLine = "";
    if (event.content !== "") this.extend(event, "text", event.content);
  }

  reasoning(event) {
    const text = event.text ?? "";
    if ((event.redacted ?? null) !== null) {
      return this.add(event, { kind: "reasoning", redacted: event.redacted, content: text });
    }
    this.extend(event, "reasoning", text);
    if ((event.signature ?? null) === null) return undefined;
    this.parts[this.parts.length - 1] = { ...this.parts.at(-1), signature: event.signature };
    if (event.sequence !== null) this.#open = null;
    return undefined;
  }

  document(event) {
    if (event.sequence !== null) this.#documents.add(event.document_id);
    const names = ["document_id", "title", "pointer", "mime_type", "page_count", "word_count"];
    this.add(event, { kind: "document", ...pick(event, ...names), content: "" });
  }

  citation(event) {
    if (!this.#documents.has(event.document_id)) this.document(stubDocument(event));
    const place = ["reference_number", "page", "section", "document_title", "document_pointer"];
    const fields = pick(event, "document_id", "citation_id", ...place);
    this.add(event, { kind: "citation", ...fields, content: event.text });
  }

  error(event) {
    const { error_type: type, message, sequence } = event;
    this.errors.push({ type, message, sequence });
    if (sequence !== null) this.#open = null;
  }

  end(event) {
    this.statusLine = "";
    this.status = event.status;
    this.usage = event.usage;
    this.errorType = event.error_type;
  }
}

const STEPS = new Map([
  ["response_start", (fold, { task, model_id }) => (fold.start = { task, model_id })],
  ["status", (fold, event) => (fold.statusLine = event.message || event.status)],
  ["content", (fold, event) => fold.content(event)],
  ["reasoning", (fold, event) => fold.reasoning(event)],
  ["image", (fold, event) => fold.add(event, image(event))],
  ["tool_call", (fold, event) => fold.add(event, tool(event, "tool-call", "tool_args"))],
  ["tool_return", (fold, event) => fold.add(event, tool(event, "tool-return", "result"))],
  ["document", (fold, event) => fold.document(event)],
  ["citation", (fold, event) => fold.citation(event)],
  ["metadata", (fold, event) => event.sequence !== null && (fold.metadata = { ...fold.metadata, ...event.metadata })],
  ["error", (fold, event) => fold.error(event)],
  ["response_end", (fold, event) => fold.end(event)],
]);

function image(event) {
  return { kind: "image", ...pick(event, "file_id", "mime_type", "alt"), content: "" };
}

function tool(event, kind, load) {
  return { kind, ...pick(event, "tool_id", "tool_name", load), content: "" };
}

function stubDocument(citation) {
  const { document_id, document_title, document_pointer, sequence } = citation;
  const title = document_title || document_id;
  return { document_id, title, pointer: document_pointer || "", mime_type: "", sequence };
}
