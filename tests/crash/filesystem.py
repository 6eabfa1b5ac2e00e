"""A file system that loses what it may: the model of a power cut.

A recorded run becomes operations, in the order in which the calls ended. Each is certain to be on the disk (durable) from
the end of a sync that began after it; before that a power cut may have taken it. Two kinds of file systems are modelled:

  ordered   as ext4, XFS and btrfs with their journals: names change in the order of the calls, so what is lost of them is an
            end of that order. fsync(2) of a file or directory keeps all up to the last change of its own names.
  loose     as POSIX says and no more: a new, removed or other name is kept from the fsync(2) of its directory; of what is not
            synced any part may be lost, in any order. rename(2) loses no file: the old name goes with or after the new one
            comes; both may be there. fsync(2) of a file keeps no name of it.

In both, octets are kept from an fsync(2), fdatasync(2) of their file, or syncfs(2); sync_file_range(2) promises nothing. Of each
write that is not synced a power cut leaves all, nothing, some of its sectors of 512 octets (torn), or, where the file was
made longer, zeros; each write of a file by itself. All of it kept is what kill -9 leaves."""
import itertools
import os
import re

SECTOR = 512
NEVER = float('inf')


class Inode:
    def __init__(self, number, is_directory, content=b''):
        self.number, self.is_directory, self.first = number, is_directory, content
        self.operations = []  # Write and Cut, in their order
        self.is_special = False


class Write:
    def __init__(self, at, inode, offset, data):
        self.at, self.inode, self.offset, self.data, self.durable = at, inode, offset, data, NEVER

    def sectors(self):
        return range(self.offset // SECTOR, (self.offset + len(self.data) - 1) // SECTOR + 1)

    # `size`: of the file before. A disk writes one sector whole or not at all.
    def options(self, size):
        makes_longer = self.offset + len(self.data) > size
        return ['kept', 'lost'] + (['torn'] if makes_longer or len(self.sectors()) > 1 else []) + (['zeros'] if makes_longer else [])

    def apply(self, content, option, chance):
        size, end = len(content), self.offset + len(self.data)
        if option == 'lost':
            return
        content.extend(bytes(max(0, end - size)))
        if option == 'kept':
            content[self.offset:end] = self.data
        if option != 'torn':
            return
        for sector in self.sectors():
            if chance.random() < 0.5:
                begin, stop = max(self.offset, sector * SECTOR), min(end, (sector + 1) * SECTOR)
                content[begin:stop] = self.data[begin - self.offset:stop - self.offset]
        if end > size and chance.random() < 0.5:  # the new size is not there, or not all of it
            del content[chance.randrange(size, end):]


class Cut:
    """ftruncate(2), fallocate(2): the file has this size."""

    def __init__(self, at, inode, size):
        self.at, self.inode, self.size, self.durable = at, inode, size, NEVER

    def options(self, _):
        return ['kept', 'lost']

    def apply(self, content, option, _):
        if option == 'kept':
            content[self.size:] = bytes(max(0, self.size - len(content)))


class Naming:
    """Names that come and go in one call: (directory, name) and what it leads to."""

    def __init__(self, at, inode, add=None, remove=None):
        self.at, self.inode, self.add, self.remove = at, inode, add, remove
        self.durable = NEVER          # of the new name, or of the removal where there is no new one
        self.removal_durable = NEVER  # of a rename's old name, in the loose kind

    def directories(self):
        return {place[0] for place in (self.add, self.remove) if place}

    def apply(self, names, option):
        if option == 'lost':
            return
        if self.add:
            names[self.add] = self.inode
        if self.remove and option == 'kept' and names.get(self.remove) is self.inode:
            del names[self.remove]


class Recording:
    """The operations below `root`, which held `before` (path -> octets, None for folders) at the start."""

    def __init__(self, root, before, ignores_syncs_of=None):
        self.root, self.ignored = os.fsencode(root), ignores_syncs_of
        self.numbers = itertools.count()
        self.top = self.new_inode(True)
        self.names = {}           # as the running system sees it
        self.namings, self.inodes = [], []
        self.syncs = []           # ends
        self.unnamed = {}         # (process, descriptor) or strace's name -> inode without a name
        self.positions = {}       # (process, descriptor) -> offset, None: at the end
        for path, content in sorted(before.items()):
            directory, name = self.place(os.path.join(self.root, os.fsencode(path)))
            inode = self.new_inode(content is None, content or b'')
            self.names[directory, name] = inode
        self.first_names = dict(self.names)

    def new_inode(self, is_directory, content=b''):
        return Inode(next(self.numbers), is_directory, content)

    def is_ours(self, path):
        return path == self.root or path.startswith(self.root + b'/')

    def place(self, path):
        parts = [part for part in path[len(self.root):].split(b'/') if part]
        directory = self.top
        for part in parts[:-1]:
            directory = self.names[directory, part]
        return directory, parts[-1]

    def look_up(self, path):
        if path == self.root:
            return self.top
        unnamed = re.search(rb'/(#\d+)$', path)
        if unnamed and unnamed[1] in self.unnamed:
            return self.unnamed[unnamed[1]]
        try:
            return self.names.get(self.place(path))
        except KeyError:
            return None

    # ---- what calls do ------------------------------------------------------------------------------------------------

    def name(self, at, inode, add=None, remove=None):
        naming = Naming(at, inode, add, remove)
        naming.apply(self.names, 'kept')
        self.namings.append(naming)

    def write(self, at, inode, offset, data):
        if data:
            inode.operations.append(Write(at, inode, offset, data))

    def size(self, inode):
        size = len(inode.first)
        for operation in inode.operations:
            size = operation.size if isinstance(operation, Cut) else max(size, operation.offset + len(operation.data))
        return size

    def sync(self, inode, start, end):
        if self.ignored and inode is not None and self.ignored(self, inode):
            return
        self.syncs.append(end)
        for one in [inode] if inode is not None else list(self.all_inodes()):
            for operation in one.operations:
                if operation.at < start:
                    operation.durable = min(operation.durable, end)
        self.sync_names(inode, start, end)

    def all_inodes(self):
        return {naming.inode for naming in self.namings} | set(self.first_names.values())


class Ordered(Recording):
    def sync_names(self, inode, start, end):
        mine = [i for i, one in enumerate(self.namings) if one.at < start and (inode is None or inode is one.inode or inode in one.directories())]
        for naming in self.namings[:mine[-1] + 1] if mine else ():
            naming.durable = min(naming.durable, end)

    def choices(self, at):
        floating = [one for one in self.namings if one.at <= at < one.durable]
        return [[('kept',) * count + ('lost',) * (len(floating) - count) for count in range(len(floating), -1, -1)]], floating

    def options_of(self, choice, _):
        return choice[0]


class Loose(Recording):
    def sync_names(self, inode, start, end):
        for naming in self.namings:
            if naming.at >= start or (inode is not None and inode not in naming.directories()):
                continue
            naming.durable = min(naming.durable, end)
            if inode is None or (naming.remove and naming.remove[0] is inode):
                naming.removal_durable = min(naming.removal_durable, end)

    def choices(self, at):
        floating, options = [], []
        for naming in self.namings:
            if naming.at > at:
                continue
            is_rename = naming.add and naming.remove
            if naming.durable > at:
                options.append(['kept', 'added', 'lost'] if is_rename else ['kept', 'lost'])
            elif is_rename and naming.removal_durable > at:
                options.append(['kept', 'added'])
            else:
                continue
            floating.append(naming)
        return options, floating

    def options_of(self, choice, count):
        return choice[:count]


MODELS = {'ordered': Ordered, 'loose': Loose}


def picks(options, most, chance):
    """All combinations, or where there are more than `most` of them: all first, all last, each alone, and others by chance."""
    total = 1
    for one in options:
        total *= len(one)
    if total <= most:
        yield from itertools.product(*options)
        return
    first, last = [one[0] for one in options], [one[-1] for one in options]
    corners = [tuple(first), tuple(last)]
    for i in range(len(options)):
        corners += [tuple(first[:i] + last[i:i + 1] + first[i + 1:]), tuple(last[:i] + first[i:i + 1] + last[i + 1:])]
    if len(corners) > most:
        corners = corners[:2] + chance.sample(corners[2:], max(0, most - 2))
    yield from corners
    for _ in range(most - len(corners)):
        yield tuple(chance.choice(one) for one in options)


def states(recording, at, most, chance):
    """What a power cut after line `at` of the trace may leave, each as path -> octets (None: a folder)."""
    naming_options, floating_names = recording.choices(at)
    floating = {one: index for index, one in enumerate(floating_names)}
    writes = []
    for inode in recording.all_inodes():
        if not inode.is_special:
            writes += [one for one in inode.operations if one.at <= at < one.durable]
    options = naming_options + [one.options(len(one.inode.first) + size_before(one)) for one in writes]
    for choice in picks(options, most, chance):
        name_choice = recording.options_of(choice, len(floating_names))
        write_choice = dict(zip(writes, choice[len(naming_options):]))
        names = dict(recording.first_names)
        for naming in recording.namings:
            if naming.at <= at:
                naming.apply(names, name_choice[floating[naming]] if naming in floating else 'kept')
        yield tree(recording.top, names, lambda inode: content_of(inode, at, write_choice, chance))


def size_before(write):
    size = 0
    for one in write.inode.operations:
        if one is write:
            return size
        size = one.size if isinstance(one, Cut) else max(size, one.offset + len(one.data))
    return size


def content_of(inode, at, choice, chance):
    content = bytearray(inode.first)
    for operation in inode.operations:
        if operation.at <= at:
            operation.apply(content, choice.get(operation, 'kept'), chance)
    return bytes(content)


def tree(top, names, content):
    below = {}
    for (directory, name), inode in names.items():
        below.setdefault(directory, []).append((name, inode))
    files = {}

    def walk(directory, path):
        for name, inode in below.get(directory, ()):
            full = os.path.join(path, name)
            if inode.is_directory:
                files[full] = None
                walk(inode, full)
            elif not inode.is_special:
                files[full] = content(inode)
    walk(top, b'')
    return files
