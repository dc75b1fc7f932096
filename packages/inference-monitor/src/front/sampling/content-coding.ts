import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import type { Head } from '../http1/head.js';

type Decoder = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

const plain: Decoder = async (body) => body;

/** Content codings of RFC 9110, section 8.4.1, and Brotli (RFC 7932). They run outside of the front's own thread. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  '': plain,
  identity: plain,
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress),
};

/** How a body is compressed, in small letters; empty where it is not. */
export function contentCoding(headers: Head['headers']): string {
  return headers
    .filter(([name]) => name === 'content-encoding')
    .map(([, value]) => value.trim().toLowerCase())
    .join(', ');
}

/** Whether `decoded` knows it; several codings on top of each other are not known. */
export function isKnownCoding(coding: string): boolean {
  return Object.hasOwn(DECODERS, coding);
}

/** @returns null where the body is not what `coding` says, or more than `maxBytes` */
export async function decoded(body: Buffer, coding: string, maxBytes: number): Promise<Buffer | null> {
  try {
    return (await DECODERS[coding]?.(body, { maxOutputLength: maxBytes })) ?? null;
  } catch {
    return null;
  }
}
