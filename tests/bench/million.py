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


def make_laden(place):
    """The spool, as a queue-run leaves it that has tried them all."""
    began = time.monotonic()
    subprocess.run([f'{TOP}/build/tests/fill_spool', '--catalog', '--count', str(COUNT), place], check=True)
    os.sync()
    print(f'{COUNT:,} messages made in {time.monotonic() - began:.0f} s', flush=True)


class Laden(Vsmtp):
    """A server whose spool is `laden`, which is a folder, while it lives; "": its own."""
    name = 'vSMTP'

    def __init__(self, *arguments, laden='', **options):
        super().__init__(*arguments, **options)
        self.laden = laden

    def make_spool(self):
        if self.laden:
            os.rename(self.laden, self.folder + '/spool')
        else:
            super().make_spool()

    def stop(self):
        super().stop()
        if self.laden and not os.path.exists(self.laden):
            os.rename(self.folder + '/spool', self.laden)

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
    """Until queue-run knows all of them, and its catalog tells of them: then qctl need not read them."""
    began = time.monotonic()
    ask = [f'{TOP}/build/tests/call', '--timeout', '10s', '--', f'unix:{server.folder}/spool/queue-run.sock', 'uncataloged']
    while not subprocess.run(ask, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.startswith(b'taken'):
        if time.monotonic() > began + 300:
            raise SystemExit('queue-run does not know them all')
        time.sleep(0.2)
    return time.monotonic() - began


def memory_of(server):
    return measure.proportional_memory_kb([server.process('queue-run').pid])


# What is asked, and the words.
LOOKS = (('`qctl`', ['status']), ('`qctl list`, first 50 lines', ['list', 'deferred', '|', 'head', '-n', '50']),
         ('`qctl list deferred --domain d7.invalid --older 2h`', ['list', 'deferred', '--domain', 'd7.invalid', '--older', '2h']),
         ('`qctl list --sender ... --older 2d`, 5,000 lines', ['list', '--sender', 'sender7@from.invalid', '--older', '2d']),
         ('`qctl status --by domain`', ['status', '--by', 'domain']))
TENTH = '--domain d0.invalid'  # of all messages
BULK = (('`qctl hold`, dry run', ['hold', '--dry-run', TENTH]), ('`qctl hold`', ['hold', TENTH]),
        ('`qctl retry --domain`', ['retry', '--domain', 'd1.invalid']), ('`qctl remove`', ['remove', '--yes', TENTH]))


def look_rows(server, runs, where):
    rows = ''
    for name, words in LOOKS:
        seconds_of(server.qctl(*words))  # warm
        row = f'| {name}{where} | **{statistics.median(seconds_of(server.qctl(*words)) for _ in range(runs)):.2f} s**'
        forget_caches()
        row += f', with cold caches **{seconds_of(server.qctl(*words)):.2f} s** |\n'
        print(row, end='', flush=True)
        rows += row
    return rows


def bulk_rows(server):
    rows = ''
    for name, words in BULK:
        row = f'| {name} of {COUNT // (1000 if "retry" in name else 10):,} messages beside a queue-run | **{seconds_of(server.qctl(*words)):.1f} s** |\n'
        print(row, end='', flush=True)
        rows += row
        if words[0] == 'hold' and '--dry-run' not in words:  # back, by hand: qctl would have them tried at once
            for name in os.listdir(server.folder + '/spool/hold'):
                os.rename(f'{server.folder}/spool/hold/{name}', f'{server.folder}/spool/deferred/{name}')
            wait_until_read(server)
    return rows


def restart_rows(server, port, how):
    if how == 'cold':
        forget_caches()
    seconds = first_delivery(server, port, server.start_again('queue-run'))
    known = wait_until_read(server)
    return f'| new mail is in its Maildir after a restart of queue-run, {how} caches | **{seconds:.2f} s** |\n| all of deferred/ is known again after that | {known:.1f} s |\n'


def table_of(make_server, relay_rate, port, laden, runs):
    """`make_server(mode, laden)` gives one that runs; `relay_rate(laden)` is the throughput of new mail."""
    table = f'| with {COUNT:,} deferred messages | |\n|---|---|\n'
    empty = make_server('local', '')
    time.sleep(1)
    base_kb = memory_of(empty)
    empty.stop()
    make_laden(laden)
    server = make_server('local', laden)
    try:
        table += restart_rows(server, port, 'warm') + restart_rows(server, port, 'cold')
        table += f'| memory of queue-run, above that with an empty spool | **{(memory_of(server) - base_kb) * 1024 / COUNT:.0f} octets a message** |\n'
        table += look_rows(server, runs, '')
        old = server.process('queue-run')
        old.send_signal(signal.SIGTERM)
        old.wait(60)
        server.running.remove(old)
        table += look_rows(server, runs, ', no queue-run')
    finally:
        server.stop()
    rounds = [(relay_rate(''), relay_rate(laden)) for _ in range(runs)]
    share = statistics.median(full / bare for bare, full in rounds)
    rates = [f'{statistics.median(rate):,.0f}' for rate in zip(*rounds)]
    print(f'relayed: {rates}', flush=True)
    table += f'| new mail relayed, 4 KB: {rates[1]}/s, with an empty spool {rates[0]}/s | **{100 * share:.0f} %** |\n'
    server = make_server('local', laden)
    try:
        wait_until_read(server)
        return table + bulk_rows(server)
    finally:
        server.stop()
