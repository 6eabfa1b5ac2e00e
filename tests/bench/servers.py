"""The servers that are measured: a private Postfix (Debian's package) and ours, each on a loopback port and in a folder of its own.

A server has start(), stop(), pids(), and in mode 'local' maildirs(). Modes: hold (accept and keep), local (deliver to
Maildirs below maildirs()), relay (everything to a sink on port + 1), filter (the same
behind a content filter on port + 2, which gives it back on port + 3), fan-out (each of FAR_DOMAINS to a host of its own, on port + 1)."""
import os
import shutil
import signal
import socket
import subprocess
import time

import measure

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = 'bench.invalid'
FAR_DOMAINS = {f'd{i}.{DOMAIN}': f'127.0.1.{i}' for i in range(1, 101)}


def wait_for_greeting(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(('127.0.0.1', port), 2) as connection:
                connection.settimeout(5)
                if connection.recv(512).startswith(b'220'):
                    connection.sendall(b'QUIT\r\n')
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f'no greeting on port {port}')


def require_free(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
    except OSError:
        return
    raise SystemExit(f'port {port} is taken')


class Postfix:
    name = 'Postfix'

    def __init__(self, folder, port, mode, processes=None, certificate=None):
        self.folder, self.port, self.mode, self.processes, self.certificate = folder, port, mode, processes, certificate
        self.etc, self.spool = folder + '/etc', folder + '/spool'

    def maildirs(self):
        return self.folder + '/mail'

    def _main_cf(self):
        settings = {
            'compatibility_level': '3.6', 'queue_directory': self.spool, 'data_directory': self.folder + '/data',
            'command_directory': '/usr/sbin', 'daemon_directory': '/usr/lib/postfix/sbin', 'mail_owner': 'postfix',
            'setgid_group': 'postdrop', 'myhostname': DOMAIN, 'mydomain': DOMAIN, 'mydestination': '', 'alias_maps': '',
            'local_recipient_maps': '', 'inet_interfaces': '127.0.0.1', 'inet_protocols': 'ipv4', 'mynetworks': '127.0.0.0/8',
            'disable_dns_lookups': 'yes', 'smtp_dns_support_level': 'disabled', 'smtp_host_lookup': 'native',
            'message_size_limit': '20480000', 'smtpd_peername_lookup': 'no', 'smtpd_client_connection_count_limit': '0',
            'maillog_file': self.folder + '/maillog', 'maillog_file_prefixes': self.folder,
        }
        if self.certificate:  # file of key and certificate
            settings |= {'smtpd_tls_security_level': 'may', 'smtpd_tls_chain_files': self.certificate,
                         'smtpd_tls_session_cache_database': f'btree:{self.folder}/data/smtpd_scache'}
        if self.mode == 'hold':
            settings |= {'smtpd_recipient_restrictions': 'static:hold', 'relay_domains': DOMAIN,
                         'smtpd_relay_restrictions': 'permit_mynetworks, reject_unauth_destination'}
        if self.mode == 'local':
            settings |= {'virtual_mailbox_domains': DOMAIN, 'virtual_mailbox_base': self.maildirs(),
                         'virtual_mailbox_maps': f'hash:{self.etc}/boxes', 'virtual_uid_maps': 'static:65534',
                         'virtual_gid_maps': 'static:65534', 'virtual_minimum_uid': '100'}
        if self.mode == 'filter':
            settings |= {'content_filter': f'smtp:[127.0.0.1]:{self.port + 2}'}
        if self.mode in ('relay', 'filter'):
            settings |= {'relay_domains': DOMAIN, 'relay_recipient_maps': '', 'relayhost': f'[127.0.0.1]:{self.port + 1}',
                         'relay_transport': f'relay:[127.0.0.1]:{self.port + 1}'}
        if self.mode == 'fan-out':
            settings |= {'relay_domains': f'texthash:{self.etc}/far', 'relay_recipient_maps': '', 'transport_maps': f'texthash:{self.etc}/far'}
        return ''.join(f'{name} = {value}\n' for name, value in settings.items())

    def _master_cf(self):
        source = '/etc/postfix/master.cf' if os.path.exists('/etc/postfix/master.cf') else '/usr/share/postfix/master.cf.dist'
        services = []
        with open(source) as lines:
            for line in lines:
                words = line.split()
                if line.startswith('#') or not words:
                    continue
                if words[:2] == ['smtp', 'inet']:
                    line = f'127.0.0.1:{self.port} inet n - n - {self.processes or "-"} smtpd\n'
                elif not line[0].isspace():
                    words[4] = 'n'  # no chroot: no files to copy into it
                    line = ' '.join(words) + '\n'
                services.append(line)
        if self.mode == 'filter':  # what comes back is not looked at again
            services.append(f'127.0.0.1:{self.port + 3} inet n - n - - smtpd -o content_filter= -o local_recipient_maps= -o relay_recipient_maps=\n'
                            '  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters -o smtpd_client_connection_count_limit=0\n')
        return ''.join(services)

    def start(self):
        for folder in (self.etc, self.spool, self.folder + '/data', self.maildirs()):
            os.makedirs(folder, 0o755)
        shutil.chown(self.folder + '/data', 'postfix')
        shutil.chown(self.maildirs(), 'nobody')
        far = ''.join(f'{domain} relay:[{host}]:{self.port + 1}\n' for domain, host in FAR_DOMAINS.items())
        for name, text in (('main.cf', self._main_cf()), ('master.cf', self._master_cf()), ('far', far)):
            with open(f'{self.etc}/{name}', 'w') as file:
                file.write(text)
        if self.mode == 'local':
            with open(self.etc + '/boxes', 'w') as boxes:
                boxes.write(f'u@{DOMAIN} box/\n' + ''.join(f'{i}u@{DOMAIN} b{i % 100:02d}/\n' for i in range(20_000)))
            subprocess.run(['postmap', '-c', self.etc, f'hash:{self.etc}/boxes'], check=True)
        self._postfix('start')

    def _postfix(self, verb):
        # Its daemons inherit what this one holds open, so nothing of it may be a pipe that somebody waits on.
        with open(self.folder + '/out', 'a') as out:
            subprocess.run(['postfix', '-c', self.etc, verb], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def _master(self):
        try:
            with open(self.spool + '/pid/master.pid') as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def pids(self):
        master = self._master()
        return measure.descendants(master) if master else []

    def stop(self):
        master = self._master()
        self._postfix('stop')
        while master and os.path.exists(f'/proc/{master}'):
            time.sleep(0.05)

    def accepted(self):
        return sum(len(files) for _, _, files in os.walk(self.spool + '/hold'))


class Vsmtp:
    """Every program resident: smtpd -> [filters] -> queue-inject, and queue-run with its deliver programs where the mode needs it."""
    name = 'vSMTP'

    def __init__(self, folder, port, mode, chain=None, rules=None, certificate=None, places=15000, shield='', relay_clients=None):
        self.folder, self.port, self.mode, self.rules, self.certificate = folder, port, mode, rules, certificate
        self.places, self.shield, self.relay_clients = places, shield, relay_clients
        self.chain = chain  # words in front of queue-inject; None: none
        self.running = []

    def maildirs(self):
        return self.folder + '/mail'

    def _socket(self, name):
        return f'{self.folder}/{name}.sock'

    def _run(self, program, *arguments, socket_name=None):
        command = [f'{TOP}/bin/{program}', '--config', self.folder + '/vsmtp.ini', *arguments]
        if socket_name:
            command[1:1] = ['--resident', self._socket(socket_name)]
        with open(f'{self.folder}/{program}.log', 'a') as out:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        end = time.monotonic() + 10
        while socket_name and not os.path.exists(self._socket(socket_name)):
            if time.monotonic() > end or self.running[-1].poll() is not None:
                raise SystemExit(f'{program} does not serve; see {self.folder}/{program}.log')
            time.sleep(0.02)

    def _make_boxes(self):
        """100 Maildirs, each under many names, as Postfix has them by its map."""
        for box in range(100):
            for folder in ('tmp', 'new', 'cur'):
                os.makedirs(f'{self.maildirs()}/b{box:02d}/{folder}')
        for i in range(20_000):
            os.symlink(f'b{i % 100:02d}', f'{self.maildirs()}/{i}u')

    def start(self):
        os.makedirs(self.maildirs())
        if self.mode in ('local', 'direct'):
            self._make_boxes()
        with open(self.folder + '/vsmtp.ini', 'w') as file:
            file.write(self._ini())
        self.make_spool()
        self._run('queue-inject', socket_name='queue')
        after_smtpd = [f'unix:{self._socket("queue")}']
        if self.mode in ('local', 'direct'):
            self._run('deliver-maildir', socket_name='maildir')
        if self.mode in ('relay', 'filter', 'fan-out'):
            self._run('deliver-remote', socket_name='remote')
        if self.mode == 'direct':
            after_smtpd = [f'unix:{self._socket("maildir")}', '--', *after_smtpd]
        if self.mode == 'filter':
            self._delegate()
        elif self.mode in ('local', 'relay', 'fan-out'):
            self._run('queue-run')
        policy = []
        if self.rules:
            self._run('vsl-filter', self.rules, socket_name='rules')
            policy = ['--policy', f'unix:{self._socket("rules")}']
        self._run('smtpd', *policy, '--', *(self.chain or []), *after_smtpd)

    def _delegate(self):
        """Rules that hand each message to the content filter, and the listener where it comes back."""
        with open(self.folder + '/delegate.vsl', 'w') as file:
            file.write(f'service proxy smtp = #{{ delegator: #{{ address: "127.0.0.1:{self.port + 2}" }}, receiver: "127.0.0.1:{self.port + 3}" }};\n'
                       '#{ postq: [ delegate proxy "proxy" || next() ] }\n')
        self._run('vsl-filter', self.folder + '/delegate.vsl', socket_name='postq')
        rules = f'unix:{self._socket("postq")}'
        self._run('queue-run', '--rules', rules)
        self._run('smtpd', '--listen', f'127.0.0.1:{self.port + 3}', '--', rules, '--', f'unix:{self._socket("queue")}')

    def make_spool(self):
        subprocess.run([f'{TOP}/bin/queue-inject', '--config', self.folder + '/vsmtp.ini', '--make-spool'], check=True)

    def _ini(self):
        return f'''[server]
domain = {DOMAIN}
client_count_max = {self.places}
[smtp]
listen = 127.0.0.1:{self.port}
{f"relay_clients = {self.relay_clients}" if self.relay_clients else ""}
relay_domains = {DOMAIN} .{DOMAIN}
[shield]
{self.shield}[tls]
certificate = {self.certificate or ''}
[queue]
spool = {self.folder}/spool
local_transport = unix:{self._socket("maildir")}
remote_transport = unix:{self._socket("remote")}
[delivery]
local_domains = {DOMAIN if self.mode in ('local', 'direct') else ''}
[maildir]
template = {self.maildirs()}/{{local}}
create = yes
[remote]
relay_host = [127.0.0.1]:{self.port + 1}
''' + (self._far() if self.mode == 'fan-out' else '')

    def _far(self):
        return ''.join(f'[relay "{domain}"]\nhost = [{host}]:{self.port + 1}\n' for domain, host in FAR_DOMAINS.items())

    def pids(self):
        return [pid for process in self.running for pid in measure.descendants(process.pid)]

    def stop(self):
        for process in reversed(self.running):  # smtpd first: nobody accepts what nobody would take
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []

    def accepted(self):
        listing = subprocess.run([f'{TOP}/bin/qctl', '--spool', self.folder + '/spool', 'status', '--json'],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
        return listing
