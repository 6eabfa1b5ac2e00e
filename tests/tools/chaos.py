#!/usr/bin/env python3
"""chaos.py --messages N --kills K [--seed S] [--exec]: kills programs of a running server at random moments.

Starts queue-inject, deliver-maildir, deliver-remote, queue-run and smtpd (2 workers), all resident, each restarted as soon as it
dies, and one more smtpd as the next host for a part of the mail, which puts it into Maildirs. Clients send numbered messages
and note which got a 250. Meanwhile one of the programs is killed (SIGKILL) again and again. At the end, with nothing killed
any more, all that was acknowledged must lie in the Maildirs, whole. Exits 1 and says which is not.

Each message is sent again by its client until it is acknowledged, as a real client does, so a copy of one that was cut off
between the record and the 250 is no fault; a duplicate of an acknowledged sending is counted and shown."""
import argparse
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = 'chaos.example'
NEXT_DOMAIN = 'next.example'  # its mail goes to another server


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Program:
    """One supervised program. kill() ends all its processes; the supervisor's thread starts it again."""

    def __init__(self, name, command, folder):
        self.name, self.command, self.log = name, command, f'{folder}/{name}.log'
        self.stopping, self.starts, self.process = False, 0, None
        self.thread = threading.Thread(target=self.supervise, daemon=True)
        self.thread.start()

    def supervise(self):
        while not self.stopping:
            with open(self.log, 'a') as log:
                self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            self.starts += 1
            self.process.wait()
            time.sleep(0.02)

    def kill(self, signal_number=signal.SIGKILL):
        try:
            os.killpg(self.process.pid, signal_number)
        except (ProcessLookupError, AttributeError):
            pass

    def stop(self):
        self.stopping = True
        for signal_number, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            self.kill(signal_number)
            self.thread.join(seconds)
            if not self.thread.is_alive():
                return


def body_of(number, generator):
    lines = ''.join('%064x\r\n' % generator.getrandbits(256) for _ in range(generator.choice((1, 10, 60, 60, 300, 6000))))
    return f'Subject: message {number}\r\nX-Number: {number}\r\nX-Digest: {hashlib.sha256(lines.encode()).hexdigest()}\r\n\r\n{lines}'


class Client(threading.Thread):
    """Sends its share of the numbers, each until it is acknowledged."""

    def __init__(self, port, numbers, seed):
        super().__init__(daemon=True)
        self.port, self.numbers, self.random = port, numbers, random.Random(seed)
        self.acknowledged, self.unsure = [], set()
        self.connection = None

    def expect(self, code):
        reply = b''
        while not reply.endswith(b'\r\n') or reply.splitlines()[-1][3:4] == b'-':
            octets = self.connection.recv(4096)
            if not octets:
                raise OSError('closed')
            reply += octets
        if not reply.splitlines()[-1].startswith(code):
            raise OSError(reply.decode(errors='replace'))

    def command(self, line, code):
        self.connection.sendall(line.encode() + b'\r\n')
        self.expect(code)

    def send(self, number):
        if self.connection is None:
            self.connection = socket.create_connection(('127.0.0.1', self.port), 10)
            self.expect(b'220')
            self.command('EHLO client.example', b'250')
        self.command(f'MAIL FROM:<s{number}@client.example>', b'250')
        self.command(f'RCPT TO:<box{number % 7}@{NEXT_DOMAIN if number % 4 == 3 else DOMAIN}>', b'250')
        self.command('DATA', b'354')
        self.unsure.add(number)  # from here a copy may be kept although no 250 came
        self.command(body_of(number, random.Random(number)) + '.', b'250')
        self.unsure.discard(number)
        self.acknowledged.append(number)

    def run(self):
        for number in self.numbers:
            sure = True
            while True:
                try:
                    self.send(number)
                    break
                except OSError:
                    sure = sure and number not in self.unsure
                    if self.connection is not None:
                        self.connection.close()
                    self.connection = None
                    time.sleep(0.05)
            if not sure:
                self.unsure.add(number)
            if self.random.random() < 0.1:
                self.connection.close()
                self.connection = None


def delivered(mail):
    """number -> copies; and the files that are not whole."""
    copies, broken = {}, []
    for base, _, files in os.walk(mail):
        if not base.endswith('/new'):
            continue
        for file in files:
            with open(os.path.join(base, file), newline='') as message:
                head, _, body = message.read().replace('\r\n', '\n').partition('\n\n')
            fields = dict(line.split(': ', 1) for line in head.split('\n') if ': ' in line)
            if hashlib.sha256(body.replace('\n', '\r\n').encode()).hexdigest() != fields.get('X-Digest'):
                broken.append(os.path.join(base, file))
            number = int(fields.get('X-Number', -1))
            copies[number] = copies.get(number, 0) + 1
    return copies, broken


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--messages', type=int, default=1000)
    arguments.add_argument('--kills', type=int, default=50)
    arguments.add_argument('--clients', type=int, default=8)
    arguments.add_argument('--seed', type=int, default=int(time.time()))
    arguments.add_argument('--exec', action='store_true', help='queue-inject, which writes files then, and transports are exec\'d for each message, and die with who called them')
    arguments.add_argument('--limit', type=float, default=240, help='seconds until the clients are given up')
    arguments.add_argument('--keep', action='store_true', help='leave the folder')
    options = arguments.parse_args()
    print(f'seed {options.seed}', flush=True)
    chance = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix='vsmtp-chaos.')
    port, next_port, mail, spool = free_port(), free_port(), folder + '/mail', folder + '/spool'
    os.makedirs(mail)  # deliver-maildir makes no mailbox where nothing is mounted
    os.makedirs(mail + '/next')

    def transport(name, socket_name):
        return f'{TOP}/bin/{name} --config {folder}/vsmtp.ini' if options.exec else f'unix:{folder}/{socket_name}.sock'

    with open(folder + '/vsmtp.ini', 'w') as file:
        file.write(f'''[server]
domain = mx.{DOMAIN}
[smtp]
listen = 127.0.0.1:{port}
relay_domains = {NEXT_DOMAIN}
[remote]
relay_host = [127.0.0.1]:{next_port}
[queue]
spool = {spool}
segment_size = 1m
local_transport = {transport('deliver-maildir', 'maildir')}
remote_transport = {transport('deliver-remote', 'remote')}
retry_min = 1s
retry_max = 1s
destination_pause = 1s
[delivery]
local_domains = {DOMAIN}
[maildir]
template = {mail}/{{local}}
create = yes
''')
    with open(folder + '/next.ini', 'w') as file:
        file.write(f'''[server]
domain = mx.{NEXT_DOMAIN}
[smtp]
listen = 127.0.0.1:{next_port}
[delivery]
local_domains = {NEXT_DOMAIN}
[maildir]
template = {mail}/next/{{local}}
create = yes
''')
    subprocess.run([f'{TOP}/bin/queue-inject', '--spool', spool, '--make-spool'], check=True)

    def program(name, *command, config='vsmtp.ini', label=None):
        return Program(label or name, [f'{TOP}/bin/{name}', '--config', f'{folder}/{config}', *command], folder)

    queue = f'unix:{folder}/queue.sock'
    programs = [] if options.exec else [program('queue-inject', '--resident', queue[5:]),
                                        program('deliver-maildir', '--resident', f'{folder}/maildir.sock'),
                                        program('deliver-remote', '--resident', f'{folder}/remote.sock')]
    programs += [program('queue-run'),
                 program('smtpd', '--', f'{TOP}/bin/deliver-maildir', '--config', folder + '/next.ini', '--direct', config='next.ini', label='next smtpd'),
                 program('smtpd', '--workers', '2', '--', *([f'{TOP}/bin/queue-inject', '--spool', spool] if options.exec else [queue]))]
    clients = [Client(port, range(i, options.messages, options.clients), options.seed + i) for i in range(options.clients)]
    for client in clients:
        client.start()
    kills = 0
    give_up = time.monotonic() + options.limit
    while time.monotonic() < give_up and (any(client.is_alive() for client in clients) or kills < options.kills):
        time.sleep(chance.uniform(0, 0.1 if kills < options.kills else 1))
        if kills < options.kills:
            chance.choice(programs).kill()
            kills += 1
        if not any(client.is_alive() for client in clients):
            break
    for client in clients:
        client.join(max(0, give_up - time.monotonic()))

    end = time.monotonic() + 60
    wanted = set(range(options.messages))
    while time.monotonic() < end:
        copies, broken = delivered(mail)
        if wanted <= copies.keys():
            break
        time.sleep(0.5)
    time.sleep(1)
    copies, broken = delivered(mail)
    for one in reversed(programs):
        one.stop()
    acknowledged = {number for client in clients for number in client.acknowledged}
    unsure = {number for client in clients for number in client.unsure}
    missing = sorted(acknowledged - copies.keys())
    twice = sorted(number for number, count in copies.items() if count > 1 and number not in unsure)
    foreign = sorted(number for number in copies if number not in wanted)
    print(f'{len(acknowledged)} acknowledged, {kills} kills ({", ".join(f"{one.name} {one.starts - 1}" for one in programs)}), '
          f'{len(missing)} missing, {len(broken)} broken, {len(twice)} twice although acknowledged at once, {len(foreign)} foreign')
    for label, what in (('missing', missing), ('broken', broken), ('foreign', foreign)):
        if what:
            print(f'{label}: {what[:20]}')
    failed = bool(missing or broken or foreign) or len(acknowledged) != options.messages
    if failed or options.keep:
        print(f'left in {folder}')
    else:
        shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
