/**
 * Where a reader stands in one response's log, and which events of a frame are new to it.
 *
 * Pure. The rule is protocol §4's: a frame covers the log from `after`+1 to `through`; numbers
 * missing in between were hidden; an event without a number is live only and has its place.
 */
export class Cursor {
  /** The last sequence seen, -1 for none: what a `subscribe` names as `after`. */
  at = -1;

  /**
   * `{events, reset, gap}`: the events to apply in order, whether to forget first what was held,
   * and whether something is missing (then nothing is applied: subscribe again after `at`).
   */
  take(frame) {
    const reset = frame.reset === true;
    if (reset) this.at = -1;
    if (frame.after > this.at) return { events: [], reset, gap: true };
    // What's unnumbered belongs right after the number before it: once that place is passed, it's old.
    let fresh = frame.after === this.at;
    const events = [];
    for (const event of frame.events) {
      if (event.sequence === null) {
        if (fresh) events.push(event);
        continue;
      }
      if (event.sequence <= this.at) continue;
      if ((event.first_sequence ?? event.sequence) <= this.at) return this.#startOver();
      fresh = true;
      events.push(event);
    }
    this.at = Math.max(this.at, frame.through);
    return { events, reset, gap: false };
  }

  /** A merged event that overlaps what we hold can't be taken apart: have the whole again. */
  #startOver() {
    this.at = -1;
    return { events: [], reset: true, gap: true };
  }
}
