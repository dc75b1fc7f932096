import { join } from 'node:path';
import type { ProbeAgentConfig } from '@sentinel/service-kit/config';

/** Several agents of one machine share `data_dir`; each node has its own folder in it. */
export function nodeFolder({ data_dir, node_name }: Pick<ProbeAgentConfig, 'data_dir' | 'node_name'>): string {
  return join(data_dir, node_name);
}
