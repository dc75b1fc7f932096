import type { Endpoints } from '@sentinel/cli/endpoints';
import {
  CorrelationServiceClient,
  QueryFleetHealthRequest,
  type QueryFleetHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';

/** Devices that the status shows. */
const SHOWN_DEVICES = 16;
const DEADLINE_MS = 2_000;

export interface FleetAnswer {
  /** null = the engine did not answer; `problem` says why. */
  readonly fleet: QueryFleetHealthResponse | null;
  readonly problem: string;
}

/** Asks the engine how the fleet is. */
export class FleetSource {
  readonly #client: CorrelationServiceClient;

  constructor(endpoints: Endpoints) {
    this.#client = createClient(CorrelationServiceClient, { address: endpoints.engine.grpc, tls: null, token: '' });
  }

  async ask(): Promise<FleetAnswer> {
    try {
      const request = QueryFleetHealthRequest.fromPartial({ limit: SHOWN_DEVICES });
      const fleet = await callUnary(this.#client, this.#client.queryFleetHealth, request, DEADLINE_MS);
      return { fleet, problem: '' };
    } catch (error) {
      return { fleet: null, problem: SentinelError.from(error).message };
    }
  }

  close(): void {
    this.#client.close();
  }
}
