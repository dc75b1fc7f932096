import { hostname } from 'node:os';
import { nodeName } from '../places.js';
import type { Environment, Fallback } from '../schema.js';

/** Kubernetes hands the node's name over as NODE_NAME; elsewhere the host's name is the node's. */
export function ownNodeName(env: Environment): Fallback<string> {
  const fromPod = env['NODE_NAME'];
  if (fromPod !== undefined && fromPod !== '') {
    return { value: nodeName.check(fromPod), from: 'environment variable NODE_NAME' };
  }
  return { value: nodeName.check(hostname()), from: 'host name' };
}

/** Kubernetes hands the pod's name over as POD_NAME; elsewhere there is none. */
export function ownPodName(env: Environment): Fallback<string> {
  const name = env['POD_NAME'] ?? '';
  return { value: name, from: name === '' ? 'default' : 'environment variable POD_NAME' };
}
