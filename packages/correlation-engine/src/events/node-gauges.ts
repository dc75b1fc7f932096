import { Gauge, type Registry } from '@sentinel/service-kit/metrics';
import type { CoreState } from '../core.js';

/** Nodes that have a series of their own while they are away: where more are, their number says enough. */
const MAX_NAMED = 100;

/** What is read of nodes. */
export interface NodeFacts {
  state(): CoreState;
  isConnected(node: string): boolean;
}

/** Nodes that test devices, by whether their agent is connected. Only the replica that decides knows. */
export function observeNodes(facts: NodeFacts, registry: Registry): void {
  new Gauge({
    name: 'sentinel_nodes',
    help: 'Nodes with devices, by whether their agent is connected: yes, no. no: sentinel_node_disconnected names them.',
    labelNames: ['connected'],
    registers: [registry],
    collect() {
      const nodes = [...nodesWithDevices(facts.state())];
      const away = nodes.filter((node) => !facts.isConnected(node)).length;
      this.set({ connected: 'yes' }, nodes.length - away);
      this.set({ connected: 'no' }, away);
    },
  });
  new Gauge({
    name: 'sentinel_node_disconnected',
    help: `1 for each node with devices whose agent is not connected, ${MAX_NAMED} at most: look at the agent there, and at its way here.`,
    labelNames: ['node'],
    registers: [registry],
    collect() {
      this.reset();
      const away = [...nodesWithDevices(facts.state())].filter((node) => !facts.isConnected(node));
      // Always the same hundred, so that an alert does not begin anew with each scrape.
      for (const node of away.toSorted().slice(0, MAX_NAMED)) this.set({ node }, 1);
    },
  });
}

/** Whose devices went to other nodes, were replaced or condemned, is not missed. */
function nodesWithDevices(state: CoreState): ReadonlySet<string> {
  const nodes = new Set<string>();
  for (const device of state.devices.values())
    if (device.replaced === null && device.state !== 'CONDEMNED') nodes.add(device.node);
  return nodes;
}
