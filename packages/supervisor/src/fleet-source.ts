import type { Endpoints } from '@sentinel/cli/endpoints';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CorrelationServiceClient,
  type GateOutcome,
  type GpuHealth,
  QueryFleetHealthRequest,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import type { FleetView } from './status-view.js';

/** Devices that the status shows, and those of them whose gates it shows. */
const SHOWN_DEVICES = 16;
const SHOWN_GATES = 4;
const DEADLINE_MS = 2_000;

/** Asks the engine how the fleet is. */
export class FleetSource {
  readonly #client: CorrelationServiceClient;

  constructor(endpoints: Endpoints) {
    this.#client = createClient(CorrelationServiceClient, { address: endpoints.engine.grpc, tls: null, token: '' });
  }

  async ask(): Promise<FleetView> {
    try {
      const request = QueryFleetHealthRequest.fromPartial({ limit: SHOWN_DEVICES });
      const fleet = await callUnary(this.#client, this.#client.queryFleetHealth, request, DEADLINE_MS);
      return { fleet, gates: await this.#gatesOf(fleet.gpus), problem: '' };
    } catch (error) {
      return { fleet: null, gates: new Map(), problem: SentinelError.from(error).message };
    }
  }

  close(): void {
    this.#client.close();
  }

  async #gatesOf(gpus: readonly GpuHealth[]): Promise<ReadonlyMap<string, readonly GateOutcome[]>> {
    const accused = gpus.filter(({ state }) => state !== GpuState.HEALTHY).slice(0, SHOWN_GATES);
    const explained = await Promise.all(
      accused.map(({ gpu }) => callUnary(this.#client, this.#client.explainDecision, { gpu }, DEADLINE_MS)),
    );
    return new Map(accused.map(({ gpu }, i) => [gpu, explained[i]?.gates ?? []]));
  }
}
