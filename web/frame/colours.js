// @ts-check
/**
 * A colour for each service: 12 hues by 2 lightnesses of equal chroma in OKLCH, by the hash of its name, so that a
 * service looks the same on every page. Red is no service's: it means an error.
 */

// Of the 360 degrees those from 50 to 350, so that none is taken for the red of errors (about 25).
const HUES = Array.from({ length: 12 }, (_, at) => 50 + at * (300 / 11));
const PLACES = HUES.length * 2;

/**
 * Services and the places of their colours. Two of one trace share a place only when all are taken.
 * @param {Iterable<string>} services
 * @returns {Map<string, number>}
 */
export function places(services) {
  const taken = new Set();
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const service of [...new Set(services)].sort()) {
    let place = hash(service) % PLACES;
    for (let tried = 0; taken.has(place) && tried < PLACES; tried++) place = (place + 5) % PLACES;
    taken.add(place);
    found.set(service, place);
  }
  return found;
}

/**
 * The colour of a place, for CSS; it follows the theme.
 * @param {number} place
 */
export function colour(place) {
  const hue = HUES[place % HUES.length];
  const strength = place < HUES.length ? "var(--hue-strong)" : "var(--hue-soft)";
  return `oklch(${strength} var(--hue-chroma) ${hue.toFixed(1)})`;
}

/**
 * The colour of a place for a canvas, which knows no variables.
 * @param {number} place
 * @param {CSSStyleDeclaration} style of the document's root
 */
export function painted(place, style) {
  const hue = HUES[place % HUES.length];
  const strength = style.getPropertyValue(place < HUES.length ? "--hue-strong" : "--hue-soft").trim();
  return `oklch(${strength} ${style.getPropertyValue("--hue-chroma").trim()} ${hue.toFixed(1)})`;
}

/**
 * FNV-1a over the text's UTF-16 units.
 * @param {string} text
 */
export function hash(text) {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return (value ^ (value >>> 15)) >>> 0;
}
