/**
 * One response that is (or was) followed live: its cursor, its fold, and the message to show now.
 *
 * Pure. The page brings a response as the server folded it so far; following starts at -1, since only the whole
 * log says where a part ends. Until the fold has caught up with what's on the page, that stays shown.
 */
import { Cursor } from "wb/cursor";
import { Fold } from "wb/transcript";

const UNFINISHED = new Set(["queued", "running"]);

export const isUnfinished = (message) => UNFINISHED.has(message.status);

export class Answer {
  #fold = new Fold();
  #cursor = new Cursor();
  #base; // as REST or the page gave it
  #asking = true; // a subscribe is on its way; gaps before its answer are no news
  #message = null; // as `message` made it last
  #endedAt = null;

  constructor(message) {
    this.#base = message;
  }

  get id() {
    return this.#base.id;
  }

  get ended() {
    return this.#fold.status !== null;
  }

  /** The frame that (again) asks for all after the cursor. */
  subscribe() {
    this.#asking = true;
    return { type: "subscribe", response_id: this.id, after: this.#cursor.at, merge: true };
  }

  /** Takes an `events` frame; true when something is missing and `subscribe()` has to be sent. */
  take(frame) {
    const { events, reset, gap } = this.#cursor.take(frame);
    if (reset) this.#fold = new Fold();
    for (const event of events) this.#fold.feed(event);
    this.#message = null;
    if (this.ended) this.#endedAt ??= new Date(frame.timestamp).toISOString();
    if (!gap) this.#asking = false;
    return gap && !this.#asking;
  }

  /** The response message as it stands, in the shape of REST's, with `statusLine` beside. */
  get message() {
    this.#message ??= this.#shownNow();
    return this.#message;
  }

  #shownNow() {
    const caughtUp = this.ended || this.#cursor.at >= Math.max(0, this.#base.sequence ?? -1);
    if (!caughtUp) return { ...this.#base, statusLine: "" };
    const { parts, errors, metadata, usage, statusLine, status, start } = this.#fold;
    const state = { parts: [...parts], errors: [...errors], metadata, usage, statusLine };
    const end = { status: status ?? "running", sequence: this.#cursor.at, finished_at: this.#endedAt };
    return { ...this.#base, ...start, ...state, ...end };
  }
}
