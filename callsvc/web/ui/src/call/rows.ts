/** Which rows of a long list are on the screen: heights are guessed until a row has been seen, and then known.

A list of a few rows is shown whole; of a long one only what can be seen, with room above and below for the rest. */
export const WHOLE = 120;
const BEYOND_PX = 700;

export class Rows {
  private readonly heights: Float64Array;
  /** Where each row begins; the last is where the list ends. */
  private readonly tops: Float64Array;
  private from = 0;

  constructor(guesses: readonly number[]) {
    this.heights = Float64Array.from(guesses);
    this.tops = new Float64Array(guesses.length + 1);
  }

  get length(): number {
    return this.heights.length;
  }

  /** A row was measured; whether that changes anything. */
  measured(n: number, height: number): boolean {
    const known = this.heights[n];
    if (known === undefined || height <= 0 || Math.abs(known - height) < 0.5) return false;
    this.heights[n] = height;
    this.from = Math.min(this.from, n);
    return true;
  }

  top(n: number): number {
    this.settle();
    return this.tops[Math.min(Math.max(0, n), this.length)] ?? 0;
  }

  height(n: number): number {
    return this.heights[n] ?? 0;
  }

  get total(): number {
    return this.top(this.length);
  }

  /** The first row and the one after the last that are to stand in the page, for what is seen of the list. */
  shown(scrollTop: number, height: number): [number, number] {
    return [this.at(scrollTop - BEYOND_PX), Math.min(this.length, this.at(scrollTop + height + BEYOND_PX) + 1)];
  }

  /** The row at a height. */
  at(y: number): number {
    this.settle();
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  private settle(): void {
    for (let n = this.from; n < this.length; n += 1) this.tops[n + 1] = (this.tops[n] ?? 0) + (this.heights[n] ?? 0);
    this.from = this.length;
  }
}

/** The last of `starts` that is not after `at`; -1 when all are. */
export function lastAt(starts: readonly number[], at: number): number {
  let low = -1;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? Infinity) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
