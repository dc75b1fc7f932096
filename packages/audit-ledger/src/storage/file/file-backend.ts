/** The `file` backend: a log in a folder of one machine. */
import type { Backend } from '../backend.js';
import { nodeDisk } from './disk.js';
import { FolderSource } from './folder-source.js';
import { FollowedFolder } from './followed-folder.js';
import { checkpointBeside } from './guard.js';
import { HeadFile } from './head-file.js';
import { layoutOf } from './layout.js';
import { mendFolder } from './mend-folder.js';
import { type FilePlace, openFileStore } from './open-store.js';

export function fileBackend(place: FilePlace): Backend {
  const { directory } = place;
  const layout = layoutOf(directory);
  return {
    name: 'file',
    place: directory,
    openWriter: async (options) => await openFileStore({ ...place, ...options }),
    openSource: async (from) => await FolderSource.open(directory, undefined, from),
    openUnsigned: async () => {
      const head = await new HeadFile(layout.heads).read();
      return head && { source: await FolderSource.open(directory, { note: '', size: head.size }), head };
    },
    mend: async (seqs, right) => await mendFolder(layout, place.disk ?? nodeDisk, seqs, right),
    openReader: () => Promise.resolve(new FollowedFolder(directory)),
    guards: async () => await checkpointBeside(layout),
    guardPlace: layout.guard,
  };
}
