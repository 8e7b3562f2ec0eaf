# SPDX-License-Identifier: BSL-1.0
"""A server for a test: started on a free port, and gone at the end with all its workers."""
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
import zlib


class Server:
    def __init__(self, program, *options, **how):
        self.process = subprocess.Popen([program, "--port", "0", *options], stdout=subprocess.PIPE, text=True, **how)
        line = self.process.stdout.readline()
        found = re.search(r"http://(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/", line)
        assert found, f"it does not say its address: {line!r}"
        self.port = int(found[1])
        self.url = found[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def request(self, method, path, body=None, headers={}):
        """Status, headers and bytes, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=b""):
        return self.request("POST", path, body)

    def raw(self, text=b""):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        s.sendall(text)
        return s

    def metrics(self):
        """What stands in /metrics, by name with labels."""
        values = {}
        for line in self.get("/metrics")[2].decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def metric(self, name, **labels):
        return self.metrics()[name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"]

    def children(self):
        pids = []
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/children") as f:
                pids += map(int, f.read().split())
        return pids

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(timeout=60)


def until(condition, what):
    """Waits for it. The limit only turns a hang into a failure."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain: " + what
        time.sleep(0.02)


def png(width, height):
    """A picture with a red left and a blue right half."""
    row = b"\0" + b"\xff\0\0" * (width // 2) + b"\0\0\xff" * (width - width // 2)
    return png_of(width, height, row * height)


def png_of(width, height, rows):
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def png_pixels(data):
    """Width, height and rows of RGBA bytes of a PNG as the server writes it: 8 bits, not interlaced."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, colour, interlaced) == (8, 6, 0)
    packed, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    flat, stride, rows, last = zlib.decompress(packed), width * 4, [], bytearray(width * 4)
    for y in range(height):
        kind, row = flat[y * (stride + 1)], bytearray(flat[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            a, b, c = (row[i - 4] if i >= 4 else 0), last[i], (last[i - 4] if i >= 4 else 0)
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
        rows.append(bytes(row))
        last = row
    return width, height, rows


def data(answer):
    return json.loads(answer[2])
