import type { Doubt } from './sampling/plan.js';

/** What the front counts since it began. Plain numbers: the analyser reads them over the control socket. */
export interface FrontCounts {
  /** Open connections of clients. */
  connections: number;
  /** Requests that began. */
  requests: number;
  sampled: number;
  /** Drawn, and passed unsampled for this reason. */
  doubts: Record<Doubt, number>;
  /** Answers 502: the inference server was not there. */
  unavailable: number;
  /** Requests sent once more, since the server closed a used connection as they were sent on it. */
  resent: number;
  /** Connections closed at once, and requests over HTTP/2 refused, since too many were open or too much waited. */
  refused: number;
  /** Connections of which nothing more is understood, and that pass all the same. */
  tunnels: number;
  /** Records that were not sent: the queue was full or the analyser away. */
  dropped: number;
  /** Mistakes of the front itself. */
  failures: number;
}

export function zeroCounts(): FrontCounts {
  return {
    connections: 0,
    requests: 0,
    sampled: 0,
    doubts: {
      route: 0,
      coding: 0,
      too_large: 0,
      slow: 0,
      malformed: 0,
      conflict: 0,
      unknown_shape: 0,
      refused: 0,
      overloaded: 0,
      answer: 0,
    },
    unavailable: 0,
    resent: 0,
    refused: 0,
    tunnels: 0,
    dropped: 0,
    failures: 0,
  };
}
