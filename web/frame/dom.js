// @ts-check
/** Elements, made in one expression. */

/** @typedef {Node | string | number | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with its properties and children.
 *
 * A property that begins with `on` is a listener, `class` and those with a hyphen are attributes, `style` is an object
 * of CSS properties (custom ones too), `data` an object of data attributes; any other is set on the element itself.
 * Text becomes text, never markup.
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(name, properties = {}, ...children) {
  return filled(document.createElement(name), properties, children);
}

/**
 * An element of SVG; all properties but listeners and styles are attributes.
 * @param {string} name
 * @param {Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function svg(name, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, name), properties, children, true);
}

/**
 * @param {any} element
 * @param {Record<string, any>} properties
 * @param {(Child | Child[])[]} children
 * @param {boolean} [attributesOnly]
 */
function filled(element, properties, children, attributesOnly = false) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, to] of Object.entries(value)) element.style.setProperty(key, String(to));
    else if (name === "data") Object.assign(element.dataset, value);
    else if (attributesOnly || name === "class" || name === "role" || name.includes("-")) element.setAttribute(name, value === true ? "" : String(value));
    else element[name] = value;
  }
  add(element, children);
  return element;
}

/**
 * Appends children; nothing for null, undefined and false.
 * @param {Element | DocumentFragment} parent
 * @param {(Child | Child[])[]} children
 */
export function add(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Puts children in the place of all that an element has.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  add(parent, children);
}
