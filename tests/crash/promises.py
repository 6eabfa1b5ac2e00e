"""What was promised (DESIGN: the spool), asked of a mail tree after a restart has delivered all that was left.

  - of a message that was acknowledged each recipient has it, and if one failed for good its sender was told;
  - what lies in a Maildir is whole, also of messages that nobody acknowledged;
  - nobody has it twice, unless the crash fell between its delivery and the durable record of it."""
import os
import re
from collections import Counter

from filesystem import NEVER


class Letter:
    """A message of the scenario: its text as it came, and who should have it. Recipients at fails.test never take it."""

    def __init__(self, number, text, recipients):
        self.number, self.text, self.recipients = number, text, recipients

    def stored(self):
        return self.text.replace(b'\r\n', b'\n')

    def wanted(self):
        return {one if not one.endswith('@fails.test') else 'notice' for one in self.recipients}


NUMBER = re.compile(rb'^X-Crash: (\d+)\r?$', re.M)
TOLD_OF = re.compile(rb'^X-VSMTP-Queue-Id: (\w{18})\r?$', re.M)


def delivery_of(content, letters):
    """(number, recipient or 'notice') of a file in a Maildir; None: it is no whole message."""
    head = re.match(rb'Return-Path: <[^>]*>\nDelivered-To: ([^\n]*)\n', content)
    number = NUMBER.search(content)
    letter = number and letters.get(int(number[1]))
    if not head or not letter:
        return None
    if TOLD_OF.search(content):  # with the message in it that it tells of
        boundary = re.search(rb'boundary="([^"]*)"', content)
        return (letter.number, 'notice') if boundary and content.endswith(b'\n--' + boundary[1] + b'--\n') else None
    return (letter.number, head[1].decode()) if content[head.end():] == letter.stored() else None


def held(root):
    """Numbers of the messages that somebody has held."""
    numbers = set()
    for name in os.listdir(root + '/spool/hold'):
        with open(f'{root}/spool/hold/{name}', 'rb') as file:
            number = NUMBER.search(file.read())
        if number:
            numbers.add(int(number[1]))
    return numbers


def here(root, letters):
    """What is in Maildirs, and what is held still: (number, recipient) -> copies; and files that are no whole message."""
    found, broken = deliveries(root + '/mail', letters)
    for number in held(root):
        for recipient in letters[number].wanted():
            found[number, recipient] = max(found[number, recipient], 1)
    return found, broken


def deliveries(mail, letters):
    found, broken = Counter(), []
    for folder, _, names in os.walk(mail):
        for name in names if folder.endswith('/new') else ():
            with open(os.path.join(folder, name), 'rb') as file:
                content = file.read()
            delivery = delivery_of(content, letters)
            size = re.search(r',S=(\d+)', name)
            if delivery is None or (size and int(size[1]) != len(content)):
                broken.append(os.path.join(folder, name))
            else:
                found[delivery] += 1
    return found, broken


class Promises:
    def __init__(self, interpreter, letters):
        self.letters = letters
        recording = interpreter.recording
        self.numbers = {}   # id -> number of the letter; of a notice: of the one it tells of
        self.notices = set()
        texts = {inode: b''.join(one.data for one in inode.operations if hasattr(one, 'data')) for inode in recording.all_inodes()}
        for text in texts.values():
            for part in re.split(rb'(?=vsmtp-item 1\nid )', text):
                self.note_item(part)
        for text in texts.values():
            for part in re.split(rb'(?=vsmtp-item 1\nid )', text):
                self.note_notice(part)
        self.acknowledged = {self.numbers[one]: at for one, at in interpreter.acknowledged.items()}
        self.windows = self.find_windows(interpreter, texts)

    def note_item(self, part):
        head, number = re.match(rb'vsmtp-item 1\nid (\w{18})\n', part), NUMBER.search(part)
        if head and number and not TOLD_OF.search(part):
            self.numbers[head[1].decode()] = int(number[1])

    def note_notice(self, part):
        head, of = re.match(rb'vsmtp-item 1\nid (\w{18})\n', part), TOLD_OF.search(part)
        if head and of and of[1].decode() in self.numbers:
            self.numbers[head[1].decode()] = self.numbers[of[1].decode()]
            self.notices.add(head[1].decode())

    def acknowledged_at(self, at):
        return frozenset(number for number, when in self.acknowledged.items() if when <= at)

    def find_windows(self, interpreter, texts):
        """(number, recipient) -> [(delivered at, recorded at)]: between them the message may come again."""
        recording = interpreter.recording
        self.named = {}    # id -> the first time when it has a file for good
        self.filed = {}    # id -> when it was first given one
        self.paths = {}    # inode -> (its path, when that name lasts)
        for naming, path in interpreter.named:
            self.paths.setdefault(naming.inode, (path, naming.durable))
            if self.is_message_file(path):
                identity = os.path.basename(path).decode()
                self.named[identity] = min(self.named.get(identity, NEVER), naming.durable)
                self.filed[identity] = min(self.filed.get(identity, NEVER), naming.at)
        records = {}       # id -> [(line, line from which it lasts, recipient or None: all of them)]
        for naming, path in interpreter.removed:
            if self.is_message_file(path):
                records.setdefault(os.path.basename(path).decode(), []).append((naming.at, naming.durable, None))
        for inode in recording.all_inodes():
            path, name_lasts = self.paths.get(inode, (b'', 0))
            for write in inode.operations if b'/progress/' in path or path.endswith(b'.done') else ():
                for line in getattr(write, 'data', b'').split(b'\n'):
                    self.note_record(records, path, line, write.at, max(write.durable, name_lasts))
        windows = {}
        for naming, path in interpreter.named:
            if b'/new/' in path:
                text = texts[naming.inode]
                delivery = delivery_of(text, self.letters)
                lasts = [last for done, last, whose in records.get(self.identity(delivery, text), ()) if done >= naming.at and whose in (None, delivery[1])]
                windows.setdefault(delivery, []).append((naming.at, min(lasts, default=NEVER)))
        return windows

    def is_message_file(self, path):
        folder, name = path.rsplit(b'/', 2)[-2:]
        return name.decode(errors='replace') in self.numbers and folder not in (b'tmp', b'progress')

    def identity(self, delivery, text):
        if delivery[1] == 'notice':
            return re.search(rb'^Message-ID: <(\w{18})@', text, re.M)[1].decode()
        return next(identity for identity, number in self.numbers.items() if number == delivery[0] and identity not in self.notices)

    def note_record(self, records, path, line, at, lasts):
        words = line.decode(errors='replace').split(' ')
        identity = os.path.basename(path).decode(errors='replace')
        if path.endswith(b'.done'):
            identity, words = words[0], words[1:]
        else:  # it counts once the message has a file
            lasts = max(lasts, self.named.get(identity, 0))
        if identity not in self.numbers or len(words) <= 2:
            return
        if words[1] in ('sent', 'relayed', 'passed'):
            records.setdefault(identity, []).append((at, lasts, self.recipient(identity, words[2])))
        elif words[1] == 'finished' and at < self.filed.get(identity, NEVER):  # else it says that the message has a file, and no more
            records.setdefault(identity, []).append((at, lasts, None))

    def recipient(self, identity, number):
        if identity in self.notices:
            return 'notice'
        return self.letters[self.numbers[identity]].recipients[int(number) - 1]

    def judge(self, found, broken, acknowledged, at):
        """What is wrong, a line each; and copies that are explained."""
        wrong = [f'broken: {path}' for path in broken]
        for number in acknowledged:
            for recipient in self.letters[number].wanted():
                if not found[number, recipient]:
                    wrong.append(f'lost: message {number} to {recipient}')
        explained = 0
        for delivery, copies in found.items():
            if delivery[1] not in self.letters[delivery[0]].wanted():
                wrong.append(f'not asked for: {delivery}')
            if copies == 1:
                continue
            if any(delivered <= at < recorded for delivered, recorded in self.windows.get(delivery, ())):
                explained += copies - 1
            else:
                wrong.append(f'{copies} copies: message {delivery[0]} to {delivery[1]}, in no window of {self.windows.get(delivery)}')
        return wrong, explained
