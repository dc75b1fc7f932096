import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { parseAddress } from '@sentinel/service-kit/address';
import { SentinelError } from '@sentinel/service-kit/errors';

/** A port that a service cannot do without. */
export interface NeededPort {
  /** "engine gRPC" */
  readonly what: string;
  /** host:port */
  readonly address: string;
  /** Configuration key, with its section. */
  readonly key: string;
}

/**
 * Makes sure that the ports are free, before anything is started.
 * @throws SentinelError UNAVAILABLE naming the first taken port, who has it and what to do
 */
export async function requirePorts(ports: readonly NeededPort[]): Promise<void> {
  const failures = await Promise.all(ports.map(({ address }) => tryPort(address)));
  for (const [i, port] of ports.entries()) {
    const failure = failures[i];
    if (failure !== null && failure !== undefined) throw portError(port, failure);
  }
}

/** A sentence for each of them that is taken, where the service can do without. */
export async function takenPorts(ports: readonly NeededPort[]): Promise<string[]> {
  const failures = await Promise.all(ports.map(({ address }) => tryPort(address)));
  return ports.flatMap((port, i) => {
    const failure = failures[i];
    if (failure === null || failure === undefined) return [];
    return [`${portError(port, failure).message}; set ${port.key} to a free one, or free it: the rest runs meanwhile.`];
  });
}

/** Below Linux' range for outgoing connections (32768 and up), so that a port stays free while its service is started again. */
const FIRST_PORT = 12_000;
const LAST_PORT = 20_000;

/** So many misses in a row say that hardly a port is left, or that none can be reserved here. */
const MAX_DRAWS = 1_000;

/**
 * A port of loopback that nobody has now, and that no installation is given again before this process ends.
 * @throws SentinelError UNAVAILABLE where none is found
 */
export async function freePort(): Promise<number> {
  for (let draws = 0; draws < MAX_DRAWS; draws += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if ((await reserve(port)) && (await tryPort(`127.0.0.1:${port}`)) === null) return port;
  }
  throw new SentinelError({
    code: 'UNAVAILABLE',
    message: `no free port was found from ${FIRST_PORT} to ${LAST_PORT - 1} of 127.0.0.1`,
    field: '--free-ports',
    hint: 'End what has them, or start without --free-ports and set the addresses with --override.',
  });
}

/** By a name in Linux' abstract socket space (unix(7)), which the kernel frees with the process. */
function reserve(port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ path: `\0sentinel/port/${port}` }, () => {
      server.unref();
      resolve(true);
    });
  });
}

function tryPort(address: string): Promise<NodeJS.ErrnoException | null> {
  const { host, port } = parseAddress(address);
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

function portError({ what, address, key }: NeededPort, cause: NodeJS.ErrnoException): SentinelError {
  const taken = cause.code === 'EADDRINUSE';
  const owner = taken ? ownerOf(parseAddress(address).port) : null;
  const by = owner === null ? 'another process' : `process ${owner.pid} (${owner.name})`;
  return new SentinelError({
    code: 'UNAVAILABLE',
    message: taken ? `${what} needs ${address}, and ${by} has it` : `${what} cannot use ${address} (${cause.message})`,
    field: key,
    hint: `Stop the other process, set ${key} with --override, or start with --free-ports.`,
    cause,
  });
}

const LISTENING = '0A';

/** Who listens on a TCP port, as far as this user may see it (proc_net_tcp, proc(5)). */
function ownerOf(port: number): { pid: string; name: string } | null {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => inodesListening(table, port));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!socketsOf(pid).some((inode) => inodes.includes(inode))) continue;
    return { pid, name: programOf(pid) };
  }
  return null;
}

/** `node sentinel-audit-ledger.mjs`: program and script, as a person knows it. */
function programOf(pid: string): string {
  const [program = '', ...args] = orNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'));
  const script = args.find((arg) => /\.[a-z]{1,4}$/.test(arg) && !arg.startsWith('-')) ?? '';
  return [program, script]
    .filter((word) => word !== '')
    .map((word) => basename(word))
    .join(' ');
}

function inodesListening(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync(table, 'utf8').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === LISTENING)
    .map((columns) => columns[9] ?? '');
}

/** Inodes of a process's sockets; none where this user may not look. Descriptors come and go while they are read. */
function socketsOf(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  return orNothing(() => readdirSync(folder)).flatMap((fd) =>
    orNothing(() => /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.slice(1) ?? []),
  );
}

function orNothing(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
