import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ChannelCredentials, ServerCredentials, type VerifyOptions } from '@grpc/grpc-js';
import { SentinelError } from './errors.js';
import type { Logger } from './logging.js';

/** How soon a renewed certificate is noticed. */
const RELOAD_INTERVAL_MS = 5_000;

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/**
 * Reads certificate, key and authorities, and proves that they belong together.
 * @param keyPrefix configuration section of the files, for errors, e.g. `correlation_engine.tls`
 * @throws SentinelError FAILED_PRECONDITION naming key and file
 */
export function loadTls(files: TlsFiles, keyPrefix: string): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readPem(files.certFile, `${keyPrefix}.cert_file`),
    key: readPem(files.keyFile, `${keyPrefix}.key_file`),
    ca: readPem(files.caFile, `${keyPrefix}.ca_file`),
    minVersion: 'TLSv1.3',
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw tlsError(
      `${keyPrefix}.cert_file`,
      `${files.certFile} and ${files.keyFile} cannot be used together: ${(cause as Error).message}`,
      cause,
    );
  }
  return options;
}

function readPem(file: string, key: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw tlsError(key, `${key}: cannot read ${file} (${(cause as Error).message})`, cause);
  }
}

function tlsError(key: string, message: string, cause: unknown): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message,
    field: key,
    hint: `Put a PEM file there, point ${key} elsewhere, or set tls.enabled to false on loopback.`,
    cause,
  });
}

export interface ReloadingOptions extends FollowedFiles {
  readonly mutual: boolean;
}

/** Server credentials whose certificate follows its files without a restart; new connections use the new one. TLS 1.3 only. */
export class ReloadingServerCredentials extends ServerCredentials {
  readonly #unfollow: () => void;

  constructor(options: ReloadingOptions) {
    const { files, keyPrefix, mutual } = options;
    super({ requestCert: mutual, rejectUnauthorized: mutual, minVersion: 'TLSv1.3' }, loadTls(files, keyPrefix));
    this.#unfollow = followTlsFiles(options, (renewed) => this.updateSecureContextOptions(renewed));
  }

  close(): void {
    this.#unfollow();
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

export interface FollowedFiles {
  readonly files: TlsFiles;
  readonly keyPrefix: string;
  readonly log: Logger;
  readonly reloadIntervalMs?: number;
}

/** Gives renewed certificates to a server, until the returned function is called. */
export function followTlsFiles(
  { files, keyPrefix, log, reloadIntervalMs = RELOAD_INTERVAL_MS }: FollowedFiles,
  take: (renewed: SecureContextOptions) => void,
): () => void {
  let seen = fingerprint(files);
  const timer = setInterval(() => {
    const now = fingerprint(files);
    if (now === seen) return;
    try {
      take(loadTls(files, keyPrefix));
      seen = now;
      log.info({ certFile: files.certFile }, 'TLS certificate reloaded');
    } catch (error) {
      // Half-written files are common while a certificate is renewed: the old one stays until they are whole.
      log.warn({ err: error }, 'TLS certificate changed but cannot be used yet; keeping the old one');
    }
  }, reloadIntervalMs).unref();
  return () => clearInterval(timer);
}

function fingerprint(files: TlsFiles): string {
  return [files.certFile, files.keyFile, files.caFile]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return `${stat?.ino}:${stat?.mtimeMs}:${stat?.size}`;
    })
    .join('|');
}

/** Channel credentials from the files as they are now: make a new channel to take up a renewed certificate. */
export function channelCredentials(files: TlsFiles, keyPrefix: string, verify: VerifyOptions = {}): ChannelCredentials {
  return ChannelCredentials.createFromSecureContext(createSecureContext(loadTls(files, keyPrefix)), verify);
}
