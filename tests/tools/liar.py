#!/usr/bin/python3
"""liar.py [--unix PATH | --address IP] PORT ACTION... [next ACTION...]...: a server that says what it is told to, to try clients.

The first connection gets the actions up to the first `next`, the second those up to the second, the last ones serve all
further connections. What the client says is printed, a line each, behind the number of its connection.
  say TEXT        TEXT and CRLF; several lines separated by |
  raw TEXT        TEXT as it is; escapes as in Python
  hear [WORD]     one line, which must begin with WORD
  listen          every line until the client closes
  message FILE    all up to the final dot, undone and appended to FILE
  read OCTETS     so many octets
  loop            hear commands and answer 250 (354 to DATA, 221 to QUIT) until the client closes
  wait SECONDS | drip TEXT SECONDS (an octet each) | flood COUNT TEXT | close | reset
"""
import socket
import struct
import sys
import threading
import time

print_lock = threading.Lock()


def log(number, text):
    with print_lock:
        print(f'{number} {text}', flush=True)


class Ended(Exception):
    pass


class Session:
    def __init__(self, number, connection):
        self.number, self.connection = number, connection
        self.lines = connection.makefile('rb')

    def line(self):
        line = self.lines.readline()
        if not line.endswith(b'\n'):
            log(self.number, 'END')
            raise Ended
        text = line.rstrip(b'\r\n').decode('utf-8', 'replace')
        log(self.number, text)
        return text

    def say(self, text):
        self.connection.sendall(b''.join(part.encode() + b'\r\n' for part in text.split('|')))

    def raw(self, text):
        self.connection.sendall(text.encode('latin-1').decode('unicode_escape').encode('latin-1'))

    def hear(self, word=''):
        line = self.line()
        if not line.startswith(word):
            log(self.number, f'EXPECTED {word}')
            raise Ended

    def listen(self):
        while True:
            self.line()

    def message(self, name):
        with open(name, 'ab') as file:
            while True:
                line = self.lines.readline()
                if not line.endswith(b'\n'):
                    log(self.number, 'END IN MESSAGE')
                    raise Ended
                if line == b'.\r\n':
                    return
                file.write(line[1:] if line.startswith(b'.') else line)

    def read(self, octets):
        self.lines.read(int(octets))

    def loop(self):
        while True:
            word = self.line().split(' ')[0].upper()
            if word == 'DATA':
                self.say('354 go')
                self.message('loop.eml')
                self.say('250 2.0.0 taken')
            elif word == 'QUIT':
                self.say('221 bye')
            else:
                self.say('250 ok')

    def wait(self, seconds):
        time.sleep(float(seconds))

    def drip(self, text, seconds):
        for c in text:
            self.connection.sendall(c.encode())
            time.sleep(float(seconds))

    def flood(self, count, text):
        for _ in range(int(count)):
            self.connection.sendall(text.encode() + b'\r\n')

    def close(self):
        raise Ended

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Ended

    def run(self, actions):
        try:
            for action in actions:
                verb, *rest = action.split(' ', 1)
                arguments = rest[0].rsplit(' ', 1) if verb == 'drip' else rest[0].split(' ', 1) if verb == 'flood' else rest
                getattr(self, verb)(*arguments)
        except (Ended, OSError):
            pass
        self.lines.close()
        self.connection.close()


def main():
    arguments = sys.argv[1:]
    address = '127.0.0.1'
    path = None
    while arguments[0].startswith('--'):
        option, value = arguments[0:2]
        arguments = arguments[2:]
        if option == '--unix':
            path = value
        else:
            address = value
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
    else:
        listener = socket.create_server((address, int(arguments.pop(0))))
    scripts = [[]]
    for action in arguments:
        if action == 'next':
            scripts.append([])
        else:
            scripts[-1].append(action)
    number = 0
    while True:
        connection, peer = listener.accept()
        number += 1
        log(number, 'CONNECTED' if path else f'CONNECTED {peer[0]}')
        script = scripts[min(number, len(scripts)) - 1]
        threading.Thread(target=Session(number, connection).run, args=(script,), daemon=True).start()


main()
