/**
 * One websocket that stays: connects, comes back with growing pauses, notices a silent death.
 *
 * Owns the transport only. What frames mean is the thread's and the sidebar's; what was subscribed
 * is theirs to ask for again at every `hello`.
 */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
const FULL_PAUSE = 15_000; // 4429: another of the user's tabs has to close first
const SETTLED = 10_000; // open this long, and the next loss starts with a short pause again
const QUIET = 20_000; // nothing heard this long: ask
const DEADLINE = 10_000; // no answer to a ping this long: the socket is dead, whatever it says
const CONNECT_DEADLINE = 15_000;
const CHECK = 2_000;

/** What a closing code means for the reader; every other code is a loss that we come back from. */
const FINAL = { 4401: "signed-out", 4403: "refused" };
const FINAL_STATES = new Set(["signed-out", "refused", "another-user"]);

/** The pause before attempt `attempt` (0 the first), half of it random, so that a restart isn't a stampede. */
export function pauseBefore(attempt, code, random = Math.random) {
  const whole = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
  const pause = whole / 2 + (whole / 2) * random();
  return code === 4429 ? Math.max(FULL_PAUSE, pause) : pause;
}

export class Connection {
  state = "connecting";
  #url;
  #socket = null;
  #attempt = 0;
  #timer = null;
  #openedAt = 0;
  #heardAt = 0;
  #pingedAt = null;

  /**
   * @param {string} url
   * @param {object} listeners `onState(state, pause)` gets connecting, open, waiting, full, signed-out, refused or
   *   another-user, with the ms until the next attempt; `onFrame(frame)` each frame
   */
  constructor(url, { onState, onFrame }) {
    this.#url = url;
    this.onState = onState;
    this.onFrame = onFrame;
  }

  start() {
    setInterval(() => this.#check(), CHECK);
    window.addEventListener("online", () => this.wake());
    window.addEventListener("offline", () => this.wake());
    window.addEventListener("pageshow", (event) => event.persisted && this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#seen());
    window.addEventListener("focus", () => this.state === "signed-out" && this.#seen());
    this.#connect();
  }

  get isOpen() {
    return this.state === "open";
  }

  /** Sends now, or not at all (false): who needs it sent sends it again at the next hello. */
  send(frame) {
    if (!this.isOpen || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Something changed (network, tab shown): come back at once, or ask whether the socket still lives. */
  wake() {
    if (this.#isFinal) return;
    if (this.#socket === null) this.#connect();
    else if (this.isOpen && this.#pingedAt === null) this.#ping();
  }

  /** The reader is back; they may have signed in again in another tab. */
  #seen() {
    if (this.state === "signed-out") this.#connect();
    else this.wake();
  }

  /** A new socket, by whose hello all is read anew. */
  renew() {
    if (this.#isFinal) return;
    this.#drop();
    this.#connect();
  }

  /** For good: another person is logged in here now. */
  stop(state) {
    this.#drop();
    this.#enter(state);
  }

  get #isFinal() {
    return FINAL_STATES.has(this.state);
  }

  #enter(state, pause = 0) {
    this.state = state;
    this.onState(state, pause);
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#enter("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#openedAt = this.#heardAt = Date.now();
    this.#pingedAt = null;
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("message", ({ data }) => isCurrent() && this.#hear(data));
    socket.addEventListener("close", ({ code }) => isCurrent() && this.#lose(code));
  }

  #hear(text) {
    this.#heardAt = Date.now();
    this.#pingedAt = null;
    const frame = JSON.parse(text);
    if (frame.type === "hello") {
      this.#openedAt = Date.now();
      this.state = "open"; // the listeners of hello may send; the mark follows when they have
      this.onFrame(frame);
      if (this.isOpen) this.#enter("open");
    } else {
      this.onFrame(frame);
    }
  }

  #lose(code) {
    const settled = this.isOpen && Date.now() - this.#openedAt > SETTLED;
    this.#drop();
    if (FINAL[code]) return this.#enter(FINAL[code]);
    this.#attempt = settled ? 0 : this.#attempt;
    const pause = pauseBefore(this.#attempt, code);
    this.#attempt += 1;
    this.#enter(code === 4429 ? "full" : "waiting", pause);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  /** Lets go of the socket without waiting for its close event, which a dead network delays by a minute. */
  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #ping() {
    this.#pingedAt = Date.now();
    this.send({ type: "ping" });
  }

  #check() {
    if (this.#socket === null) return;
    const now = Date.now();
    if (!this.isOpen) {
      if (now - this.#openedAt > CONNECT_DEADLINE) this.#lose(1006);
    } else if (this.#pingedAt !== null) {
      if (now - this.#pingedAt > DEADLINE) this.#lose(1006);
    } else if (now - this.#heardAt > QUIET) {
      this.#ping();
    }
  }
}
