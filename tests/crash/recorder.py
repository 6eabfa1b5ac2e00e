"""From the calls of a trace to the operations of a Recording (filesystem.py)."""
import os
import re

import strace
from filesystem import Cut

NEW_ITEM = re.compile(rb'vsmtp-item 1\nid (\w{18})\n')


class Event:
    """Something that promises() wants to know the time of."""

    def __init__(self, at, kind, **facts):
        self.at, self.kind = at, kind
        self.__dict__.update(facts)


class Interpreter:
    def __init__(self, recording, calls):
        self.recording, self.calls = recording, calls
        self.process = strace.processes(calls)
        self.points = []  # lines of the trace behind which a crash differs from one before
        self.acknowledged = {}  # id -> line of the call that said so
        self.named, self.removed = [], []  # (Naming, path)

    def run(self):
        for call in self.calls:
            handler = getattr(self, 'on_' + call.name, None)
            if handler is None:
                raise ValueError(f'{call.name}: not modelled')
            handler(call)
        self.points += self.recording.syncs
        self.points = sorted(set(self.points))

    # ---- who is meant ---------------------------------------------------------------------------------------------------

    def paths(self, call):
        """The paths that the call names, made absolute with the descriptors in front of them."""
        folders = [path for _, path in call.descriptors()]
        texts = call.strings()
        if not folders:
            folders = [b'/'] * len(texts)
        return [os.path.normpath(os.path.join(folder, text)) for folder, text in zip(folders, texts)]

    def inode_of(self, call):
        """The file of the call's first descriptor; None: not ours."""
        descriptors = call.descriptors()
        if not descriptors or not self.recording.is_ours(descriptors[0][1]):
            return None
        if '(deleted)' in call.text and not re.search(rb'/#\d+$', descriptors[0][1]):
            return None  # nobody will find it again
        return self.recording.look_up(descriptors[0][1])

    def key(self, call, number=None):
        return (self.process(call.thread), str(call.descriptors()[0][0] if number is None else number))

    def note(self, call):
        self.points.append(call.end)

    # ---- names ----------------------------------------------------------------------------------------------------------

    def on_openat(self, call):
        path = self.paths(call)[0] if call.name == 'openat' else os.path.normpath(call.strings()[0])
        flags = call.flags()
        recording = self.recording
        if not recording.is_ours(path):
            return
        if flags & {'O_SYNC', 'O_DSYNC'}:
            raise ValueError('O_SYNC: not modelled')
        if 'O_TMPFILE' in flags:
            inode = recording.new_inode(False)
            recording.unnamed[re.search(rb'#\d+$', strace.octets(re.search(r'<([^>]*)>', call.returned)[1]))[0]] = inode
            recording.unnamed[self.key(call, call.result)] = inode
        else:
            inode = recording.look_up(path)
            if inode is None and 'O_CREAT' in flags:
                inode = recording.new_inode(False)
                self.name(call, path, inode)
        if inode is None or inode.is_special:
            return
        if 'O_TRUNC' in flags and recording.size(inode):
            inode.operations.append(Cut(call.end, inode, 0))
            self.note(call)
        recording.positions[self.key(call, call.result)] = None if 'O_APPEND' in flags else 0

    on_open = on_openat

    def on_mkdir(self, call):
        self.make(call, self.recording.new_inode(True))

    on_mkdirat = on_mkdir

    def on_mknod(self, call):
        inode = self.recording.new_inode(False)
        inode.is_special = True
        self.make(call, inode)

    on_mknodat = on_mknod

    def make(self, call, inode):
        path = self.paths(call)[0]
        if self.recording.is_ours(path):
            self.name(call, path, inode)

    def name(self, call, path, inode, old=None):
        self.recording.name(call.end, inode, add=self.recording.place(path), remove=old and self.recording.place(old))
        self.named.append((self.recording.namings[-1], path))
        self.note(call)

    def on_unlink(self, call):
        path = self.paths(call)[0]
        if not self.recording.is_ours(path):
            return
        inode = self.recording.look_up(path)
        if inode is None:
            return  # a socket: bind(2) is not recorded
        self.recording.name(call.end, inode, remove=self.recording.place(path))
        self.removed.append((self.recording.namings[-1], path))
        self.note(call)

    on_unlinkat = on_rmdir = on_unlink

    def on_rename(self, call):
        old, new = self.paths(call)
        if not self.recording.is_ours(old) and not self.recording.is_ours(new):
            return
        inode = self.recording.look_up(old)
        if inode is None:
            raise ValueError(f'rename of {old}, which the model does not know')
        self.name(call, new, inode, old)

    on_renameat = on_renameat2 = on_rename

    def on_link(self, call):
        old, new = self.paths(call)
        if not self.recording.is_ours(new):
            return
        by_descriptor = re.fullmatch(rb'/proc/self/fd/(\d+)', old)
        inode = self.recording.unnamed[self.key(call, by_descriptor[1].decode())] if by_descriptor else self.recording.look_up(old)
        self.name(call, new, inode)

    on_linkat = on_link

    # ---- octets -----------------------------------------------------------------------------------------------------------

    def on_write(self, call):
        data = b''.join(call.strings())
        acknowledged = re.search(rb'queued as (\w{18})', data)
        inode = self.inode_of(call)
        if inode is None or inode.is_special:
            if acknowledged:
                self.acknowledged.setdefault(acknowledged[1].decode(), call.start)
                self.points.append(call.start)
            return
        data = data[:call.result]
        key = self.key(call)
        position = self.recording.positions.get(key, 0)
        if call.name.startswith('pwrite'):
            offset = self.offset_of(call)
        else:
            offset = self.recording.size(inode) if position is None else position
            if position is not None:
                self.recording.positions[key] = offset + len(data)
        self.recording.write(call.end, inode, offset, data)
        self.note(call)

    on_pwrite64 = on_writev = on_pwritev = on_sendmsg = on_sendto = on_write

    def offset_of(self, call):
        return call.last_number()

    def on_ftruncate(self, call):
        self.cut(call, call.last_number(), True)

    def on_fallocate(self, call):
        mode, offset, length = re.findall(r', (\w+)', re.sub(r'<[^>]*>', '', call.text))
        if mode != '0':
            raise ValueError('fallocate with flags: not modelled')
        self.cut(call, int(offset) + int(length), False)

    def cut(self, call, size, may_shrink):
        inode = self.inode_of(call)
        if inode is None or (size <= self.recording.size(inode) and not may_shrink) or size == self.recording.size(inode):
            return
        inode.operations.append(Cut(call.end, inode, size))
        self.note(call)

    def on_fsync(self, call):
        inode = self.inode_of(call)
        if inode is not None:
            self.recording.sync(inode, call.start, call.end)

    on_fdatasync = on_fsync

    def on_syncfs(self, call):
        if self.recording.is_ours(call.descriptors()[0][1]):
            self.recording.sync(None, call.start, call.end)

    def on_lseek(self, call):
        key = self.key(call)
        if self.inode_of(call) is not None and self.recording.positions.get(key) is not None:
            self.recording.positions[key] = call.result

    def on_mmap(self, call):
        if 'MAP_SHARED' in call.flags() and 'PROT_WRITE' in call.flags() and self.inode_of(call) is not None:
            raise ValueError('a shared mapping that is written to: not modelled')

    def on_clone(self, call):
        pass

    on_clone3 = on_clone
