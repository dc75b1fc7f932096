import type { FrontCounts } from '../counts.js';

/** What goes over the control socket: one JSON object a line. */

export type Say = 'info' | 'warn' | 'error';

export type FromFront =
  /** First, to each that connects. */
  | {
      readonly kind: 'hello';
      readonly pid: number;
      readonly fingerprint: string;
      /** As it was told. */
      readonly listen: string;
      readonly grpcListen: string;
      /** Where that is, with the port that the system chose. */
      readonly address: string;
      readonly grpcAddress: string;
    }
  /** Every second. */
  | { readonly kind: 'counts'; readonly counts: FrontCounts }
  /** For the log. */
  | { readonly kind: 'said'; readonly level: Say; readonly text: string }
  /** The end of an order; then the front drains. */
  | { readonly kind: 'done' };

export type ToFront =
  /** No new connections; what is in flight ends, then the process. */
  | { readonly kind: 'drain' }
  /** Another program takes over the listening sockets, then as `drain`. */
  | { readonly kind: 'replace'; readonly command: readonly string[] };

/** Beside the socket of the analyser. */
export function controlPath(socket: string): string {
  return `${socket}.front`;
}
