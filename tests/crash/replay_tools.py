"""What `replay` and `faults` share: the letters, the programs' settings, the restart."""
import os
import random
import subprocess

import promises

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TRANSPORT = HERE + '/transport'
SCENARIOS = {'files': 7, 'log': 20}  # number of letters
WHO = ['a@d.test'], ['a@d.test', 'b@d.test'], ['b@d.test', 'c@later.test'], ['a@d.test', 'd@fails.test'], ['e@fails.test', 'c@later.test', 'b@d.test']


def letter(number, recipients):
    chance = random.Random(number)
    lines = b''.join(b'%064x\r\n' % chance.getrandbits(256) for _ in range(200 if number == 9 else chance.choice((1, 5, 20, 60))))
    text = b'From: s@d.test\r\nSubject: crash\r\nX-Crash: %d\r\n\r\n' % number + lines
    return promises.Letter(number, text, recipients)


def letters(scenario):
    return {number: letter(number, WHO[number % len(WHO)]) for number in range(SCENARIOS[scenario])}


def environment(root):
    settings = ['--local-domains', 'd.test', '--remote-transport', TRANSPORT, '--retry-min', '1h', '--log-level', 'error']
    return dict(os.environ, PATH=f'{TOP}/bin:{TOP}/build/tests:' + os.environ['PATH'], SPOOL=root + '/spool', MAIL=root + '/mail',
                SETTINGS=' '.join(settings), TRANSPORT=TRANSPORT, LATER_IS_NOW='')


def prepare(root):
    os.makedirs(root + '/mail')
    subprocess.run([TOP + '/bin/queue-inject', '--spool', root + '/spool', '--make-spool'], check=True)


def write_letters(folder, made):
    os.makedirs(folder + '/letters')
    for number, letter in made.items():
        with open(f'{folder}/letters/{number}', 'wb') as file:
            file.write(letter.text)
        with open(f'{folder}/letters/{number}.envelope', 'w') as file:
            file.write('Fs@d.test\0' + ''.join(f'T{one}\0' for one in letter.recipients) + '\0')
        with open(f'{folder}/letters/{number}.options', 'w') as file:
            file.write('--from s@d.test ' + ' '.join(f'--to {one}' for one in letter.recipients))
    return made


def restart(root):
    """What a machine does that comes up again, until nothing is left to do."""
    command = [TOP + '/bin/queue-run', '--spool', root + '/spool', *environment(root)['SETTINGS'].split(), '--local-transport', TRANSPORT, '--drain', '--now']
    return subprocess.run(command, env=dict(environment(root), LATER_IS_NOW='yes'), timeout=120, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def read_tree(root):
    files = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        for name in folders:
            files[os.path.relpath(os.path.join(folder, name), os.fsencode(root))] = None
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, 'rb') as file:
                    files[os.path.relpath(path, os.fsencode(root))] = file.read()
    return files


def write_tree(root, files):
    os.makedirs(root)
    for path in sorted(files):
        full = os.path.join(os.fsencode(root), path)
        if files[path] is None:
            os.mkdir(full)
        else:
            with open(full, 'wb') as file:
                file.write(files[path])
