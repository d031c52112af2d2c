/** The bytes that HTTP tells apart. Each set is a table with 1 for what is in it; what lies beyond the end of a buffer is in none. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** `tchar` (RFC 9110, section 5.6.2): methods and names of fields. */
export const TOKEN = set((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));

/** What a field's value is made of (RFC 9110, section 5.5): anything but control characters. */
export const FIELD = set((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f));

/** What a request's target may hold: visible ASCII, as RFC 9112, section 3.2, has it, and no fragment. */
export const TARGET = set((byte) => byte > SP && byte < 0x7f && byte !== 0x23);

/** The value of a hexadecimal digit plus one; 0 for any other byte. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(fold(byte)) + 1);

function fold(byte: number): string {
  // Not by `| 0x20`: that would make digits of control characters.
  return String.fromCharCode(byte).toLowerCase();
}

function set(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}
