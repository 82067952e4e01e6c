/**
 * What the server refuses over the socket: a start gives back what was written, an answer that can't be followed now is
 * asked for again, and the rest is told. Loaded with the first refusal.
 */
import { giveBackTo } from "wb/composer";
import { gettext, interpolate } from "wb/words";

const SECOND = 1000;
const LONGEST_PAUSE = 30; // seconds
const PASSING = new Set(["busy", "rate_limited", "unavailable"]); // these are other answers a moment later

const attempts = new Map(); // response id → how often it has been asked for again

/**
 * @param {object} frame the error @param {object} page its `outbox`, `thread`, `queue`, `composer`, `banner`, `send`
 * @param {{place: string, chatId: string | null, user: string, onSettled: () => void}} here what is open; `user`: the
 *   beginning of what is kept for the reader; `onSettled`: the open chat waits for nothing any more
 */
export function refused(frame, page, here) {
  const { code, message, request_id: requestId, retry_after: retryAfter } = frame;
  if (code === "unavailable" && page.outbox.isWaitingFor(requestId)) {
    setTimeout(() => page.outbox.resend(), SECOND * (retryAfter ?? 1)); // it is only restarting
    return;
  }
  const isHere = page.outbox.at(here.place)?.frame.request_id === requestId;
  const sent = page.outbox.settle(requestId);
  if (sent === null && followAgain(frame, page)) return;
  if (code === "not_found" && sent === null) return; // a response that was followed is gone; REST says so too
  if (sent !== null) giveBack(sent, isHere, page, here);
  const seconds = Math.ceil(retryAfter ?? 0);
  const later = seconds > 0 ? ` ${interpolate(gettext("Try again in %(seconds)s s."), { seconds })}` : "";
  page.banner.tell(`${message}${later}`);
}

/** Asks again for the answer that is shown, later each time; false where that isn't it, or would never help. */
function followAgain({ code, response_id: id, retry_after: retryAfter }, page) {
  if (!PASSING.has(code) || page.thread.running?.id !== id) return false;
  const attempt = attempts.get(id) ?? 0;
  attempts.set(id, attempt + 1);
  const pause = Math.max(retryAfter ?? 0, Math.min(LONGEST_PAUSE, 2 ** attempt)) * (1 + Math.random() / 2);
  setTimeout(() => {
    const answer = page.thread.running;
    if (answer?.id === id) page.send(answer.subscribe());
  }, SECOND * pause);
  return true;
}

function giveBack(sent, isHere, page, { chatId: openId, user, onSettled }) {
  const isNew = sent.place.startsWith("new ");
  const chatId = isNew ? null : sent.place;
  // A chat that never began, or isn't seen, holds no queue: its messages would be lost, or sent without this one.
  const waited = isNew || !isHere ? page.queue.takeAll(user + sent.place) : [];
  const text = [sent, ...waited].map((each) => each.text).filter(Boolean).join("\n");
  const files = [sent, ...waited].flatMap((each) => each.files ?? []);
  if (chatId === openId) page.composer.giveBack(text, files);
  else giveBackTo(user + (chatId ?? "new"), text, files);
  if (!isHere) return;
  page.queue.hold(true);
  page.thread.showUnsent();
  page.thread.sync();
  onSettled();
}
