import type { SentinelError } from '@sentinel/service-kit/errors';
import { explainTransport } from '@sentinel/service-kit/uplink/explain-transport';

/**
 * Why a connection ended, in one sentence that says what to do.
 * @param section of the configuration, such as "training_monitor"
 */
export function explainUplinkError(error: SentinelError, endpoint: string, section: string): string {
  switch (error.reason) {
    case 'TEST_BUILD_REFUSED':
      return `the engine at ${endpoint} refuses what a job saw whose library injects faults: set correlation_engine.allow_test_builds on a test fleet`;
    case 'NODE_MISMATCH':
      return `the engine at ${endpoint} knows this certificate under another node name: check ${section}.node_name and the certificate`;
    case 'HELLO_REQUIRED':
      return `the engine at ${endpoint} does not know the devices of this node yet: start the probe agent of this node; anomalies wait in the spool`;
    case 'CREDENTIALS_INVALID':
    case 'CREDENTIALS_MISSING':
    case 'ROLE_NOT_ALLOWED':
      return `the engine at ${endpoint} does not know this monitor (${error.message}): set ${section}.service_token_path to the engine's token, or give it a certificate of a monitor`;
    default:
      return explainTransport(error, { endpoint, section, meanwhile: 'analysis goes on, anomalies wait in the spool' });
  }
}
