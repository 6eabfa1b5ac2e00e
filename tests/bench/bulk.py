"""Bulk changes: what a postmaster does with all messages of a queue at once, by qctl and by Postfix's postsuper."""
import os
import shutil
import signal
import subprocess
import time

from servers import TOP

COUNT = int(os.environ.get('BULK', 20_000))
COPIES = COUNT // 10  # forwarded: each is a new message in the queue, synced

# What is done, qctl's words, and postsuper's; in this order. Neither server runs.
ALONE = (('hold', ['hold', '--queue', 'deferred', '--all'], ['-h', 'ALL', 'deferred']),
         ('release', ['release', '--all'], ['-H', 'ALL', 'hold']),
         ('hold again', ['hold', '--queue', 'working', '--all'], ['-h', 'ALL', 'deferred']),
         ('remove', ['remove', '--yes', '--queue', 'hold', '--all'], ['-d', 'ALL', 'hold']))
# Beside a queue-run, with the number of messages that are in deferred/ afterwards.
BESIDE = (('hold a tenth, by domain', ['hold', '--domain', 'd0.invalid'], COUNT - COUNT // 10),
          ('hold', ['hold', '--queue', 'deferred', '--all'], 0),
          ('remove', ['remove', '--yes', '--queue', 'deferred', '--all'], 0))
QUARANTINED = ('move', '--all', '--queue', 'deferred', 'quarantine/bench')
QUARANTINE = (('release', ['quarantine', 'release', '--queue', 'quarantine/bench', '--all'], COUNT),
              ('delete', ['quarantine', 'delete', '--yes', '--queue', 'quarantine/bench', '--all'], COUNT),
              ('expire', ['quarantine', 'expire', 'bench', '--older', '1s'], COUNT))


class Spool:
    def __init__(self, place, count=COUNT):
        self.path, self.count = place + '/spool', count
        subprocess.run([f'{TOP}/build/tests/fill_spool', '--catalog', '--domains', '1000', '--count', str(count), self.path], check=True)
        os.sync()

    def qctl(self, *words):
        return [f'{TOP}/bin/qctl', '--spool', self.path, *words]

    def ask(self, word):
        call = [f'{TOP}/build/tests/call', '--timeout', '10s', '--', f'unix:{self.path}/queue-run.sock', word]
        return subprocess.run(call, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout

    def bring_back(self):
        """From hold, by hand: qctl would have them tried at once."""
        later = time.time() + 86400
        for name in os.listdir(self.path + '/hold'):
            os.utime(f'{self.path}/hold/{name}', (later, later))
            os.rename(f'{self.path}/hold/{name}', f'{self.path}/deferred/{name}')

    def deferred(self):
        """What a queue-run knows of; nothing while it cannot say."""
        for line in self.ask('status').splitlines():
            if '"deferred":' in line:
                return int(line.split('"deferred":')[1].split(',')[0])


def timed(command):
    began, usage = time.monotonic(), os.times()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return time.monotonic() - began, after.children_user + after.children_system - usage.children_user - usage.children_system


def rate(seconds, count):
    return f'{count / seconds:,.0f}'


def wait_until(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f'bulk: {what}')
        time.sleep(0.02)


def alone(make_postfix, place):
    """`make_postfix(count)` gives one that has accepted so many, held, and is stopped; its messages go to deferred first."""
    postfix = make_postfix(COUNT)
    shutil.chown(postfix.folder + '/maillog', 'postfix')  # postlogd is gone, and postsuper writes there as this user
    superuser = ['postsuper', '-c', postfix.etc]
    timed([*superuser, '-H', 'ALL', 'hold'])
    spool = Spool(place())
    rows = ''
    for name, words, theirs in ALONE:
        os.sync()
        their_seconds, their_cpu = timed([*superuser, *theirs])
        durable_seconds = their_seconds + timed(['sync', '-f', postfix.spool])[0]
        os.sync()
        our_seconds, our_cpu = timed(spool.qctl(*words))
        rows += (f'| {name}, nobody delivers | {rate(their_seconds, COUNT)} | {rate(durable_seconds, COUNT)} | {rate(our_seconds, COUNT)} '
                 f'| {their_seconds / our_seconds:.1f}, **{durable_seconds / our_seconds:.1f}** '
                 f'| {1000 * their_cpu / COUNT:.3f} | {1000 * our_cpu / COUNT:.3f} | |\n')
        print(rows.splitlines()[-1], flush=True)
    return rows


def beside(place):
    spool = Spool(place())
    run = subprocess.Popen([f'{TOP}/bin/queue-run', '--spool', spool.path, '--remote-transport', '/bin/false'], stderr=subprocess.DEVNULL)
    rows = ''
    try:
        wait_until(lambda: spool.deferred() == COUNT and spool.ask('uncataloged').startswith('taken'), 'queue-run does not know them all')
        for name, words, left in BESIDE:
            spool.bring_back()
            wait_until(lambda: spool.deferred() == COUNT and 'later' not in spool.ask('uncataloged'), 'queue-run does not know what has come back')
            seconds, cpu = timed(spool.qctl(*words))
            began, count = time.monotonic(), COUNT - left
            wait_until(lambda: spool.deferred() == left, f'after {name} queue-run does not know of {left} messages')
            rows += (f'| {name}, beside a queue-run | | | {rate(seconds, count)} | | | {1000 * cpu / count:.3f} | {time.monotonic() - began:.2f} s |\n')
            print(rows.splitlines()[-1], flush=True)
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(60)
    return rows


def quarantined(place):
    rows = ''
    for name, words, count in (*QUARANTINE, ('forward', ['quarantine', 'forward', 'abuse@bench.invalid', '--queue', 'quarantine/bench', '--all'], COPIES)):
        spool = Spool(place(), count)
        timed(spool.qctl(*QUARANTINED))
        os.sync()
        seconds, cpu = timed(spool.qctl(*words))
        rows += f'| quarantine {name} of {count:,} | | | {rate(seconds, count)} | | | {1000 * cpu / count:.3f} | |\n'
        print(rows.splitlines()[-1], flush=True)
    return rows


def table_of(make_postfix, place):
    return (f'| {COUNT:,} messages | postsuper msg/s | and sync | qctl msg/s | times | postsuper CPU ms | qctl CPU ms | queue-run knows after |\n|---|---|---|---|---|---|---|---|\n'
            + alone(make_postfix, place) + beside(place) + quarantined(place)
            + '\nqctl ends when its changes are durable; postsuper syncs nothing, so that the second column has it followed by sync -f.\n')
