/** Ids appear in addresses, labels, tables and terminals: printable ASCII without blanks, as `GPU-…`, `MIG-…` and `CPU-…` are. */
const DEVICE_ID = /^[!-~]{1,128}$/;

export const DEVICE_ID_RULE = 'must have 1 to 128 printable ASCII characters without blanks';

export function isDeviceId(text: string): boolean {
  return DEVICE_ID.test(text);
}
