/**
 * Which heading a chat stands under in the list: by the day of its last message, in the reader's zone. Pure.
 * chats/shelves.py says the same for the page's first sight.
 */
import { gettext, language } from "wb/words";

const DAY = 24 * 60 * 60 * 1000;

/** Midnights, once for a whole list: {@link shelfOf} is asked for each of ten thousand chats. */
export function calendar(now = new Date()) {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const before = (days) => new Date(today.getFullYear(), today.getMonth(), today.getDate() - days).getTime();
  const months = new Intl.DateTimeFormat(language(), { month: "long", year: "numeric" });
  return { today: today.getTime(), yesterday: before(1), week: before(7), months, names: new Map(), until: before(-1) };
}

/**
 * @param {{pinned?: boolean, last_message_at: string}} chat @param {ReturnType<typeof calendar>} days
 * @returns {string} the heading
 */
export function shelfOf(chat, days) {
  if (chat.pinned) return gettext("Pinned");
  const at = Date.parse(chat.last_message_at);
  if (at >= days.today) return gettext("Today");
  if (at >= days.yesterday) return gettext("Yesterday");
  if (at >= days.week) return gettext("Last 7 days");
  const key = Math.floor(at / DAY); // formatting a date is slow; a day's heading is made once
  if (!days.names.has(key)) days.names.set(key, days.months.format(at));
  return days.names.get(key);
}
