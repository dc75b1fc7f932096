import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { Spool, type SpoolFolder, type SpoolOptions } from '@sentinel/service-kit/spool';
import type { AckJournal } from './ack-journal.js';
import { type GivenUp, giveUp, isOfTestBuild, kindOf } from './give-up.js';

/** The agent's records that the engine has not archived yet. */
export type ProbeSpool = Spool<UplinkPayload>;

export interface ProbeSpoolOptions {
  readonly folder: SpoolFolder;
  /** Beyond it the oldest payloads are replaced by their counts. */
  readonly maxBytes: number;
  readonly journal: AckJournal | null;
  /** What had to be given up: the spool was full, or the engine refuses what it holds. */
  readonly onGivenUp: (lost: GivenUp) => void;
  readonly files?: SpoolOptions<UplinkPayload>['files'];
}

/** @throws SentinelError where another process has it, or it is damaged */
export function openProbeSpool({
  folder,
  maxBytes,
  journal,
  onGivenUp,
  files,
}: ProbeSpoolOptions): Promise<ProbeSpool> {
  return Spool.open<UplinkPayload>({
    folder,
    maxBytes,
    maxBytesKey: 'probe_agent.spool.max_bytes',
    payloads: {
      encode: (payload) => UplinkPayload.encode(payload).finish(),
      kindOf,
      giveUp: (bytes) => {
        const { lost, left } = giveUp(bytes);
        onGivenUp(lost);
        return left;
      },
    },
    ...(journal === null ? {} : { onAcknowledged: (spool, ack) => journal.record(spool, ack) }),
    ...(files === undefined ? {} : { files }),
  });
}

/** Replaces by its counts what a test build left beyond `committedThrough`, for an engine that refuses such evidence. */
export function giveUpTestBuilds(spool: ProbeSpool, committedThrough: bigint): Promise<number> {
  return spool.giveUpRefused(committedThrough, isOfTestBuild);
}
