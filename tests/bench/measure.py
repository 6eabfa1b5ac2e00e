"""What a run cost: the machine's CPU time, the load generator's share of it, and the writes and flushes of a disk."""
import glob
import os
import resource
import time


def _machine():
    with open('/proc/stat') as stat:
        for line in stat:
            words = line.split()
            if words[0] == 'cpu':
                # user nice system irq softirq steal; idle and iowait are not work
                return sum(map(int, words[1:4] + words[6:8])) / os.sysconf('SC_CLK_TCK')
    raise SystemExit('/proc/stat has no cpu line')


def _disk(path):
    device = os.stat(path).st_dev
    wanted = (os.major(device), os.minor(device))
    with open('/proc/diskstats') as stats:
        for line in stats:
            words = line.split()
            if (int(words[0]), int(words[1])) == wanted:
                return int(words[7]), int(words[18]) if len(words) > 18 else 0
    return 0, 0


def _children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def own_seconds(pids):
    """CPU time of all threads of these processes: what others do on the machine is not in it, but for the caches they empty."""
    total = 0
    for pid in pids:
        for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
            try:
                with open(path) as stat:
                    total += int(stat.read().split()[0])
            except OSError:
                pass  # it has ended
    return total / 1e9


class Meter:
    """From start() to stop(): seconds, messages a second, CPU milliseconds a message of everything that is not a
    process which this one started and reaped meanwhile (smtp-source, smtp-sink). Kernel threads count as the server's:
    they write what it asked for."""

    def __init__(self, path):
        self.path = path

    def start(self):
        self.at, self.machine, self.children, self.disk = time.monotonic(), _machine(), _children(), _disk(self.path)
        return self

    def stop(self, messages, seconds=None):
        elapsed = seconds or time.monotonic() - self.at
        busy = _machine() - self.machine
        generator = _children() - self.children
        writes, flushes = _disk(self.path)
        return {
            'per_s': messages / elapsed,
            'cpu_ms': 1000 * max(busy - generator, 0) / messages,
            'generator_ms': 1000 * generator / messages,
            'busy': busy / (elapsed * os.cpu_count()),
            'flushes': (flushes - self.disk[1]) / messages,
            'writes': (writes - self.disk[0]) / messages,
        }


def proportional_memory_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open(f'/proc/{pid}/smaps_rollup') as rollup:
                total += sum(int(line.split()[1]) for line in rollup if line.startswith('Pss:'))
        except OSError:
            pass
    return total


def descendants(pid):
    found = [pid]
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as children:
            for child in children.read().split():
                found += descendants(int(child))
    except OSError:
        pass
    return found
