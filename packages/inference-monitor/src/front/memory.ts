/** Of the memory that a container has: front and analyser share it, and a front takes about two and a half times what waits in it. */
const SHARE = 0.125;
/** Without a container. */
const UNLIMITED_BYTES = 1_073_741_824;

/** How many bytes may wait in the front for whoever reads slowly. @param constrained as of `process.constrainedMemory`, bytes; 0 = there is no limit */
export function waitingBytes(constrained: number): number {
  return constrained > 0 ? Math.min(UNLIMITED_BYTES, SHARE * constrained) : UNLIMITED_BYTES;
}
