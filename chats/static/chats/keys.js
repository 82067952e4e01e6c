/**
 * The keyboard map: which keys do what, anywhere on the page. help.js lists it.
 */
import { gettext } from "wb/words";

const OFF = "single-keys-off"; // in localStorage: WCAG 2.1.4 wants single keys to be turned off

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** @typedef {{keys: string[], label: string, matches: (event: KeyboardEvent) => boolean, run: () => unknown}} Shortcut */

const mod = (event) => (isMac ? event.metaKey : event.ctrlKey) && !event.altKey;
const shifted = (event, code) => mod(event) && event.shiftKey && event.code === code;
const isBare = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;
const modName = isMac ? "⌘" : "Ctrl";

/** Whether a single key is somebody's text now. */
function isTyping({ target }) {
  return target.closest?.("input, textarea, select, [contenteditable], [role=menu]") !== null;
}

/** @param {Record<string, () => unknown>} doings by name @returns {Shortcut[]} */
export function shortcuts(doings) {
  const alt = (event, code) => event.altKey && !event.ctrlKey && !event.metaKey && event.code === code;
  const listed = [
    ["newChat", [modName, "Shift", "O"], gettext("New chat"), (event) => shifted(event, "KeyO")],
    ["search", [modName, "K"], gettext("Search your chats"), (event) => mod(event) && !event.shiftKey && event.code === "KeyK"],
    ["focusBox", ["Shift", "Esc"], gettext("Go to the message box"), (event) => event.shiftKey && event.key === "Escape"],
    ["stop", ["Esc"], gettext("Stop the answer"), (event) => isBare(event) && !event.shiftKey && event.key === "Escape"],
    ["copyAnswer", [modName, "Shift", "C"], gettext("Copy the last answer"), (event) => shifted(event, "KeyC")],
    ["copyCode", [modName, "Shift", ";"], gettext("Copy the last code block"), (event) => shifted(event, "Semicolon")],
    ["previousMessage", ["Alt", "↑"], gettext("Previous message"), (event) => alt(event, "ArrowUp")],
    ["nextMessage", ["Alt", "↓"], gettext("Next message"), (event) => alt(event, "ArrowDown")],
    ["previousChat", ["Alt", "Shift", "↑"], gettext("Previous chat"), (event) => event.shiftKey && alt(event, "ArrowUp")],
    ["nextChat", ["Alt", "Shift", "↓"], gettext("Next chat"), (event) => event.shiftKey && alt(event, "ArrowDown")],
    ["help", [modName, "/"], gettext("This list"), (event) => mod(event) && event.key === "/"],
    ["help", ["?"], gettext("This list, outside a text box"), (event) => isBare(event) && event.key === "?" && !isTyping(event) && singleKeys.on],
  ];
  return listed.map(([name, keys, label, matches]) => ({ keys, label, matches, run: doings[name] }));
}

/** Keys that belong to the message box; listed with the others. */
export const boxKeys = () => [
  { keys: ["Enter"], label: gettext("Send") },
  { keys: ["Shift", "Enter"], label: gettext("New line") },
  { keys: ["/"], label: gettext("Prompts (in an empty box)") },
  { keys: ["↑"], label: gettext("Edit the last message (in an empty box)") },
];

/** Whether single keys do something; kept in this browser. */
export const singleKeys = {
  get on() {
    return localStorage.getItem(OFF) === null;
  },
  set on(isOn) {
    if (isOn) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  },
};

/** Listens; a shortcut whose `run` gives false leaves the key to the browser. @param {Shortcut[]} map */
export function listen(map) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    // The more keys it names, the more it means: Alt+Shift+↑ isn't Alt+↑.
    const found = map.filter((shortcut) => shortcut.matches(event)).sort((a, b) => b.keys.length - a.keys.length)[0];
    if (found !== undefined && found.run() !== false) event.preventDefault();
  });
}
