import type {
  CopiedLog,
  DamagedEntry,
  PlanRepairRequest,
  PlanRepairResponse,
  RepairEntriesRequest,
  RepairEntriesResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { unary } from '@sentinel/service-kit/grpc-server';
import { UnverifiableError } from '../reader/verified-tree.js';
import type { Copy, HeldBundle } from '../repair/bundle.js';
import type { Damage } from '../repair/damage.js';
import type { Repairer } from '../repair/repairer.js';
import { SourceError } from '../verify/source.js';
import type { WriterContext } from './context.js';
import { outOfRange, publicLedgerError } from './errors.js';

export interface RepairGear {
  readonly repairer: Repairer;
  /** The newest signed checkpoint; empty where no writer can be had. */
  readonly note: () => string;
}

/** Methods of the writer alone. */
export function repairMethods({ repairer, ledger, log }: WriterContext) {
  const gear: RepairGear = { repairer, note: () => ledger.checkpoint.note };
  return {
    planRepair: unary<PlanRepairRequest, PlanRepairResponse>((request) => planRepair(gear, request), log),
    repairEntries: unary<RepairEntriesRequest, RepairEntriesResponse>(
      (request, { subject }) => repairEntries(gear, request, subject),
      log,
    ),
  };
}

export async function planRepair({ repairer }: RepairGear, request: PlanRepairRequest): Promise<PlanRepairResponse> {
  const { damage, more } = await told(repairer.plan(copiesOf(request.copies), request.entries.map(seqOf)));
  return { damaged: damage.map(damageToWire), more: BigInt(more) };
}

export async function repairEntries(
  { repairer, note }: RepairGear,
  request: RepairEntriesRequest,
  by: string,
): Promise<RepairEntriesResponse> {
  const done = await told(repairer.repair(copiesOf(request.copies), by, request.entries.map(seqOf)));
  return {
    damaged: done.damage.map(damageToWire),
    more: BigInt(done.more),
    mended: done.mended.map(BigInt),
    left: done.left.map(({ seq, what }) => ({ seq: BigInt(seq), what })),
    seq: BigInt(done.seq ?? 0),
    checkpoint: note(),
  };
}

function copiesOf(copies: readonly CopiedLog[]): Copy[] {
  return copies.map(({ name, bundles }) => {
    const held = new Map(bundles.map((bundle) => [Number(bundle.index), bundle]));
    return {
      name,
      bundle: (index) => {
        const found = held.get(index);
        return Promise.resolve<HeldBundle>({
          index,
          leaves: (found?.leaves ?? []).map(orAbsent),
          preimages: (found?.preimages ?? []).map(orAbsent),
          hashes: (found?.hashes ?? []).map(orAbsent),
        });
      },
    };
  });
}

/** For the wire: what is not there is empty. */
export function copiedBundle({ index, leaves, preimages, hashes }: HeldBundle) {
  const bytes = (items: HeldBundle['leaves']): Buffer[] => Array.from(items, (item) => Buffer.from(item ?? []));
  return { index: BigInt(index), leaves: bytes(leaves), preimages: bytes(preimages), hashes: bytes(hashes) };
}

function damageToWire({ seq, what, from, lacks }: Damage): DamagedEntry {
  return { seq: BigInt(seq), what, from: [...from], lacks: [...lacks] };
}

function orAbsent(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === 0 ? undefined : bytes;
}

function seqOf(seq: bigint): number {
  if (seq > BigInt(Number.MAX_SAFE_INTEGER)) throw outOfRange('entries', 'entries holds a number beyond 2^53');
  return Number(seq);
}

async function told<T>(repairing: Promise<T>): Promise<T> {
  return await repairing.catch((error: unknown) => {
    if (error instanceof UnverifiableError)
      throw new SentinelError({
        code: 'DATA_LOSS',
        message: `nothing was repaired: ${error.message}, with what the log and the copies hold`,
        hint: 'Give a copy that holds the hashes too: the folder of a log, or an export of all entries.',
        cause: error,
      });
    if (error instanceof SourceError)
      throw new SentinelError({ code: 'UNAVAILABLE', message: error.message, cause: error });
    throw publicLedgerError(error);
  });
}
