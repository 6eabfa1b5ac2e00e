#!/usr/bin/env python3
"""content_filter.py PORT RECEIVER FOLDER

A content filter for tests of delegation: takes messages by SMTP on PORT of 127.0.0.1 and gives them back on port RECEIVER. What it does
with each says the file FOLDER/mode at that time:
  proxy (or no file)  gives it back while the sender waits, and answers as the receiver did
  keep                takes it, and gives nothing back
  busy, refuse        451 or 550 behind the data
  late                gives it back before it answers, and the sender waits for FOLDER/go
Each message that it sees is in FOLDER/N.msg, as it came, and its envelope in N.env. Those for somebody whose name has EICAR in it come back as infected."""
import pathlib
import smtplib
import socketserver
import sys
import threading
import time


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        self.say('220 filter')
        sender, recipients = '', []
        for line in self.rfile:
            words = line.decode(errors='replace').strip()
            verb = words[:4].upper()
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
                self.say(self.server.take(sender, recipients, octets))
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 ok')


class Filter(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self, port, receiver, folder):
        super().__init__(('127.0.0.1', port), Session)
        self.receiver, self.folder, self.lock, self.count = receiver, folder, threading.Lock(), 0

    def take(self, sender, recipients, octets):
        with self.lock:
            self.count += 1
            number = self.count
        (self.folder / f'{number}.env').write_text('\n'.join([sender, *recipients]) + '\n')
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
            with smtplib.SMTP('127.0.0.1', self.receiver, timeout=20) as client:
                client.sendmail(sender, recipients, extra + octets)
            return '250 2.0.0 passed on'
        except smtplib.SMTPResponseException as error:
            return f'{error.smtp_code} {error.smtp_error.decode()}'
        except OSError as error:
            return f'451 4.3.0 {error}'


Filter(int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])).serve_forever()
