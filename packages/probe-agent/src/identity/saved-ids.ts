import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { writeFileDurably } from '@sentinel/service-kit/files';
import { uuidV5 } from '@sentinel/service-kit/uuid';

const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

interface Saved {
  readonly machineId: string;
  readonly devices: Readonly<Record<string, string>>;
}

/**
 * Ids of this node's devices, made once and kept in its data folder: they outlive a change of the machine id.
 * @param parts what distinguishes the devices of the node, e.g. the logical CPUs of each
 * @param save false = new ids are not kept
 */
export function deviceIds(folder: string, node: string, parts: readonly string[], save = true): string[] {
  const file = join(folder, 'devices.json');
  const saved = readSaved(file) ?? { machineId: machineId(), devices: {} };
  const devices = { ...saved.devices };
  for (const part of parts) devices[part] ??= `CPU-${uuidV5(saved.machineId, node, part)}`;
  if (save && Object.keys(devices).length > Object.keys(saved.devices).length) {
    writeFileDurably(file, `${JSON.stringify({ ...saved, devices }, null, 2)}\n`);
  }
  return parts.map((part) => devices[part] ?? '');
}

function readSaved(file: string): Saved | undefined {
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Partial<Saved>;
    if (typeof saved.machineId === 'string' && typeof saved.devices === 'object') return saved as Saved;
    throw new TypeError('it lacks machineId or devices');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `${file} cannot be read (${(cause as Error).message})`,
      hint: 'Restore it, or remove it: the devices of this node then get new ids.',
      cause,
    });
  }
}

/** The operating system's machine id, else a random one that is kept with the device ids. */
function machineId(): string {
  for (const file of MACHINE_ID_FILES) {
    try {
      const id = readFileSync(file, 'utf8').trim();
      if (/^[0-9a-f]{32}$/.test(id)) return id;
    } catch {
      // The next place may have it.
    }
  }
  return randomUUID().replaceAll('-', '');
}
