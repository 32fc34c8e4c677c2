// @ts-check
/** What is drawn on a canvas follows the size of its element and the scheme of colours. */

/**
 * Paints at once when the element has its size, and again at every change.
 * @param {Element} element
 * @param {() => void} paint
 * @returns {() => void} ends that
 */
export function repainted(element, paint) {
  const resized = new ResizeObserver(() => paint());
  resized.observe(element);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const again = () => paint();
  dark.addEventListener("change", again);
  return () => {
    resized.disconnect();
    dark.removeEventListener("change", again);
  };
}
