import type { Identity, Role } from './auth.js';

/** Binary metadata in which one replica of a service tells another who makes the call that it carries. */
export const CALLER_HEADER = 'sentinel-caller-bin';

/** Who makes a call, as the replica established it that took the call in. */
export interface CarriedCaller {
  readonly identity: Identity;
  /** Names the connection that the call came by: no other has this name while it lives. */
  readonly connection: string;
}

/** Between the replica's name and its own name of a connection; neither has it in its own names of connections. */
const VIA = '|';

export function carriedConnection(replica: string, connection: string): string {
  return `${replica}${VIA}${connection}`;
}

/** The call came by another replica. */
export function isCarried(connection: string): boolean {
  return connection.includes(VIA);
}

export function encodeCaller(caller: CarriedCaller): Buffer {
  return Buffer.from(JSON.stringify(caller), 'utf8');
}

const ROLES: Readonly<Record<Role, true>> = {
  anonymous: true,
  agent: true,
  monitor: true,
  engine: true,
  ledger: true,
  viewer: true,
  operator: true,
  admin: true,
  auditor: true,
  health: true,
  service: true,
};
const VIAS: readonly unknown[] = ['certificate', 'token', 'none'] satisfies Identity['via'][];

/** null where the bytes say nothing of the kind: believe nothing then. */
export function decodeCaller(bytes: Uint8Array): CarriedCaller | null {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  const { identity, connection } = (json ?? {}) as Partial<CarriedCaller>;
  const { role, node, via, subject } = (identity ?? {}) as Partial<Identity>;
  const known = role !== undefined && Object.hasOwn(ROLES, role) && VIAS.includes(via);
  const named = (node === null || typeof node === 'string') && typeof subject === 'string';
  if (!known || !named || typeof connection !== 'string' || !isCarried(connection)) return null;
  return { identity: { role, node, via: via as Identity['via'], subject }, connection };
}
