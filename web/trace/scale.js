// @ts-check
/** Time across the screen: from microseconds of a trace to shares of a width, with idle gaps as short as one likes. */

const FOLDED_SHARE = 0.02; // of the width, for each folded gap

export class Scale {
  /**
   * @param {number} from
   * @param {number} to
   * @param {[number, number][]} [folded] stretches that are drawn short, in order, apart
   */
  constructor(from, to, folded = []) {
    this.from = from;
    this.to = Math.max(to, from + 1e-3);
    this.folded = folded.filter(([begin, end]) => begin > from && end < to);
    const hidden = this.folded.reduce((sum, [begin, end]) => sum + end - begin, 0);
    this.perUs = (1 - FOLDED_SHARE * this.folded.length) / Math.max(this.to - this.from - hidden, 1e-3);
  }

  /** A moment -> share of the width, which may lie outside of 0 to 1. @param {number} us */
  x(us) {
    let x = 0;
    let at = this.from;
    for (const [begin, end] of this.folded) {
      if (us <= begin) break;
      x += (begin - at) * this.perUs;
      if (us < end) return x + (FOLDED_SHARE * (us - begin)) / (end - begin);
      x += FOLDED_SHARE;
      at = end;
    }
    return x + (us - at) * this.perUs;
  }

  /** A share of the width -> the moment. @param {number} x */
  us(x) {
    let at = this.from;
    let left = x;
    for (const [begin, end] of this.folded) {
      const width = (begin - at) * this.perUs;
      if (left <= width) break;
      left -= width;
      if (left < FOLDED_SHARE) return begin + ((end - begin) * left) / FOLDED_SHARE;
      left -= FOLDED_SHARE;
      at = end;
    }
    return at + left / this.perUs;
  }
}
