import type { SecureContextOptions } from 'node:tls';
import { isLoopback, parseAddress } from '@sentinel/service-kit/address';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import { readSecretFile } from '@sentinel/service-kit/secrets';
import { loadTls } from '@sentinel/service-kit/tls';
import type { ClientTls, Endpoints } from './endpoints.js';
import { ConfigurationError } from './failure.js';

/** Room for pages of 1000 entries with their details. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;

/**
 * How to reach `address`; without a token, which only orders need.
 * @throws ConfigurationError when certificate files are missing or wrong
 */
export function connectionTo(address: string, endpoints: Endpoints): ClientConnection {
  const { tls } = endpoints;
  const base = { address, token: '', maxMessageBytes: MAX_MESSAGE_BYTES };
  if (tls === undefined) return { ...base, tls: null };
  loadClientTls(tls);
  const { caFile, certFile, keyFile, serverName = '' } = tls;
  return { ...base, tls: { files: { caFile, certFile, keyFile }, keyPrefix: 'tls', serverName } };
}

/** Reads the files. @throws ConfigurationError when they are missing or wrong: that says nothing about the service */
export function loadClientTls(tls: ClientTls): SecureContextOptions {
  try {
    return loadTls(tls, 'tls');
  } catch (error) {
    const { code, message } = SentinelError.from(error);
    const hint = 'Name PEM files with --tls-ca, --tls-cert and --tls-key.';
    throw new ConfigurationError({ code, message, hint, cause: error });
  }
}

/**
 * The same, as an operator: with the bearer token, where there is one.
 * @throws SentinelError PERMISSION_DENIED when the token may not be read or would travel in the clear
 */
export function operatorConnection(address: string, endpoints: Endpoints): ClientConnection {
  const connection = connectionTo(address, endpoints);
  const { operatorTokenPath } = endpoints;
  if (operatorTokenPath === undefined) return connection;
  if (connection.tls === null && !isLoopback(parseAddress(address).host)) {
    throw new SentinelError({
      code: 'PERMISSION_DENIED',
      message: `the operator's token is not sent in the clear to ${address}`,
      hint: 'Use TLS: --tls-ca, --tls-cert and --tls-key.',
    });
  }
  const token = readSecretFile(operatorTokenPath);
  if (token === null || token === '') {
    throw new ConfigurationError({
      code: 'FAILED_PRECONDITION',
      message: `there is no operator's token in ${operatorTokenPath}`,
      hint: 'npm start makes it; --token-file names another.',
    });
  }
  return { ...connection, token };
}
