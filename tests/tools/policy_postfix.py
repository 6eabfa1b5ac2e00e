#!/usr/bin/env python3
"""policy_postfix.py start|stop FOLDER PORT [POLICY [PARAMETER...]]: a private Postfix that holds all mail and asks POLICY at RCPT, such
as "unix:private/policy" (spawn(8) runs FOLDER/policy) or "unix:/path/of/a/socket", and in the restrictions that are named."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'bench'))
import servers


class Asking(servers.Postfix):
    policy = ''
    also = ()

    def _main_cf(self):
        ask = f'check_policy_service {{ {self.policy}, timeout=10s, default_action=WARN }}'
        return super()._main_cf().replace('static:hold', f'{ask}, static:hold') + ''.join(f'{name} = {ask}\n' for name in self.also)

    def _master_cf(self):
        return super()._master_cf() + f'policy unix - n n - 0 spawn user=nobody argv={self.folder}/policy\n'


def main():
    action, folder, port = sys.argv[1:4]
    server = Asking(folder, int(port), 'hold')
    if action == 'stop':
        return server.stop()
    server.policy, server.also = sys.argv[4], sys.argv[5:]
    server.start()
    servers.wait_for_greeting(int(port))


main()
