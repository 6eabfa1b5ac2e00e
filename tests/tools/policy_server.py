"""policy_server.py PORT CERTIFICATE FOLDER: an HTTPS server of MTA-STS policies. What it says to a host is FOLDER/HOST: lines of
`status N`, `type T`, `header NAME: VALUE`, `wait SECONDS`, `fill OCTETS`, then an empty line and the body. What is
posted is in FOLDER/HOST.posted then; the answer has 100 kB. Prints each request."""
import http.server
import os
import ssl
import sys
import time


class Policies(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers['Host'].split(':')[0]
        print(host, self.path, flush=True)
        with open(os.path.join(sys.argv[3], host)) as file:
            head, _, body = file.read().partition('\n\n')
        words = [line.split(' ', 1) for line in head.splitlines()]
        facts = {name: value for name, value in words}
        time.sleep(float(facts.get('wait', 0)))
        body = body.encode() + b'x' * int(facts.get('fill', 0))
        self.send_response(int(facts.get('status', 200)))
        self.send_header('Content-Type', facts.get('type', 'text/plain'))
        self.send_header('Content-Length', str(len(body)))
        for name, value in words:
            if name == 'header':
                self.send_header(*value.split(': ', 1))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # it has had enough

    def do_POST(self):
        host = self.headers['Host'].split(':')[0]
        print('POST', host, self.path, self.headers['Content-Type'], flush=True)
        with open(os.path.join(sys.argv[3], host + '.posted'), 'wb') as file:
            file.write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(201)
        self.send_header('Content-Length', '100000')
        self.end_headers()
        try:
            self.wfile.write(b'x' * 100000)
        except OSError:
            pass  # the code was enough

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Policies)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
