import type { Said } from '../judge/vote.js';
import type { About } from '../talk/about.js';
import type { PeerAnswer } from '../talk/peers.js';

/** This replica's own answer, as one of those that are compared. */
export function ownSaid(about: About, kind: 'canary' | 'replay', digest: string, again: boolean): Said {
  const { replica, node, gpus, contradictions, sinceUs, weights } = about;
  return { replica, node, gpus, digest, again, repeatable: about.repeatable[kind], contradictions, sinceUs, weights };
}

export function peerSaid(peer: PeerAnswer, again: boolean): Said {
  const { replica, node, gpus, repeatable, contradictions, sinceUs, weights, answer } = peer;
  const digest = Buffer.from(answer.digest).toString('hex');
  return { replica, node, gpus, digest, again, repeatable, contradictions, sinceUs, weights };
}
