#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks example/3_cluster/nats-server.conf with a real server: that it is valid, that pool and agent may do what they do, and nobody more.

    server_configuration.py FILE [PROGRAM]

PROGRAM is a pgzip that was built with twat::mp_cluster: it compresses as pool and agent of that server. Exits with 77 without nats-server or openssl.
"""
import gzip
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds
BUILD = "0123456789abcdef0123456789abcdef"
STREAM = f"TWATMP_render_{BUILD}"
OWN = f"twatmp.render.{BUILD}"

# Subjects as src/cluster/names.cpp makes them, and as JetStream's own: who may publish to them.
PUBLISH = {
    f"$JS.API.STREAM.CREATE.{STREAM}": {"pool"},
    f"$JS.API.STREAM.UPDATE.{STREAM}": {"pool"},
    f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.agents": {"pool"},
    f"$JS.API.CONSUMER.CREATE.{STREAM}.agents": {"pool"},
    f"$JS.API.STREAM.MSG.DELETE.{STREAM}": {"pool"},
    f"$JS.API.STREAM.MSG.GET.{STREAM}": {"pool"},
    f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.agents": {"agent"},
    f"$JS.ACK.{STREAM}.agents.1.1.1.1.0": {"pool", "agent"},
    f"{OWN}.task.plain": {"pool"},
    f"{OWN}.task.coroutine": {"pool"},
    f"{OWN}.agent.a1.settled.p1": {"pool"},
    f"{OWN}.pool.p1.outcome": {"agent"},
    "twatmp.render.rollcall": {"pool"},
    "twatmp.render.presence": {"agent"},
    f"$JS.API.STREAM.INFO.{STREAM}": {"watch"},
    f"$JS.API.STREAM.DELETE.{STREAM}": set(),
    f"$JS.API.STREAM.PURGE.{STREAM}": set(),
    f"$JS.API.CONSUMER.DELETE.{STREAM}.agents": set(),
    "anything": set(),
}
SUBSCRIBE = {
    f"{OWN}.pool.p1.>": {"pool"},
    f"{OWN}.agent.a1.>": {"agent"},
    "twatmp.render.presence": {"pool", "watch"},
    "twatmp.render.rollcall": {"agent"},
    "_INBOX.x.*": {"pool", "watch"},
    f"{OWN}.task.*": set(),
    ">": set(),
}
USERS = ("pool", "agent", "watch")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE, **options)


def make_certificates(folder):
    """A certificate of our own that is its own authority, for 127.0.0.1."""
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "server-key.pem", "-out", folder / "server.pem")
    assert made.returncode == 0, made.stdout
    shutil.copy(folder / "server.pem", folder / "ca.pem")


class Client:
    """A connection that speaks the protocol of NATS by itself, so that refusals are seen as the server says them."""

    def __init__(self, port, ca, user, password):
        self.plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        hello = b""
        while not hello.endswith(b"\r\n"):
            hello += self.plain.recv(1)
        assert b'"tls_required":true' in hello, hello
        context = ssl.create_default_context(cafile=str(ca))
        self.socket = context.wrap_socket(self.plain, server_hostname="localhost")
        self.lines = self.socket.makefile("rb")
        self.send(f'CONNECT {{"verbose":false,"pedantic":false,"user":"{user}","pass":"{password}","lang":"test","version":"1"}}')

    def send(self, text):
        self.socket.sendall(text.encode() + b"\r\n")

    def refusals(self):
        """What the server has refused up to now."""
        self.send("PING")
        refused = []
        while True:
            line = self.lines.readline()
            if not line or line.startswith(b"PONG"):
                return refused
            if line.startswith(b"-ERR"):
                refused.append(line.decode().strip())
                if "Authorization" in refused[-1]:
                    return refused

    def close(self):
        self.socket.close()


def check_permissions(port, ca, passwords):
    wrong = []
    for user in USERS:
        for verb, table in (("PUB", PUBLISH), ("SUB", SUBSCRIBE)):
            for subject, allowed in table.items():
                client = Client(port, ca, user, passwords[user])
                # No reply is asked for: JetStream drops what is no request of its own.
                client.send(f"PUB {subject} 0\r\n" if verb == "PUB" else f"SUB {subject} 1")
                refused = client.refusals()
                client.close()
                if (user in allowed) == bool(refused):
                    wrong.append(f"{user} {verb} {subject}: {refused or 'was let through'}")
    for user, password in (("pool", "wrong"), ("nobody", "")):
        client = Client(port, ca, user, password)
        if not any("Authorization" in line for line in client.refusals()):
            wrong.append(f"the user {user} with the password '{password}' was let in")
        client.close()
    assert not wrong, "\n".join(wrong)


def check_program(program, folder, port, passwords):
    """A pool and an agent with their users do a job; a pool with the agent's user is refused."""
    environment = dict(os.environ, SSL_CERT_FILE=str(folder / "ca.pem"))
    agent = subprocess.Popen([program, "--twat-mp-agent", f"tls://127.0.0.1:{port}", "--user", "agent", "--ca", str(folder / "ca.pem"), "--nodes", "1"],
                             env=dict(environment, TWAT_MP_AGENT_PASSWORD=passwords["agent"]))
    try:
        data = os.urandom(1 << 20) + b"text " * 600000
        (folder / "input").write_bytes(data)

        def compress(user):
            return subprocess.run([program, "-q", "-c", "--cluster", f"tls://{user}:{passwords[user]}@127.0.0.1:{port}", folder / "input"],
                                  env=environment, capture_output=True, check=False, timeout=3 * PATIENCE)
        done = compress("pool")
        assert done.returncode == 0, done.stderr.decode()
        assert gzip.decompress(done.stdout) == data, "the result differs"
        refused = compress("agent")
        assert refused.returncode != 0, "the user of agents could make a pool"
        assert b"permission" in refused.stderr.lower(), refused.stderr
    finally:
        agent.send_signal(signal.SIGTERM)
        try:
            assert agent.wait(timeout=PATIENCE) == 0, "the agent failed"
        finally:
            agent.kill()
            agent.wait()


def check_neighbours(folder, source):
    """The recipes beside it: they are what they claim to be, and Kubernetes gives the same permissions."""
    for script in [*folder.glob("*.sh"), *folder.glob("*.sbatch")]:
        checked = run("bash", "-n", script)
        assert checked.returncode == 0, checked.stdout
    try:
        import yaml
    except ImportError:
        print("no yaml module: the YAML files are not parsed")
    else:
        for file in [*folder.glob("*.yml"), *folder.glob("*/*.yaml")]:
            assert all(yaml.safe_load_all(file.read_text(encoding="utf-8"))), file

    def subjects(text):
        return sorted(re.findall(r'"((?:\$JS|twatmp|_INBOX)[^"]*)"', text))
    assert subjects(source) == subjects((folder / "kubernetes/nats-values.yaml").read_text(encoding="utf-8")), "nats-values.yaml has other permissions"


def main():
    source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    check_neighbours(pathlib.Path(sys.argv[1]).parent, source)
    for tool in ("nats-server", "openssl"):
        if not shutil.which(tool):
            print(f"SKIP: no {tool}")
            return 77
    with tempfile.TemporaryDirectory(prefix="twat-mp-broker-") as made:
        folder = pathlib.Path(made)
        make_certificates(folder)
        port = free_port()
        for old, new in (("/etc/nats/tls", made), ("/var/lib/nats", made + "/store"), ("0.0.0.0:4222", f"127.0.0.1:{port}"),
                         ("127.0.0.1:8222", f"127.0.0.1:{free_port()}")):
            assert old in source, f"{old} is not in the file"
            source = source.replace(old, new)
        configuration = folder / "server.conf"
        configuration.write_text(source, encoding="utf-8")
        passwords = {user: "p" + secrets.token_hex(12) for user in USERS}
        environment = dict(os.environ, **{f"TWAT_MP_{user.upper()}_PASSWORD": word for user, word in passwords.items()})
        checked = run("nats-server", "-t", "-c", configuration, env=environment)
        assert checked.returncode == 0, checked.stdout
        with open(folder / "log", "w", encoding="utf-8") as log:
            server = subprocess.Popen(["nats-server", "-c", configuration], env=environment, stdout=log, stderr=log)
        try:
            limit = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert server.poll() is None and time.monotonic() < limit, (folder / "log").read_text(encoding="utf-8")
                    time.sleep(0.05)
            check_permissions(port, folder / "ca.pem", passwords)
            if len(sys.argv) > 2:
                check_program(sys.argv[2], folder, port, passwords)
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
