#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""storm.py PROGRAM [SECONDS [VIEWERS]]: a monitor beside a storm of small tasks, failures and crashes, with viewers that ask four times a second, and
some that ask and never read. Its process must not grow. Tells what it measured."""
import socket
import subprocess
import sys
import threading
import time

program = sys.argv[1]
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
viewers = int(sys.argv[3]) if len(sys.argv) > 3 else 100
SILENT = 10          # of the viewers
MOST_GROWTH = 16     # MiB between a third of the time and its end


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * 4096 / 2**20


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def read_answer(stream):
    assert b"200" in stream.readline()
    size = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    assert len(stream.read(size)) == size
    return size


class Viewer(threading.Thread):
    request = b"GET /frame.json HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def __init__(self, port, silent):
        super().__init__(daemon=True)
        self.port, self.silent = port, silent
        self.frames = self.size = 0
        self.slowest = 0.0
        self.error = None

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def run(self):
        try:
            self.look()
        except Exception as e: # pylint: disable=broad-except
            if not over.is_set():
                self.error = e

    def look(self):
        while not over.is_set():
            with self.connect() as s:
                if self.silent: # the monitor gives it up
                    s.sendall(self.request * 20)
                    over.wait(12)
                    continue
                stream = s.makefile("rb")
                while not over.is_set():
                    begun = time.monotonic()
                    s.sendall(self.request)
                    self.size = read_answer(stream)
                    self.slowest = max(self.slowest, time.monotonic() - begun)
                    self.frames += 1
                    over.wait(0.25)


over = threading.Event()
process = subprocess.Popen([program, "--processes", "2", "--threads", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
try:
    port = int(process.stdout.readline().strip().rsplit(":", 1)[1].strip("/"))
    process.stdin.write("storm\n")
    process.stdin.flush()
    all_viewers = [Viewer(port, i < SILENT) for i in range(viewers)]
    for viewer in all_viewers:
        viewer.start()
    begun, cpu_before = time.monotonic(), cpu(process.pid)
    samples = []
    while time.monotonic() - begun < seconds:
        time.sleep(min(5, seconds / 20))
        samples.append(resident(process.pid))
    cpu_used = cpu(process.pid) - cpu_before
    over.set()
    errors = [v.error for v in all_viewers if v.error]
    assert not errors, errors[:3]
    frames = sum(v.frames for v in all_viewers)
    process.stdin.close()
    done = int(process.stdout.readline())
    process.wait(timeout=120)
    settled, last = samples[len(samples) // 3:], samples[-1]
    print("MiB at each tenth:", *(f"{samples[len(samples) * i // 10 - 1]:.1f}" for i in range(1, 11)))
    print(f"{seconds:.0f} s, {viewers} viewers: {done / seconds:.0f} tasks/s, {frames / seconds:.0f} frames/s of {all_viewers[-1].size} bytes, slowest "
          f"{max(v.slowest for v in all_viewers) * 1000:.0f} ms; memory {settled[0]:.1f} MiB after a third, {last:.1f} at the end, {max(samples):.1f} at most; "
          f"{cpu_used / seconds:.2f} CPUs")
    assert last - settled[0] < MOST_GROWTH, samples
finally:
    over.set()
    if process.poll() is None:
        process.kill()
        process.wait()
