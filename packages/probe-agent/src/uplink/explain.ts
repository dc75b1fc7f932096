import { SentinelError } from '@sentinel/service-kit/errors';
import { explainTransport } from '@sentinel/service-kit/uplink/explain-transport';

/** Why a connection ended, in one sentence that says what to do. */
export function explainUplinkError(thrown: unknown, endpoint: string): string {
  const error = SentinelError.from(thrown);
  switch (error.reason) {
    case 'BAD_MAC':
      return `the engine at ${endpoint} refused this agent's signature: set probe_agent.hmac_key to the engine's key of this key id`;
    case 'UNKNOWN_KEY':
      return `the engine at ${endpoint} has no key of this id: set probe_agent.hmac_key_id to one of its correlation_engine.hmac_keys`;
    case 'TEST_BUILD_REFUSED':
      return `the engine at ${endpoint} refuses test builds: run sentinel-probe-agent, or set correlation_engine.allow_test_builds on a test fleet`;
    case 'NOT_ENROLLED':
      return `this node is not enrolled at ${endpoint}: add it to the engine's list, or set correlation_engine.enrolment to open`;
    case 'NODE_MISMATCH':
      return `the engine at ${endpoint} knows this certificate or connection under another node name: check probe_agent.node_name and the certificate`;
    default:
      return explainTransport(error, {
        endpoint,
        section: 'probe_agent',
        meanwhile: 'probing goes on, results wait in the spool',
      });
  }
}
