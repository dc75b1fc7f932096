import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CorrelationServiceClient,
  type ExplainDecisionResponse,
  type GateOutcome,
  type GpuHealth,
  GateOutcome_Verdict as Verdict,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { type GetTrustGraphResponse, TrustServiceClient } from '@sentinel/contracts/sentinel/v1/trust.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import type { Reachable } from './stack.js';
import { until } from './until.js';

/** Asks a stack's engine over gRPC, as its operator. */
export class EngineClient {
  readonly #client: CorrelationServiceClient;
  readonly #trust: TrustServiceClient;

  constructor(stack: Reachable) {
    const connection = { ...stack.connection('engine'), token: stack.secrets.operatorToken };
    this.#client = createClient(CorrelationServiceClient, connection);
    this.#trust = createClient(TrustServiceClient, connection);
  }

  async gpus(): Promise<GpuHealth[]> {
    const request = { nodePrefix: '', model: '', state: GpuState.UNSPECIFIED, limit: 1000, pageToken: '' };
    return (await callUnary(this.#client, this.#client.queryFleetHealth, request)).gpus;
  }

  trust(): Promise<GetTrustGraphResponse> {
    return callUnary(this.#trust, this.#trust.getTrustGraph, { gpu: '', limit: 100, atUs: 0n });
  }

  explain(gpu: string): Promise<ExplainDecisionResponse> {
    return callUnary(this.#client, this.#client.explainDecision, { gpu });
  }

  /** The one device of a node, once the node has registered. */
  deviceOf(node: string, timeoutMs = 60_000): Promise<GpuHealth> {
    return until(
      `a device of ${node}`,
      timeoutMs,
      async () => (await this.gpus()).find((gpu) => gpu.node === node),
      200,
    );
  }

  /** Waits until a device is in one of these states. */
  state(gpu: string, wanted: readonly GpuState[], timeoutMs: number): Promise<GpuHealth> {
    const names = wanted.map((state) => nameOf(state)).join(' or ');
    return until(
      `${gpu} ${names}`,
      timeoutMs,
      async () => {
        const health = (await this.gpus()).find((candidate) => candidate.gpu === gpu);
        return health !== undefined && wanted.includes(health.state) ? health : undefined;
      },
      200,
    );
  }

  /** Waits until a gate of a device says `verdict`. */
  gate(gpu: string, name: string, verdict: Verdict, timeoutMs = 60_000): Promise<GateOutcome> {
    return until(
      `gate ${name} of ${gpu} ${Verdict[verdict as never] ?? verdict}`,
      timeoutMs,
      async () => (await this.explain(gpu)).gates.find((gate) => gate.name === name && gate.verdict === verdict),
      100,
    );
  }

  close(): void {
    this.#client.close();
    this.#trust.close();
  }
}

function nameOf(state: GpuState): string {
  return Object.entries(GpuState).find(([, value]) => value === state)?.[0] ?? String(state);
}
