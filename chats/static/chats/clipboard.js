/**
 * Copying text. navigator.clipboard exists only on HTTPS and localhost; elsewhere a selection does it.
 */

/** The words of a message, as Markdown, without its cards. @param {{parts: object[]}} message */
export function textOf(message) {
  return message.parts.filter((part) => part.kind === "text").map((part) => part.content).join("\n\n").trim();
}

/** @param {string} text @returns {Promise<boolean>} whether it was copied */
export async function copyText(text) {
  if (navigator.clipboard === undefined) return copySelected(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => copySelected(text), // not allowed, or the page has lost the focus
  );
}

function copySelected(text) {
  const focused = document.activeElement;
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "visually-hidden";
  document.body.append(box);
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  focused?.focus();
  return copied;
}
