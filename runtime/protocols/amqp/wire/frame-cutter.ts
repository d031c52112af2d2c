/** How frames of a protocol are told apart. */
export interface FrameForm {
  /** The size of what starts there: of its header, until that is there. Throws where there is no such frame. */
  sizeAt(bytes: Buffer, at: number): number;
  /** Takes what has come whole. Returns false where the rest is for nobody any more. */
  take(bytes: Buffer, at: number, end: number): boolean;
}

/** Cuts what comes in any pieces into frames. Of what comes only a frame in several pieces is copied, and never what is behind it. */
export class FrameCutter {
  readonly #form: FrameForm;
  /** The start of a frame, and how much of it there must be. */
  #pieces: Buffer[] = [];
  #length = 0;
  #wanted = 0;

  constructor(form: FrameForm) {
    this.#form = form;
  }

  /** Throws what `FrameForm` throws. */
  push(piece: Buffer): void {
    let at = 0;
    while (this.#length > 0) {
      const end = Math.min(piece.length, at + this.#wanted - this.#length);
      this.#keep(piece.subarray(at, end), this.#wanted);
      if (this.#length < this.#wanted) return;
      const whole = Buffer.concat(this.#pieces, this.#length);
      this.#pieces = [];
      this.#length = 0;
      if (!this.#cut(whole, 0)) return;
      at = end;
    }
    this.#cut(piece, at);
  }

  #cut(bytes: Buffer, at: number): boolean {
    while (at < bytes.length) {
      const size = this.#form.sizeAt(bytes, at);
      if (size > bytes.length - at) {
        this.#keep(bytes.subarray(at), size);
        return true;
      }
      if (!this.#form.take(bytes, at, at + size)) return false;
      at += size;
    }
    return true;
  }

  #keep(piece: Buffer, wanted: number): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#wanted = wanted;
  }
}
