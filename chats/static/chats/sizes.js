/**
 * Sizes of files in words.
 */
import { interpolate, language, ngettext } from "wb/words";

const STEP = 1024;

/** @param {number | undefined} size bytes @returns {string} "" where it isn't known */
export function inBytes(size) {
  if (!size) return "";
  if (size < STEP) return interpolate(ngettext("%(count)s byte", "%(count)s bytes", size), { count: size });
  const [amount, unit] = size < STEP ** 2 ? [size / STEP, "KB"] : [size / STEP ** 2, "MB"];
  return `${amount.toLocaleString(language(), { maximumFractionDigits: 1 })} ${unit}`;
}
