let left = Infinity;
let step = Infinity;
let tell: () => void = () => {};

/** Calls `reached` each time that the links of this process have carried so many bytes more, in or out; one caller only. */
export function eachCarried(bytes: number, reached: () => void): void {
  step = bytes;
  left = bytes;
  tell = reached;
}

/** A link has received or sent so many bytes. */
export function carried(bytes: number): void {
  left -= bytes;
  if (left > 0) return;
  left = step;
  tell();
}
