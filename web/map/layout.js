// @ts-check
/**
 * Services left to right: whoever calls stands left of whom it calls. A layer each for the longest way from where
 * traffic begins; within a layer in the order that crosses the fewest lines, found by barycentres, a few times over.
 */

/** @typedef {{name: string, layer: number, at: number, x: number, y: number}} Place */
/** @typedef {{parent: string, child: string, calls: number, errors: number}} Link */

export const CARD = { width: 176, height: 58, across: 96, down: 22 };
const SWEEPS = 6;

/**
 * @param {string[]} names
 * @param {Link[]} links
 * @returns {{places: Map<string, Place>, width: number, height: number}}
 */
export function laidOut(names, links) {
  const layers = layered(names, links.filter((link) => link.parent !== link.child));
  const rows = ordered(layers, links);
  /** @type {Map<string, Place>} */
  const places = new Map();
  const tallest = Math.max(1, ...rows.map((row) => row.length));
  const height = tallest * (CARD.height + CARD.down);
  rows.forEach((row, layer) => row.forEach((name, at) => places.set(name, {
    name, layer, at,
    x: layer * (CARD.width + CARD.across),
    y: ((at + 0.5) * height) / row.length - CARD.height / 2,
  })));
  return { places, width: rows.length * (CARD.width + CARD.across) - CARD.across, height };
}

/**
 * The layer of each name: the longest way to it from names that nobody calls. Links that would close a circle are left
 * out; those with the least traffic first.
 * @param {string[]} names
 * @param {Link[]} links
 * @returns {Map<string, number>}
 */
function layered(names, links) {
  const below = new Map(names.map((name) => [name, /** @type {string[]} */ ([])]));
  for (const link of [...links].sort((a, b) => b.calls - a.calls)) {
    if (!reaches(below, link.child, link.parent)) below.get(link.parent)?.push(link.child);
  }
  const layers = new Map(names.map((name) => [name, 0]));
  const waits = new Map(names.map((name) => [name, 0]));
  for (const children of below.values()) for (const child of children) waits.set(child, (waits.get(child) ?? 0) + 1);
  const ready = names.filter((name) => !waits.get(name));
  while (ready.length) {
    const name = /** @type {string} */ (ready.pop());
    for (const child of below.get(name) ?? []) {
      layers.set(child, Math.max(layers.get(child) ?? 0, (layers.get(name) ?? 0) + 1));
      waits.set(child, (waits.get(child) ?? 1) - 1);
      if (!waits.get(child)) ready.push(child);
    }
  }
  return layers;
}

/**
 * @param {Map<string, string[]>} below
 * @param {string} from
 * @param {string} to
 */
function reaches(below, from, to) {
  const seen = new Set([from]);
  const stack = [from];
  while (stack.length) {
    const name = /** @type {string} */ (stack.pop());
    if (name === to) return true;
    for (const child of below.get(name) ?? []) {
      if (!seen.has(child)) {
        seen.add(child);
        stack.push(child);
      }
    }
  }
  return false;
}

/**
 * @param {Map<string, number>} layers
 * @param {Link[]} links
 * @returns {string[][]}
 */
function ordered(layers, links) {
  const rows = Array.from({ length: Math.max(0, ...layers.values()) + 1 }, () => /** @type {string[]} */ ([]));
  for (const [name, layer] of [...layers].sort(([a], [b]) => (a < b ? -1 : 1))) rows[layer].push(name);
  const beside = new Map([...layers.keys()].map((name) => [name, /** @type {string[]} */ ([])]));
  for (const { parent, child } of links) {
    beside.get(parent)?.push(child);
    beside.get(child)?.push(parent);
  }
  const at = new Map();
  const number = () => rows.forEach((row) => row.forEach((name, place) => at.set(name, (place + 0.5) / row.length)));
  number();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of rows) {
      const weight = new Map(row.map((name) => {
        const near = (beside.get(name) ?? []).filter((other) => layers.get(other) !== layers.get(name));
        return [name, near.length ? near.reduce((sum, other) => sum + at.get(other), 0) / near.length : at.get(name)];
      }));
      row.sort((a, b) => weight.get(a) - weight.get(b));
    }
    number();
  }
  return rows;
}
