import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../harness/service.js';
import type { Fault, StoreName } from './fault.js';
import type { World } from './world.js';

/** Batches that an agent records in half an hour of an outage, at one in two seconds. */
const OUTAGE_RECORDS = 900;
/** A full disk is filled again and again: whoever uses it may give room back. */
const FILL_EVERY_MS = 100;

/** Does it, waits, and undoes it. */
export async function inject(world: World, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'kill':
    case 'stop':
    case 'end':
      return hurtReplica(world.replicas.at(numberOf(fault.target)).service, fault);
    case 'engine-clock':
      return world.clocks.jumpEngine(numberOf(fault.target), fault.jumpMs);
    case 'agent-clock':
      return world.clocks.jumpAgent(numberOf(fault.target), fault.jumpMs);
    case 'crash':
      await world.stores.crash(fault.target);
      await delay(fault.forMs);
      return world.stores.revive(fault.target);
    case 'freeze':
      return freeze(world.stores.of(fault.target).pid, fault.forMs);
    case 'end-connections':
      await world.stores.postgres.sql(END_CONNECTIONS.replace('$1', String(fault.share)));
      return;
    case 'disk-full':
      return fillDisk(world, fault);
    case 'lost-answers':
      world.ledger.loseAnswers += fault.count;
      return;
    case 'outage':
      return outage(world, fault);
    default:
      return hurtLink(world, fault);
  }
}

const END_CONNECTIONS = `select pg_terminate_backend(pid) from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < $1`;

type Of<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

async function hurtReplica(service: Service, { kind, forMs }: Of<'kill' | 'stop' | 'end'>): Promise<void> {
  if (kind === 'stop') {
    service.signal('SIGSTOP');
    await delay(forMs);
    return service.signal('SIGCONT');
  }
  if (kind === 'kill') await service.end();
  else await service.stop();
  await delay(forMs);
  service.launch();
  service.keepUp();
}

async function hurtLink(
  world: World,
  fault: Of<'cut' | 'refuse' | 'stall' | 'deaf' | 'mute' | 'slow' | 'narrow'>,
): Promise<void> {
  const link = world.link(fault.target);
  switch (fault.kind) {
    case 'cut':
      return link.cut();
    case 'refuse':
      link.refuse();
      break;
    case 'stall':
      link.stall();
      break;
    case 'deaf':
      link.stall('down');
      break;
    case 'mute':
      link.stall('up');
      break;
    case 'slow':
      link.slow({ delayMs: fault.delayMs });
      break;
    case 'narrow':
      link.slow({ bytesPerSecond: fault.bytesPerSecond });
      break;
  }
  await delay(fault.forMs);
  link.pass();
}

async function freeze(pid: number, forMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await delay(forMs);
  process.kill(pid, 'SIGCONT');
}

async function fillDisk({ stores }: World, { target, forMs }: Of<'disk-full'>): Promise<void> {
  const disk = stores.disk(target);
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    disk.fill();
    await delay(FILL_EVERY_MS);
  }
  disk.free();
  if (target === 'postgres-disk') await stores.revive('postgres');
}

async function outage({ stores, clocks, agents }: World, { forMs, clockMs }: Of<'outage'>): Promise<void> {
  const each = (act: (name: StoreName) => Promise<void>): Promise<unknown> => Promise.all(stores.names.map(act));
  await each((name) => stores.crash(name));
  clocks.jumpAll(clockMs);
  for (const agent of agents) agent.record(OUTAGE_RECORDS);
  await delay(forMs);
  await each((name) => stores.revive(name));
}

function numberOf(target: string): number {
  return Number(target.slice(target.lastIndexOf('-') + 1));
}
