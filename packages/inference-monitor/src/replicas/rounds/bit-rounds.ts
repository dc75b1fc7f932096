import type { Finding } from '../../analysers/finding.js';
import { BitWatch } from '../judge/bit-watch.js';
import type { Repeatability } from '../judge/repeatability.js';
import { SoftWatch } from '../judge/soft-watch.js';
import type { Standing } from '../judge/standing.js';
import { type Said, voteOf } from '../judge/vote.js';
import type { Digested } from '../own-server.js';
import type { About } from '../talk/about.js';
import type { PeerAnswer } from '../talk/peers.js';
import { ownSaid, peerSaid } from './said.js';

/** One question, and whom it is put to. */
export interface Asking {
  /** What its answers are remembered by; '' = it is asked once. */
  readonly key: string;
  /** Which of several models is asked, and which version of it, once `own` has answered; '' = there is but one. */
  subject(): string;
  /** Whether it computes from the question and its weights alone, once `own` has answered. */
  isPure(): boolean;
  /** Asked because this replica lost a comparison before. */
  readonly asked: boolean;
  own(): Promise<Digested>;
  /** While other requests run. */
  crowded(): Promise<Digested>;
  /** @param fresh computed for this question */
  others(fresh: boolean): Promise<PeerAnswer[]>;
}

export interface BitRoundsParts {
  readonly kind: 'canary' | 'replay';
  readonly standing: Standing;
  readonly repeatability: () => Repeatability;
  /** False = the configuration wants no evidence by bits. */
  readonly bits: boolean;
  readonly about: () => About;
  /** When the newest checksums of its weights were made, microseconds since the Unix epoch; 0 = there are none. */
  readonly weightsUs: () => number;
  /** Whether the server was started anew. */
  readonly look: () => Promise<void>;
  readonly nowUs: () => number;
}

export interface RoundResult {
  readonly findings: readonly Finding[];
  readonly own: Digested;
  readonly others: readonly PeerAnswer[];
}

/** Rounds of one kind of question: asks this server and others, again where that says more, and judges. */
export class BitRounds {
  readonly #parts: BitRoundsParts;
  readonly #soft: SoftWatch;

  constructor(parts: BitRoundsParts) {
    this.#parts = parts;
    this.#soft = new SoftWatch(parts.kind);
  }

  /** The server was started anew. */
  restart(): void {
    this.#soft.restart();
  }

  /** @throws SentinelError where the server beside does not answer */
  async run(asking: Asking): Promise<RoundResult> {
    const own = await asking.own();
    if (this.#parts.bits) {
      const { phase } = this.#parts.repeatability();
      if (phase === 'repeatable') return this.#compare(asking, own);
      const digests = [own.digest];
      if (phase === 'learning') digests.push((await asking.crowded()).digest);
      this.#parts.repeatability().round(asking.key, digests, this.#parts.nowUs());
    }
    const others = await asking.others(false);
    const findings = await this.#tolerate(asking, own, others);
    return { findings, own, others };
  }

  /** Bits have to be equal: where they are not, everybody is asked once more. */
  async #compare(asking: Asking, own: Digested): Promise<RoundResult> {
    const { kind, about } = this.#parts;
    const peers = await asking.others(false);
    // A replica that was not shown to repeat itself has no say about bits.
    const others = peers.filter(({ repeatable }) => repeatable);
    const said = [ownSaid(about(), kind, own.digest, false), ...others.map((peer) => peerSaid(peer, false))];
    const reference = asking.key === '' ? null : this.#parts.repeatability().reference(asking.key);
    const { kind: outcome } = voteOf(about().replica, said);
    const unclear = outcome === 'lost' || outcome === 'open' || (reference !== null && own.digest !== reference);
    const again = unclear ? await this.#again(asking) : [];
    // A server that was started a moment ago may hold other weights.
    if (unclear) await this.#parts.look();
    const answers = this.#withCounts(asking, [...said, ...again]);
    const { repeatability, standing, weightsUs, nowUs } = this.#parts;
    const watch = new BitWatch(kind, standing, repeatability());
    const [subject, isPure] = [asking.subject(), asking.isPure()];
    const round = { own: about().replica, answers, reference, asked: asking.asked, subject, isPure };
    const findings = watch.judge({ ...round, weightsUs: weightsUs(), timeUs: nowUs() });
    if (outcome === 'agree' && again.every(({ digest }) => digest === own.digest) && asking.key !== '')
      repeatability().replaceReference(asking.key, own.digest);
    return { findings, own, others: peers };
  }

  async #again(asking: Asking): Promise<Said[]> {
    const { kind, about } = this.#parts;
    const [own, others] = await Promise.all([asking.own(), asking.others(true)]);
    const repeatable = others.filter((peer) => peer.repeatable);
    return [ownSaid(about(), kind, own.digest, true), ...repeatable.map((peer) => peerSaid(peer, true))];
  }

  /** Whether it repeated itself is noted first, so that it counts with the others. */
  #withCounts(asking: Asking, answers: readonly Said[]): Said[] {
    const { repeatability, about, nowUs } = this.#parts;
    const { replica } = about();
    const own = answers.filter((answer) => answer.replica === replica).map(({ digest }) => digest);
    repeatability().round(asking.key, own, nowUs());
    const { contradictions } = repeatability();
    return answers.map((answer) => (answer.replica === replica ? { ...answer, contradictions } : answer));
  }

  #tolerate(asking: Asking, own: Digested, others: readonly PeerAnswer[]): Promise<Finding[]> {
    const { about, nowUs } = this.#parts;
    const valued = others.map(({ replica, sinceUs, answer: { tokens, values } }) => ({
      replica,
      sinceUs,
      tokens,
      values,
    }));
    const unit = own.outputs === undefined ? 'log_probability' : 'tensor';
    const asked = { subject: asking.subject(), unit, timeUs: nowUs(), again: () => asking.own() } as const;
    const { replica, sinceUs } = about();
    return this.#soft.judge({ replica, sinceUs, ...own }, valued, asked);
  }
}
