/** Of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Several measurements of one thing, in order. */
export interface Sample {
  values: number[];
  median: number;
  min: number;
  max: number;
}

export function sampleOf(values: number[]): Sample {
  return { values, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * How many times `b` is `a`: the median of the rounds' own ratios. What two measured in the same round was measured on the same
 * machine in the same mood.
 */
export function ratio(a: Sample, b: Sample): number {
  return median(a.values.map((value, at) => value / b.values[at]!));
}
