#!/usr/bin/env python3
"""content_filter.py PLACE RECEIVER FOLDER

A content filter for tests of delegation: takes messages by SMTP, or by LMTP if it is greeted so, on PLACE (a port of 127.0.0.1,
ADDRESS:PORT or unix:PATH) and gives them back on RECEIVER (a port of 127.0.0.1, or ADDRESS:PORT). What it does with each says the file
FOLDER/mode at that time:
  proxy (or no file)  gives it back while the sender waits, and answers as the receiver did
  keep                takes it, and gives nothing back
  busy, refuse        451 or 550 behind the data
  late                gives it back before it answers, and the sender waits for FOLDER/go
Each message that it sees is in FOLDER/N.msg, as it came, and its envelope in N.env, behind the verb of the greeting. Those for somebody
whose name has EICAR in it come back as infected."""
import pathlib
import smtplib
import socketserver
import sys
import threading
import time


def place_of(word):
    host, _, port = word.rpartition(':')
    return host or '127.0.0.1', int(port)


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        self.say('220 filter')
        greeting, sender, recipients = '', '', []
        for line in self.rfile:
            words = line.decode(errors='replace').strip()
            verb = words[:4].upper()
            if verb in ('HELO', 'EHLO', 'LHLO'):
                greeting = verb
            if verb == 'MAIL':
                sender, recipients = words.split('<', 1)[1].split('>')[0], []
            if verb == 'RCPT':
                recipients.append(words.split('<', 1)[1].split('>')[0])
            if verb == 'DATA':
                self.say('354 go on')
                octets = b''
                for part in self.rfile:
                    if part == b'.\r\n':
                        break
                    octets += part[1:] if part.startswith(b'.') else part
                answer = self.server.take(greeting, sender, recipients, octets)
                for _ in recipients if greeting == 'LHLO' else [1]:
                    self.say(answer)
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 ok')


class Taking:
    daemon_threads = True

    def set_up(self, receiver, folder):
        self.receiver, self.folder, self.lock, self.count = receiver, folder, threading.Lock(), 0

    def take(self, greeting, sender, recipients, octets):
        with self.lock:
            self.count += 1
            number = self.count
        (self.folder / f'{number}.env').write_text('\n'.join([greeting, sender, *recipients]) + '\n')
        (self.folder / f'{number}.part').write_bytes(octets)
        (self.folder / f'{number}.part').rename(self.folder / f'{number}.msg')
        mode = self.folder / 'mode'
        mode = mode.read_text().strip() if mode.exists() else 'proxy'
        if mode in ('busy', 'refuse'):
            return '451 4.3.0 busy' if mode == 'busy' else '550 5.7.1 no'
        if mode == 'keep':
            return '250 2.0.0 taken'
        answer = self.give_back(sender, recipients, octets)
        while mode == 'late' and not (self.folder / 'go').exists():
            time.sleep(0.02)
        return answer

    def give_back(self, sender, recipients, octets):
        extra = b'X-Scanned: yes\r\n' + (b'X-Virus-Infected: yes\r\n' if 'EICAR' in recipients[0] else b'')
        try:
            with smtplib.SMTP(*self.receiver, timeout=20) as client:
                client.sendmail(sender, recipients, extra + octets)
            return '250 2.0.0 passed on'
        except smtplib.SMTPResponseException as error:
            return f'{error.smtp_code} {error.smtp_error.decode()}'
        except OSError as error:
            return f'451 4.3.0 {error}'


class InetFilter(Taking, socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 100


class UnixFilter(Taking, socketserver.ThreadingUnixStreamServer):
    request_queue_size = 100


place = sys.argv[1]
server = UnixFilter(place[5:], Session) if place.startswith('unix:') else InetFilter(place_of(place), Session)
server.set_up(place_of(sys.argv[2]), pathlib.Path(sys.argv[3]))
server.serve_forever()
