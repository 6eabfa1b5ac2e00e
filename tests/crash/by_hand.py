"""What people and other programs do to a spool, with calls of one of them failing (faults): another text for a message
(queue-inject --replace), messages that are held, released, moved, retried and removed (qctl), recipients from alias files
(address-map), the catalog of what is deferred (queue-run)."""
import json
import os
import subprocess

from replay_tools import WHO, letter

ALIASES = 'team: a@d.test, b@d.test\n'
FOR_GOOD = (11, 31, 115)  # of qmail-queue
OTHERS = 100  # the number of the other text of a letter, and of letters to the team


def more_letters(program):
    who = {'queue-inject': lambda number: WHO[number % len(WHO)], 'address-map': lambda number: ['a@d.test', 'b@d.test']}.get(program)
    return {OTHERS + number: letter(OTHERS + number, who(number)) for number in range(3)} if who else {}


class Acts:
    def __init__(self, run):
        self.run, self.spool = run, run.root + '/spool'
        self.ids = {}       # number of a letter -> its id
        self.gone = set()   # letters that need not be delivered any more
        self.either = []    # (letter, letter): one of them is there
        self.refused = 0
        self.wrong = []

    def all(self):
        for number in self.run.letters:
            self.store(number)
        {'queue-inject': self.replace, 'qctl': self.steer, 'address-map': self.expand, 'queue-run': self.defer}[self.run.program]()
        for number in self.ids.keys() - self.gone:
            self.run.taken[number] = True

    def call(self, words, letter=None, envelope=None):
        """Its exit code, reply and output. Who has an envelope reads it from descriptor 1."""
        letters, reply = self.run.folder + '/letters/', self.run.folder + '/reply'
        with open(f'{letters}{letter}' if letter is not None else os.devnull) as text, open(self.run.folder + '/log', 'a') as log:
            command = ['sh', '-c', 'exec "$@" 3</dev/null 6>"$0"' + (f' 1<"{letters}{envelope}.envelope"' if envelope is not None else ''), reply, *words]
            ended = subprocess.run(command, stdin=text, stdout=subprocess.PIPE, stderr=log, text=True, env=self.run.environment, timeout=30, cwd=self.run.folder)
        self.refused += ended.returncode != 0
        with open(reply) as file:
            return ended.returncode, file.read(), ended.stdout

    def store(self, number):
        folder = 'hold' if self.run.program in ('queue-inject', 'qctl') and number % 2 == 0 else 'working'
        code, reply, _ = self.call([*self.run.path_of('queue-inject'), '--spool', self.spool, '--queue', folder], number, number)
        if code != 0:
            raise RuntimeError(f'queue-inject: {code}')
        self.ids[number] = reply.split('queued as ')[1].strip('\0')

    def replace(self):
        for number in sorted(self.ids)[:3]:
            code, _, _ = self.call([*self.run.tampered('queue-inject'), '--spool', self.spool, '--replace', self.ids[number]], OTHERS + number, number)
            self.gone.add(number)
            self.either.append((OTHERS + number,) if code == 0 else (number, OTHERS + number))

    def steer(self):
        numbers = sorted(self.ids)
        one, other = self.ids[numbers[0]], self.ids[numbers[1]]
        for words, moved, folder in ((('hold', '--all'), self.ids.values(), 'hold'), (('release', '--all', '--queue', 'hold'), self.ids.values(), 'working'),
                                     (('move', one, 'deferred'), [one], 'deferred'), (('retry', '--all'), [], ''), (('hold', other), [other], 'hold')):
            code, _, _ = self.call([*self.run.tampered('qctl'), '--spool', self.spool, *words])
            if code == 0:  # said to be done
                self.wrong += [f'{words}: not in {folder}: {identity}: {self.files_of(identity)}' for identity in moved if self.files_of(identity) != [f'{self.spool}/{folder}/{identity}']]
        self.gone.add(numbers[2])
        code, _, _ = self.call([*self.run.tampered('qctl'), '--spool', self.spool, 'remove', self.ids[numbers[2]], '--yes'])
        if code == 0:
            self.wrong += [f'removed and there: {path}' for path in self.files_of(self.ids[numbers[2]])]

    def expand(self):
        with open(self.run.folder + '/aliases', 'w') as file:
            file.write(ALIASES)
        with open(self.run.folder + '/letters/team.envelope', 'w') as file:
            file.write('Fs@d.test\0Tteam@d.test\0\0')
        chain = [*self.run.tampered('address-map'), '--local-domains', 'd.test', '--files', self.run.folder + '/aliases', '--', *self.run.path_of('queue-inject'), '--spool', self.spool]
        for number in range(OTHERS, OTHERS + 3):
            code, reply, _ = self.call(chain, number, 'team')
            if code == 0:
                self.run.taken[number] = True
            elif code in FOR_GOOD or (code == 82 and 'D' in reply[:1]):
                self.wrong.append(f'refused for good: {code} {reply}')

    def defer(self):
        settings = [*self.run.environment['SETTINGS'].split(), '--local-transport', self.run.environment['TRANSPORT'], '--drain']
        self.run.end(self.run.start([*self.run.tampered('queue-run'), '--spool', self.spool, *settings]), 3)
        _, _, listed = self.call([*self.run.path_of('qctl'), '--spool', self.spool, 'list', 'deferred', '--json'])
        listed = sorted(json.loads(line)['id'] for line in listed.splitlines())
        if listed != sorted(os.listdir(self.spool + '/deferred')):
            self.wrong.append(f'the catalog is wrong: {listed}')

    def files_of(self, identity):
        """Where the message is; of a replaced one the old text and the new may both be there until the next queue-run."""
        folders = ('working', 'deliver', 'deferred', 'hold', 'dead')
        return [path for path in (f'{self.spool}/{folder}/{identity}' for folder in folders) if os.path.exists(path)]

    def judge(self, found):
        wrong = list(self.wrong)
        for some in self.either:
            there = [number for number in some if any(found[number, recipient] for recipient in self.run.known[number].wanted())]
            if len(there) != 1:
                wrong.append(f'lost: one of {some}: {there}')
        wrong += [f'twice: {self.files_of(identity)}' for identity in self.ids.values() if len(self.files_of(identity)) > 1]
        if self.run.program != 'queue-run':  # nothing failed at a delivery
            wrong += [f'{copies} copies of {delivery}' for delivery, copies in found.items() if copies > 1]
        return wrong
