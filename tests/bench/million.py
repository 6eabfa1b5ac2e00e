"""A spool of a million deferred messages: what new mail and whoever looks at the spool feel of it."""
import glob
import os
import signal
import smtplib
import statistics
import subprocess
import time

import measure
from servers import DOMAIN, TOP, Vsmtp, wait_for_greeting

COUNT = int(os.environ.get('MILLION', 1_000_000))


class Laden(Vsmtp):
    """A server whose spool has `laden` deferred messages when it starts."""
    name = 'vSMTP'

    def __init__(self, *arguments, laden=0, **options):
        super().__init__(*arguments, **options)
        self.laden = laden

    def make_spool(self):
        super().make_spool()
        if self.laden:
            began = time.monotonic()
            subprocess.run([f'{TOP}/build/tests/fill_spool', '--count', str(self.laden), self.folder + '/spool'], check=True)
            os.sync()
            print(f'{self.laden:,} messages made in {time.monotonic() - began:.0f} s', flush=True)

    def process(self, program):
        return next(p for p in self.running if p.args[0].endswith('/' + program))

    def start_again(self, program):
        old = self.process(program)
        old.send_signal(signal.SIGTERM)
        old.wait(60)
        self.running.remove(old)
        began = time.monotonic()
        self._run(program)
        return began

    def qctl(self, *words):
        return ' '.join([f'{TOP}/bin/qctl', '--spool', self.folder + '/spool', *words])


def forget_caches():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as caches:
        caches.write('3')


def seconds_of(command):
    began = time.monotonic()
    subprocess.run(['bash', '-c', command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def first_delivery(server, port, began):
    """A new message after the start of queue-run: seconds from there until it lies in its Maildir."""
    box = f'{server.maildirs()}/b07/new/*'
    known = set(glob.glob(box))
    with smtplib.SMTP('127.0.0.1', port, timeout=20) as client:
        client.sendmail('s@sender.invalid', [f'7u@{DOMAIN}'], b'Subject: fresh\r\n\r\nhello\r\n')
    while set(glob.glob(box)) == known:
        if time.monotonic() > began + 120:
            raise SystemExit('a new message is not delivered')
        time.sleep(0.002)
    return time.monotonic() - began


def wait_until_read(server):
    """Until queue-run knows all of them: then it answers for them."""
    began = time.monotonic()
    while b'next attempt' not in subprocess.run(['bash', '-c', server.qctl('status', 'deferred')], check=True, stdout=subprocess.PIPE).stdout:
        if time.monotonic() > began + 300:
            raise SystemExit('queue-run does not know them all')
        time.sleep(0.2)
    return time.monotonic() - began


def memory_of(server):
    return measure.proportional_memory_kb([server.process('queue-run').pid])


# What is asked, the words, whether all messages are read for it.
LOOKS = (('`qctl`', ['status'], False), ('`qctl list`, first 50 lines', ['list', 'deferred', '|', 'head', '-n', '50'], False),
         ('`qctl list --domain d7.invalid`', ['list', '--domain', 'd7.invalid'], True),
         ('`qctl list --sender ... --older 2d`', ['list', '--sender', 'sender7@from.invalid', '--older', '2d'], True),
         ('`qctl status --by domain`', ['status', '--by', 'domain'], True))


def restart_rows(server, port, how):
    if how == 'cold':
        forget_caches()
    seconds = first_delivery(server, port, server.start_again('queue-run'))
    known = wait_until_read(server)
    return f'| new mail is in its Maildir after a restart of queue-run, {how} caches | **{seconds:.2f} s** |\n| all of deferred/ is known again after that | {known:.1f} s |\n'


def table_of(make_server, relay_rate, port, runs):
    """`make_server(mode, laden)` gives one that runs; `relay_rate(laden)` is the throughput of new mail."""
    table = f'| with {COUNT:,} deferred messages | |\n|---|---|\n'
    empty = make_server('local', 0)
    time.sleep(1)
    base_kb = memory_of(empty)
    empty.stop()
    server = make_server('local', COUNT)
    try:
        table += restart_rows(server, port, 'warm') + restart_rows(server, port, 'cold')
        table += f'| memory of queue-run, above that with an empty spool | **{(memory_of(server) - base_kb) * 1024 / COUNT:.0f} octets a message** |\n'
        for name, words, reads_all in LOOKS:
            seconds_of(server.qctl(*words))  # warm
            row = f'| {name} | **{statistics.median(seconds_of(server.qctl(*words)) for _ in range(runs)):.2f} s**'
            if not reads_all:  # else it is the disk that is measured
                forget_caches()
                row += f', with cold caches {seconds_of(server.qctl(*words)):.2f} s'
            table += row + ' |\n'
            print(row, flush=True)
    finally:
        server.stop()
    rounds = [(relay_rate(0), relay_rate(COUNT)) for _ in range(runs)]
    share = statistics.median(laden / bare for bare, laden in rounds)
    rates = [f'{statistics.median(rate):,.0f}' for rate in zip(*rounds)]
    return table + f'| new mail relayed, 4 KB: {rates[1]}/s, with an empty spool {rates[0]}/s | **{100 * share:.0f} %** |\n'
