/** While the server is away it is said once in so long. */
const AGAIN_MS = 60_000;

/** Codes of OpenSSL: nobody that is known vouches for the certificate. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;

export interface UnavailableLogParts {
  readonly say: (text: string) => void;
  readonly nowMs: () => number;
}

/** Says that the inference server cannot be reached, why, and what to do. */
export function unavailableLog(upstream: string, { say, nowMs }: UnavailableLogParts): (error: Error) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (nowMs() - saidMs < AGAIN_MS) return;
    saidMs = nowMs();
    const code = 'code' in error ? String(error.code) : '';
    const hint = UNTRUSTED.test(code) ? '. Name a file with its authority in the variable NODE_EXTRA_CA_CERTS' : '';
    // Several addresses that refuse make an error without a message.
    say(`the inference server at ${upstream} cannot be reached: ${error.message || code}${hint}`);
  };
}
