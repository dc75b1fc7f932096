export {
  type CertificateAuthority,
  type CertificateFiles,
  type LeafSpec,
  makeAuthority,
  makeCertificates,
} from './certificates.js';
export { type EventuallyOptions, eventually } from './eventually.js';
export { freePort } from './free-port.js';
export { CassandraServer } from './servers/cassandra/server.js';
export type { Answer, ServerKind, StartedServer } from './servers/kind.js';
export { type PostgresOptions, PostgresServer } from './servers/postgres.js';
export { RedisServer, type RedisSpec } from './servers/redis.js';
export { type TestDatabase, testDatabase } from './servers/test-database.js';
export { testServer } from './servers/test-server.js';
export { SmallDisk } from './small-disk.js';
export { type Exit, type ProcessSpec, startProcess, type TestProcess } from './start-process.js';
export { type Direction, type Slowness, type TcpProxy, tcpProxy } from './tcp-proxy.js';
export { type TemporaryFolder, temporaryFolder } from './temporary-folder.js';
