/**
 * The one start that waits for the server's word. Kept in sessionStorage, so that neither a dropped socket nor a
 * reload loses it or sends it twice: its request_id is made once, and the server attaches a repeat.
 */
import { recall, remember } from "wb/storage";

const LONGEST_FRAME = 1 << 20; // bytes; the server takes no longer ones (docs/websocket.md)

/** A key that no other start has. crypto.randomUUID exists only on HTTPS and localhost. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  #key;
  #send;

  constructor(userId, send) {
    this.#key = `outbox:${userId}`;
    this.#send = send;
    /** `{frame, text, chatId, stop}`; text is null for one more answer, chatId for a new chat. */
    this.waiting = JSON.parse(recall(this.#key));
  }

  /** Sends a start, now or as soon as there is a socket. False for one that's too long to be sent at all. */
  put({ text, chatId, ...fields }) {
    const frame = { type: "start", request_id: newKey(), ...fields };
    if (chatId !== null) frame.chat_id = chatId;
    if (text !== null) frame.parts = [{ kind: "text", content: text }];
    if (new TextEncoder().encode(JSON.stringify(frame)).length > LONGEST_FRAME) return false;
    this.#keep({ frame, text, chatId, stop: false });
    this.resend();
    return true;
  }

  /** At every hello, and when put. */
  resend() {
    if (this.waiting) this.#send(this.waiting.frame);
  }

  /** Asked to stop before the server had accepted it: to be cancelled as soon as it has. */
  stop() {
    this.#keep({ ...this.waiting, stop: true });
  }

  isWaitingFor(requestId) {
    return this.waiting !== null && this.waiting.frame.request_id === requestId;
  }

  /** The waiting start, if `requestId` (of `started` or `error`) is its; it waits no longer. */
  settle(requestId) {
    if (!this.isWaitingFor(requestId)) return null;
    const settled = this.waiting;
    this.#keep(null);
    return settled;
  }

  #keep(waiting) {
    this.waiting = waiting;
    remember(this.#key, waiting && JSON.stringify(waiting));
  }
}
