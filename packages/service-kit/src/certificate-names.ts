/** One name of `subjectaltname`; a value that could be mistaken for several is quoted as JSON. */
const ALTERNATIVE_NAME = /(?:^|, )([^:"]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy;
const NODE_URI = 'sentinel://node/';
const OPERATOR_URI = 'sentinel://operator/';
const MAX_PERSON_BYTES = 128;
/** What a column of text or a line of a terminal cannot have. */
const CONTROL = /\p{Cc}/u;

type Kind = 'URI' | 'email' | 'DNS';

/** The one node that a certificate names; none where it names several, as nobody could say which one speaks. */
export function certifiedNode(alternativeNames: string): string | null {
  return only(uriNames(alternativeNames, NODE_URI));
}

/**
 * The one person that a certificate names: by a URI `sentinel://operator/NAME`, else by an e-mail address, else by a DNS name.
 * A kind with several names is passed over: it says no better who speaks than none.
 * @param ownHosts DNS names that say nothing about a person
 */
export function certifiedPerson(alternativeNames: string, ownHosts: readonly string[]): string | null {
  const hosts = namesOf(alternativeNames, 'DNS').map((name) => name.toLowerCase());
  const candidates = [
    only(uriNames(alternativeNames, OPERATOR_URI)),
    only(namesOf(alternativeNames, 'email'))?.toLowerCase() ?? null,
    only(hosts.filter((host) => !ownHosts.includes(host))),
  ];
  return candidates.find((name) => name !== null && isShowable(name)) ?? null;
}

function namesOf(alternativeNames: string, kind: Kind): string[] {
  return [...alternativeNames.matchAll(ALTERNATIVE_NAME)]
    .filter(([, found, value]) => found === kind && !value?.startsWith('"'))
    .map(([, , value]) => value ?? '');
}

/** What follows `prefix`; '' where it is not percent-encoded. */
function uriNames(alternativeNames: string, prefix: string): string[] {
  return namesOf(alternativeNames, 'URI')
    .filter((uri) => uri.startsWith(prefix))
    .map((uri) => decoded(uri.slice(prefix.length)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function only(names: readonly string[]): string | null {
  return names.length === 1 ? names[0] || null : null;
}

function isShowable(name: string): boolean {
  return Buffer.byteLength(name) <= MAX_PERSON_BYTES && !CONTROL.test(name) && name.trim() === name;
}
