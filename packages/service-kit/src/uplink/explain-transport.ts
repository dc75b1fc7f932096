import type { SentinelError } from '../errors.js';

/** Whose connection to the engine ended. */
export interface Connecting {
  readonly endpoint: string;
  /** Of the configuration, such as "probe_agent". */
  readonly section: string;
  /** What goes on without the engine, and what waits for it. */
  readonly meanwhile: string;
}

/** Why a connection ended that the engine did not refuse with a reason of its own, in one sentence that says what to do. */
export function explainTransport(error: SentinelError, { endpoint, section, meanwhile }: Connecting): string {
  const { code, message, sentence } = error;
  if (/certificate|ssl|tls|altname|handshake/i.test(message)) {
    return `no TLS connection to the engine at ${endpoint} (${message}): check ${section}.tls.ca_file, cert_file and key_file`;
  }
  // The engine closes what is not to its liking without a word: TLS 1.3 lets the client believe until then that it was accepted.
  if (code === 'UNAVAILABLE' && /Last error: Failed to connect/.test(message)) {
    return `the engine at ${endpoint} hangs up: check that ${section}.tls.cert_file is of an authority that it knows, and that TLS is on at both sides; ${meanwhile}`;
  }
  if (code === 'UNAVAILABLE') return `the engine at ${endpoint} does not answer (${message}): ${meanwhile}`;
  return `the engine at ${endpoint} ended the connection with ${code}: ${sentence}`;
}
