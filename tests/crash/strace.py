"""What programs did to files, as strace(1) saw it.

All of our programs are linked static, so LD_PRELOAD does not see their calls; strace does, with all octets that they wrote
(-s, -xx) and the paths of descriptors (-y). Copies inside the kernel are refused (sendfile fails with EINVAL), so that the
programs fall back to write(2) and the octets are seen."""
import re

CALLS = ('open openat creat write pwrite64 writev pwritev pwritev2 ftruncate truncate fallocate rename renameat renameat2 link '
         'linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir mknod mknodat fsync fdatasync sync syncfs lseek mmap sendfile '
         'copy_file_range splice sendmsg sendto clone clone3').split()
REFUSED = 'sendfile,copy_file_range,splice'


def command(output, *program):
    return ['strace', '-f', '-qq', '-y', '-xx', '-s', '100000000', '--seccomp-bpf', '-o', output, '-e', 'trace=' + ','.join(CALLS),
            '-e', f'inject={REFUSED}:error=EINVAL', *program]


class Call:
    """One call. `start` and `end` are line numbers of the trace: of other calls one knows the order when they do not overlap."""

    def __init__(self, thread, name, start, end, text, result):
        self.thread, self.name, self.start, self.end, self.text, self.result = thread, name, start, end, text, result

    # Paths of the descriptors among the arguments, and the numbers themselves.
    def descriptors(self):
        return [(number, octets(path)) for number, path in re.findall(r'(AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>', self.text)]

    def strings(self):
        if '"...' in self.text:
            raise ValueError(f'{self.name}: strace has cut a string')
        return [octets(text) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', self.text)]

    # Words of the form A_B|C_D in the arguments, such as flags of open.
    def flags(self):
        return set(re.findall(r'\b[A-Z]+_[A-Z_0-9]+\b', re.sub(r'<[^>]*>|"[^"]*"', '', self.text)))

    # The last number of the arguments: an offset, a length.
    def last_number(self):
        return int(re.findall(r'-?\d+', re.sub(r'<[^>]*>|"[^"]*"', '', self.text))[-1])


def octets(hexadecimal):
    return bytes.fromhex(hexadecimal.replace('\\x', ''))


LINE = re.compile(r'^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$')
END = re.compile(r'^(.*)\)\s+= (-?\d+|\?)(.*)$')


def read(path):
    """The calls that succeeded, in the order of their ends."""
    begun, calls = {}, []
    with open(path, encoding='ascii', errors='replace') as lines:
        for number, line in enumerate(lines, 1):
            match = LINE.match(line.rstrip('\n'))
            if not match:
                continue  # signals, ends of processes
            thread, resumed, rest, name, text = match.groups()
            start = number
            if resumed:
                name, start, text = begun.pop(thread)
                text += rest
            elif text.endswith('<unfinished ...>'):
                begun[thread] = (name, start, text[:-len('<unfinished ...>')])
                continue
            end = END.match(text)
            if not end:
                raise ValueError(f'{path}:{number}: not understood: {line[:200]}')
            if end[2] != '?' and int(end[2]) >= 0:
                calls.append(Call(thread, name, start, number, end[1], int(end[2])))
                calls[-1].returned = end[3]
    return calls


def processes(calls):
    """thread -> process, which is what descriptors belong to."""
    of = {}
    for call in calls:
        if call.name in ('clone', 'clone3') and 'CLONE_THREAD' in call.text:
            of[str(call.result)] = call.thread

    def process(thread):
        while thread in of:
            thread = of[thread]
        return thread
    return process
