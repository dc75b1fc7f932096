/** Of the memory that a container has: front and analyser share it. */
const SHARE = 0.125;
/** Without a container. */
const UNLIMITED_BYTES = 1_073_741_824;

/** More waits in no direction of a connection, but for what a single read brings. */
export const HIGH_WATER_BYTES = 16_384;

/** How many bytes may wait in the front for whoever reads slowly. @param constrained as of `process.constrainedMemory`, bytes; 0 = there is no limit */
export function waitingBytes(constrained: number): number {
  return constrained > 0 ? Math.min(UNLIMITED_BYTES, SHARE * constrained) : UNLIMITED_BYTES;
}

/** Bytes that wait in streams, in both directions. */
export function waitingIn(
  ...streams: readonly { readonly readableLength: number; readonly writableLength: number }[]
): number {
  return streams.reduce((sum, { readableLength, writableLength }) => sum + readableLength + writableLength, 0);
}

export function sizeOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
