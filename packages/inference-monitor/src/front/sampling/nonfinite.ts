/** As Python's json words it, which servers that write strict JSON quote in their error (seen: vLLM 0.32). */
const SAYS_SO = /out of range float values are not json compliant/i;

/** A text, which stays as it is, or one of the words of Python's json that strict JSON does not have. */
const TEXT_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g;
/** What vLLM writes for a probability of 0. */
const NO_PROBABILITY = '-9999';

/**
 * JSON, also with the words of Python's json: NaN and Infinity are read as null.
 * @param minusInfinity what -Infinity is read as: of logarithms it is that of 0, a very small number
 * @throws SyntaxError
 */
export function parsedTolerantly(text: string, minusInfinity: string = NO_PROBABILITY): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(
      text.replace(TEXT_OR_WORD, (found) =>
        found.startsWith('"') ? found : found === '-Infinity' ? minusInfinity : 'null',
      ),
    );
  }
}

/** Whether a server that was asked for logarithms of probabilities says that they are NaN or infinite. @param text of its error */
export function saysNonfinite(text: string): boolean {
  return SAYS_SO.test(text);
}
