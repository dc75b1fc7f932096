import { createSecretKey, type KeyObject } from 'node:crypto';
import type { ProbeAgentConfig } from '@sentinel/service-kit/config';
import { deriveAgentKey } from '@sentinel/service-kit/mac';

/** The key that signs this node's batches: derived from the fleet's, unless the node was given its own. */
export function agentKey(config: Pick<ProbeAgentConfig, 'hmac_key' | 'hmac_key_kind' | 'node_name'>): KeyObject {
  if (config.hmac_key_kind === 'derived') return createSecretKey(config.hmac_key, 'hex');
  return deriveAgentKey(Buffer.from(config.hmac_key, 'utf8'), config.node_name);
}
