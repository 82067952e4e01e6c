/**
 * For staff: the correlation id of a failed answer's run, as a link to the run in the admin.
 */
import { h } from "wb/dom";

/** @param {string} address what tells of the run @returns {Promise<Element | null>} null where that can't be had */
export async function traceOf(address) {
  const response = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return null;
  const { correlation_id: id, address: run, label } = await response.json();
  const named = run ? h("a", { href: run }, id) : h("span", {}, id);
  return h("p", { class: "trace" }, `${label} `, named);
}
