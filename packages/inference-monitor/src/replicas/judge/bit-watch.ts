import type { Compared, Finding } from '../../analysers/finding.js';
import type { Repeatability } from './repeatability.js';
import type { Standing } from './standing.js';
import { mostContradict, OTHERS_THAT_AGREE, type Said, type Vote, voteOf } from './vote.js';

/** One question that several replicas answered, and how this one came by its answer. */
export interface Round {
  /** Name of this replica. */
  readonly own: string;
  /** Its own answers first, then those of others. */
  readonly answers: readonly Said[];
  /** What it answered to this earlier; null = not known. */
  readonly reference: string | null;
  /** Which of several models was asked, and which version of it; '' = there is but one. */
  readonly subject: string;
  /** It is known that the model computes from the question and its weights alone: data that one replica reads anew before others are none. */
  readonly isPure: boolean;
  /** Asked because it lost a comparison before. */
  readonly asked: boolean;
  /** When the newest checksums of its weights were made; 0 = there are none. Microseconds since the Unix epoch. */
  readonly weightsUs: number;
  readonly timeUs: number;
}

/** Of a model that may read other data than others, since its server was started: more is how it is, and no news. */
const TOLD_DIFFERENCES = 6;

const TYPE = { canary: 'CANARY_MISMATCH', replay: 'REPLAY_MISMATCH' } as const;
const WHAT = { canary: 'to a canary', replay: 'to a request computed again' } as const;

/** Of one kind: what rounds in which bits have to be equal say of this replica. */
export class BitWatch {
  readonly #kind: 'canary' | 'replay';
  readonly #standing: Standing;
  readonly #repeatability: Repeatability;

  constructor(kind: 'canary' | 'replay', standing: Standing, repeatability: Repeatability) {
    this.#kind = kind;
    this.#standing = standing;
    this.#repeatability = repeatability;
  }

  /** Only of a server that was shown to repeat itself. @returns what is to be told */
  judge(round: Round): Finding[] {
    const { own, answers, timeUs } = round;
    const vote = voteOf(own, answers);
    if (vote.wavers && mostContradict(answers)) return this.#withdraw(round);
    if (vote.kind === 'agree') return this.#agree(round);
    if (vote.kind === 'other') return this.#agree(round, vote);
    const size = { value: 1, limit: 0, timeUs };
    if (vote.kind === 'lost') return round.isPure ? this.#lost(round, vote) : this.#differs(round, vote);
    // A model that draws now and then.
    if (vote.wavers && !round.isPure) return [];
    const base = { type: 'CANARY_MISMATCH', detector: this.#kind, workers: 'all', ...size } as const;
    const doubt = doubtOf(round, vote, WHAT[this.#kind]);
    if (doubt === null) {
      this.#standing.cleared(this.#kind);
      return [];
    }
    if (vote.wavers) return [{ ...base, ...doubt }];
    const { news, onUntold } = this.#standing.doubt(this.#kind, doubt.severity);
    return news === 'known' ? [] : [{ ...base, ...doubt, onUntold }];
  }

  #lost(round: Round, vote: Vote): Finding[] {
    const { own, answers, timeUs, asked, weightsUs, subject } = round;
    const size = { value: 1, limit: 0, timeUs };
    const base = { detector: this.#kind, workers: 'all', ...size } as const;
    const others = answers.filter(({ replica }) => vote.agreeing.includes(replica));
    const known = this.#standing.agreedWith(this.#kind, subject, others);
    const sure = others.every(({ repeatable }) => repeatable) && known >= OTHERS_THAT_AGREE;
    if (!sure) {
      const detail = `Replica ${own} answers ${WHAT[this.#kind]} otherwise than ${vote.agreeing.length} others, with which it never agreed since it or they were started: another configuration, other weights, or a fault from the beginning`;
      const { news, onUntold } = this.#standing.doubt(this.#kind, 'WARNING');
      return news === 'known' ? [] : [{ ...base, type: 'CANARY_MISMATCH', severity: 'WARNING', detail, onUntold }];
    }
    const since = this.#standing.lostSinceUs;
    const weights = weightsOf(own, answers, vote);
    // A checksum from before it went wrong proves nothing.
    const stateEqual = weights === 'equal' && since !== null && weightsUs > since;
    const repeats = since !== null && !vote.wavers && !stateEqual;
    const compared = this.#compared(round, { asked, stateEqual });
    const onUntold = this.#standing.lost(this.#kind, timeUs);
    // What is wrong in memory makes every later answer wrong: that is no news.
    if (repeats) return [];
    const detail = `Replica ${own} answers ${WHAT[this.#kind]} otherwise than ${vote.agreeing.length} others: ${cause(vote, weights, stateEqual)}`;
    return [{ ...base, type: TYPE[this.#kind], severity: 'CRITICAL', detail, compared, onUntold }];
  }

  /** Of a model of which nobody knows what else it reads: soft, and told once until it agreed again. */
  #differs({ own, subject, timeUs }: Round, { agreeing, wavers }: Vote): Finding[] {
    if (wavers) return [];
    const { news, onUntold } = this.#standing.doubt(this.#kind, 'HIGH');
    if (news === 'known') return [];
    const times = this.#standing.differed(subject, news === 'begins');
    if (times > TOLD_DIFFERENCES + 1) return [];
    const isUsual = times > TOLD_DIFFERENCES;
    const more = isUsual ? '. It came and went so often that it is told no more' : '';
    const detail = `Replica ${own} answers ${WHAT[this.#kind]} otherwise than ${agreeing.length} others, and repeats that: a fault, or data that the model reads beside its weights and that is newer or older here. Bits are hard evidence of models in inference_monitor.replay.pure_models${more}`;
    const base = { type: TYPE[this.#kind], detector: this.#kind, workers: 'all' } as const;
    return [{ ...base, severity: isUsual ? 'INFO' : 'HIGH', value: 1, limit: 0, timeUs, detail, onUntold }];
  }

  #agree(round: Round, vote?: Vote): Finding[] {
    const { own, answers, timeUs, subject } = round;
    const alike = answers.filter(({ replica }) => vote?.agreeing.includes(replica) ?? true);
    const others = alike.filter(({ replica }) => replica !== own);
    if (!this.#standing.agreed(this.#kind, subject, others)) return [];
    const agreed = this.#standing.agreedBefore(this.#kind);
    const base = { type: TYPE[this.#kind], detector: this.#kind, severity: 'INFO', workers: 'all' } as const;
    const detail = `Replica ${own} agrees with ${new Set(others.map(({ replica }) => replica)).size} others again, ${agreed} times since it did not`;
    const compared = this.#compared({ own, answers: alike }, { asked: false, stateEqual: false });
    return [{ ...base, value: 0, limit: 0, timeUs, detail, compared }];
  }

  #withdraw({ answers, timeUs }: Round): Finding[] {
    this.#repeatability.withdraw(timeUs);
    const replicas = new Set(answers.filter(({ contradictions }) => contradictions > 0).map(({ replica }) => replica));
    const detail = `${replicas.size} replicas do not repeat their own answers: the server answers otherwise with what shares the batch, and its bits accuse nobody`;
    const base = { type: 'INVARIANT_VIOLATION', detector: this.#kind, severity: 'INFO', workers: 'all' } as const;
    return [{ ...base, value: replicas.size, limit: 0, timeUs, detail }];
  }

  #compared(
    { own, answers }: Pick<Round, 'own' | 'answers'>,
    { asked, stateEqual }: Pick<Compared, 'asked' | 'stateEqual'>,
  ): Compared {
    const first = [...answers].sort((a, b) => Number(b.replica === own) - Number(a.replica === own));
    const agreedBefore = this.#standing.agreedBefore(this.#kind);
    return { answers: first.flatMap(answersOf), agreedBefore, asked, stateEqual };
  }
}

/** Devices that answered together have one answer each. */
export function answersOf({ replica, node, gpus, digest, again }: Said): Compared['answers'] {
  const devices = gpus.length === 0 ? [''] : gpus;
  return devices.map((gpu) => ({ node, gpu, replica, digest, again }));
}

/** Why this replica may be to blame though there is no vote; null = nothing says so. */
function doubtOf(
  { own, answers, reference }: Round,
  { kind, wavers }: Vote,
  what: string,
): Pick<Finding, 'severity' | 'detail'> | null {
  const who = `Replica ${own}`;
  if (wavers)
    return { severity: 'HIGH', detail: `${who} does not repeat its own answer ${what}: the fault comes and goes` };
  const now = answers.find(({ replica }) => replica === own)?.digest;
  const changed = reference !== null && now !== reference;
  if (kind === 'alone')
    return changed
      ? { severity: 'CRITICAL', detail: `${who} answers ${what} otherwise than it did, and repeats that` }
      : null;
  const others = answers.filter(({ replica }) => replica !== own);
  if (changed && others.some(({ digest }) => digest === reference))
    return { severity: 'HIGH', detail: `${who} answers ${what} otherwise than it did, and than another still does` };
  const names = [...new Set(others.map(({ replica }) => replica))].join(', ');
  const detail = `${who} and ${names} answer ${what} otherwise, and no majority says who is right: it takes a third that agrees`;
  return { severity: reference !== null && !changed ? 'INFO' : 'WARNING', detail };
}

function weightsOf(own: string, answers: readonly Said[], { agreeing }: Vote): 'equal' | 'differ' | 'unknown' {
  const mine = answers.find(({ replica }) => replica === own)?.weights ?? '';
  const theirs = answers.filter(({ replica }) => agreeing.includes(replica)).map(({ weights }) => weights);
  if (mine === '' || theirs.includes('')) return 'unknown';
  return theirs.every((weights) => weights === mine) ? 'equal' : 'differ';
}

function cause({ wavers }: Vote, weights: 'equal' | 'differ' | 'unknown', proven: boolean): string {
  if (wavers) return 'it does not repeat its own answer, so the fault comes and goes';
  if (weights === 'differ') return 'its weights differ too, so its memory or their loading is at fault';
  if (proven) return 'its weights were proven equal since, so it computes wrongly';
  return 'it repeats that, and its weights were not looked at since';
}
