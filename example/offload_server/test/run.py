#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py SERVER CASE: runs one of the functions case_* below."""
import email.utils
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.dont_write_bytecode = True
from served import Server, data, png, png_pixels, until

program = sys.argv[1]


def server(*options):
    return Server(program, *options)


def modes():
    return [], ["--threads"], ["--inline"]


def in_background(f, *args):
    results = []
    thread = threading.Thread(target=lambda: results.append(f(*args)))
    thread.start()

    def join():
        thread.join()
        return results[0]

    def has_ended(within):
        thread.join(within)
        return not thread.is_alive()
    join.has_ended = has_ended
    return join


def end_by(kill, answer):
    """Kills workers until the task behind the answer has ended: one that a worker holds, and has not begun, goes to another."""
    until(lambda: kill() is None and answer.has_ended(1), "the task ends with its worker")


# ---------------------------------------------------------------- the work

def case_thumbnails_are_scaled():
    for options in modes():
        with server(*options) as s:
            status, headers, bytes_ = s.post("/thumbnail?width=50", png(400, 200))
            assert status == 200 and headers["Content-Type"] == "image/png", (status, bytes_)
            width, height, rows = png_pixels(bytes_)
            assert (width, height) == (50, 25)
            assert all(row[:4] == b"\xff\0\0\xff" and row[-4:] == b"\0\0\xff\xff" for row in rows)
            # never made larger
            assert png_pixels(s.post("/thumbnail?width=1000", png(40, 20))[2])[:2] == (40, 20)


def case_jpegs_stay_jpegs():
    djpeg = subprocess.run(["sh", "-c", "command -v cjpeg"], capture_output=True).returncode == 0
    with server() as s:
        if djpeg:
            ppm = b"P6 320 240 255\n" + bytes([10, 200, 90]) * (320 * 240)
            jpeg = subprocess.run(["cjpeg"], input=ppm, capture_output=True, check=True).stdout
        else:
            jpeg = grey_jpeg()
        status, headers, bytes_ = s.post("/thumbnail?width=8", jpeg)
        assert status == 200 and headers["Content-Type"] == "image/jpeg", (status, bytes_)
        at = bytes_.index(b"\xff\xc0")
        assert int.from_bytes(bytes_[at + 7:at + 9], "big") == 8


def grey_jpeg():
    """16 x 16 grey pixels: the smallest file that a decoder takes, written by hand."""
    dqt = b"\xff\xdb\0\x43\0" + bytes([1] * 64)
    sof = b"\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0"
    dc = b"\xff\xc4\0\x14\0" + bytes([1] + [0] * 15) + b"\0"
    ac = b"\xff\xc4\0\x14\x10" + bytes([1] + [0] * 15) + b"\0"
    sos = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    return b"\xff\xd8" + dqt + sof + dc + ac + sos + b"\0" + b"\xff\xd9"


def case_what_is_no_picture_is_said():
    with server() as s:
        for bytes_ in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"x" * 100, png(300, 300)[:200], b"\xff\xd8\xff"):
            answer = s.post("/thumbnail?width=50", bytes_)
            assert answer[0] == 422 and data(answer)["error"] == "bad_input", answer
        huge = bytearray(png(10, 10))
        huge[16:24] = b"\0\1\0\0\0\1\0\0"  # says that it has 65536 x 65536 pixels
        answer = s.post("/thumbnail", bytes(huge))
        assert answer[0] == 422, answer
        assert s.metric("offload_worker_deaths_total", workers="processes") == 0


def case_damaged_pictures_are_refused_in_every_mode():
    def picture(name):
        with open(os.path.join(os.path.dirname(__file__), "pictures", name), "rb") as f:
            return f.read()
    jpeg, grey, palette = picture("exif6.jpg"), picture("ga.png"), picture("palalpha.png")
    scan = jpeg.index(b"\xff\xda")
    for options in modes():
        with server(*options) as s:
            for bytes_ in (jpeg, grey, palette):
                assert s.post("/thumbnail?width=50", bytes_)[0] == 200
                answer = s.post("/thumbnail?width=50", bytes_[:len(bytes_) * 2 // 3])
                assert answer[0] == 422 and data(answer)["message"].startswith("the picture is damaged: "), answer
            for at in range(scan + 20, len(jpeg), 500):  # tables and data of all sorts
                answer = s.post("/thumbnail?width=50", jpeg[:at] + bytes([jpeg[at] ^ 0x5a]) + jpeg[at + 1:])
                assert answer[0] in (200, 422), answer
            name = options[0][2:] if options else "processes"
            assert s.metric("offload_worker_deaths_total", workers=name) == 0
            assert s.get("/ping")[0] == 200


def case_hash_is_pbkdf_two():
    wanted = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1234).hex()
    for options in modes():
        with server(*options) as s:
            answer = s.post("/hash?rounds=1234", b"secret")
            assert answer[0] == 200 and data(answer)["hash"] == wanted, answer
            long_password = b"p" * 200
            assert data(s.post("/hash?rounds=2", long_password))["hash"] == hashlib.pbkdf2_hmac("sha256", long_password, b"salt", 2).hex()


def case_primes_come_in_chunks():
    for options in modes():
        with server(*options) as s:
            status, headers, bytes_ = s.get("/primes?upto=2000000")
            assert status == 200 and headers["Transfer-Encoding"] == "chunked"
            found = list(map(int, bytes_.split()))
            assert len(found) == 148933 and found[:5] == [2, 3, 5, 7, 11] and found[-1] == 1999993
            assert s.get("/primes?upto=2")[2] == b""
            assert s.get("/primes?upto=0")[0] == 200


def case_old_clients_get_no_chunks():
    with server() as s:
        with s.raw(b"GET /primes?upto=30 HTTP/1.0\r\n\r\n") as c:
            answer = c.makefile("rb").read()
            head, body = answer.split(b"\r\n\r\n", 1)
            assert b"chunked" not in head and body == b"2\n3\n5\n7\n11\n13\n17\n19\n23\n29\n", answer


def case_a_slow_reader_holds_up_the_stream_not_the_server():
    with server() as s:
        with s.raw(b"GET /primes?upto=300000000 HTTP/1.1\r\nHost: localhost\r\n\r\n") as c:
            c.recv(1000)
            time.sleep(1)  # reads no more: the server must not make all that in its memory
            with open(f"/proc/{s.process.pid}/status") as f:
                resident = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
            assert resident < 150_000, resident
            assert s.get("/ping")[0] == 200
        until(lambda: s.metrics().get('offload_http_requests_total{route="/primes",code="499"}') == 1
              or s.metrics().get('offload_http_requests_total{route="/primes",code="500"}') == 1, "the stream ends with its reader")


# ---------------------------------------------------------------- what goes wrong with it

def case_a_crashed_worker_is_told_and_nobody_else_notices():
    with server("--workers", "2", "--timeout", "600000") as s:
        other = in_background(s.post, "/hash?rounds=200000", b"x")
        answer = s.post("/crash")
        assert answer[0] == 500, answer
        told = data(answer)
        assert told["error"] == "worker_died" and told["signal"] == signal.SIGSEGV and told["pid"] > 0, told
        assert other()[0] == 200
        assert s.post("/hash?rounds=10", b"x")[0] == 200
        assert s.metric("offload_tasks_total", workers="processes", outcome="worker_died") == 1


def case_a_crashed_worker_is_replaced_before_it_is_needed():
    with server("--workers", "2") as s:
        assert s.post("/crash")[0] == 500
        until(lambda: s.metric("offload_workers", workers="processes", state="idle") == 2, "another takes its place")


def case_a_killed_worker_is_told():
    with server("--workers", "1") as s:
        answer = in_background(s.post, "/slow?ms=60000")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        end_by(lambda: [os.kill(pid, signal.SIGKILL) for pid in s.children()] and None, answer)
        told = answer()
        assert told[0] == 500 and data(told)["signal"] == signal.SIGKILL, told
        assert s.post("/slow?ms=1")[0] == 200


def case_kill_button_replaces_an_idle_worker():
    with server("--workers", "2") as s:
        before = set(s.children())
        answer = s.post("/kill")
        assert answer[0] == 200 and data(answer)["killed"] in before, answer
        until(lambda: len(s.children()) == 2 and set(s.children()) != before, "another takes its place")
        assert s.metric("offload_worker_deaths_total", workers="processes") == 1


def case_a_task_that_takes_too_long_is_ended():
    for options in ([], ["--threads"]):
        with server("--timeout", "200", *options) as s:
            answer = s.post("/slow?ms=60000")
            assert answer[0] == 504 and data(answer)["error"] == "timed_out", answer
            assert s.post("/slow?ms=1")[0] == 200
            name = "threads" if options else "processes"
            assert s.metric("offload_tasks_total", workers=name, outcome="timed_out") == 1


def case_a_full_queue_is_said():
    with server("--workers", "1", "--max-pending", "1", "--timeout", "600000") as s:
        running = in_background(s.post, "/slow?ms=600000")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        waiting = in_background(s.post, "/slow?ms=1")
        until(lambda: s.metric("offload_queue_length", workers="processes") == 1, "it waits")
        answer = s.post("/slow?ms=1")
        assert answer[0] == 503 and answer[1]["Retry-After"] == "1" and data(answer)["error"] == "queue_full", answer
        assert s.get("/ping")[0] == 200
        end_by(lambda: s.post("/kill") and None, running)
        assert running()[0] == 500 and waiting()[0] == 200


def case_a_client_that_hangs_up_cancels_its_task():
    for options in ([], ["--threads"]):
        name = "threads" if options else "processes"
        with server("--workers", "1", "--timeout", "600000", *options) as s:
            c = s.raw(b"POST /slow?ms=600000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            until(lambda: s.metric("offload_workers", workers=name, state="busy") == 1, "it runs")
            c.close()
            assert s.post("/slow?ms=1")[0] == 200  # the only worker is free again
            assert s.metrics()['offload_http_requests_total{route="/slow",code="499"}'] == 1
            assert s.metric("offload_tasks_total", workers=name, outcome="cancelled") == 1


def case_a_client_that_hangs_up_behind_pipelined_bytes_too():
    with server("--workers", "1", "--timeout", "600000") as s:
        c = s.raw(b"POST /slow?ms=600000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\nGET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        c.close()
        assert s.post("/slow?ms=1")[0] == 200


# ---------------------------------------------------------------- HTTP

def case_connections_are_kept():
    with server() as s:
        with s.raw() as c:
            f = c.makefile("rb")
            for _ in range(3):
                c.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert read_answer(f) == (200, b'{"ok":true}\n')
            c.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert read_answer(f)[0] == 200
            assert f.read() == b""


def read_head(f):
    """Status and fields, their names in small letters."""
    status, fields = int(f.readline().split()[1]), {}
    while (line := f.readline().strip()):
        name, value = line.decode().split(": ", 1)
        fields[name.lower()] = value
    return status, fields


def read_answer(f):
    status, fields = read_head(f)
    return status, f.read(int(fields.get("content-length", 0)))


def raw_answer(s, text):
    """Status and body of what the server answers to these bytes; None if it only hangs up."""
    with s.raw(text) as c:
        f = c.makefile("rb")
        return read_answer(f) if f.peek(1) else None


def case_pipelined_requests_are_answered_in_order():
    with server() as s:
        requests = b"".join(b"POST /hash?rounds=%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx" % n for n in (9000, 3, 700, 1))
        with s.raw(requests + b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n") as c:
            f = c.makefile("rb")
            assert [json.loads(read_answer(f)[1])["rounds"] for _ in range(4)] == [9000, 3, 700, 1]
            assert read_answer(f) == (200, b'{"ok":true}\n')


def case_heads_and_methods():
    with server() as s:
        status, headers, bytes_ = s.request("HEAD", "/ping")
        assert status == 200 and bytes_ == b"" and headers["Content-Length"] == "12"
        answer = s.get("/thumbnail")
        assert answer[0] == 405 and answer[1]["Allow"] == "POST", answer
        assert s.post("/metrics")[0] == 405
        assert s.get("/nothing")[0] == 404
        assert s.post("/hash?rounds=0")[0] == 400
        assert s.post("/hash?rounds=1x")[0] == 400
        assert s.post("/thumbnail?width=99999")[0] == 400
        assert s.get("/primes?upto=-1")[0] == 400


def case_limits_of_header_and_body():
    with server("--max-body", "1000") as s:
        assert s.request("GET", "/ping", headers={"X": "y" * 20000})[0] == 431
        assert s.request("POST", "/hash?rounds=1", b"x" * 1001)[0] == 413
        assert s.request("POST", "/hash?rounds=1", b"x" * 1000)[0] == 200
        with s.raw(b"POST /hash HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n") as c:
            assert read_answer(c.makefile("rb"))[0] == 413
        with s.raw(b"nonsense\r\n\r\n") as c:
            assert read_answer(c.makefile("rb"))[0] == 400


def case_a_client_that_waits_for_leave_gets_it():
    with server() as s:
        with s.raw(b"POST /hash?rounds=1 HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") as c:
            f = c.makefile("rb")
            assert f.readline() == b"HTTP/1.1 100 Continue\r\n" and f.readline() == b"\r\n"
            c.sendall(b"x")
            assert read_answer(f)[0] == 200


def case_slow_clients_are_told_and_cut_off():
    with server("--client-timeout", "300") as s:
        for text in (b"GET /ping HT", b"POST /hash HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nxy"):
            with s.raw(text) as c:  # and no more
                f = c.makefile("rb")
                status, body = read_answer(f)
                assert status == 408 and json.loads(body)["error"] == "too_slow", (status, body)
                assert f.read() == b""
        with s.raw() as c:  # it asked for nothing, so it is told nothing
            assert c.recv(100) == b""
        with s.raw(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n") as c:
            f = c.makefile("rb")
            assert read_answer(f)[0] == 200 and f.read() == b""
        assert s.get("/ping")[0] == 200
        # One whose task takes longer than that is not slow.
        assert s.post("/slow?ms=900")[0] == 200


def case_half_closed_clients_are_served_where_that_is_wanted():
    request = b"POST /slow?ms=600 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    for options, wanted in (([], None), (["--half-closed"], 200)):
        with server("--workers", "1", *options) as s:
            with s.raw(request) as c:
                c.shutdown(socket.SHUT_WR)  # as nc -N does
                f = c.makefile("rb")
                got = read_answer(f)[0] if f.peek(1) else None
                assert got == wanted, (options, got)


def case_a_head_request_changes_nothing():
    with server() as s:
        for path in ("/state?to=inline", "/mode?to=inline", "/primes?to=inline", "/?to=inline", "/nothing?to=inline"):
            status, headers, bytes_ = s.request("HEAD", path)
            assert bytes_ == b"" and status == {"/mode": 405, "/nothing": 404}.get(path.split("?")[0], 200), (path, status)
        assert s.request("HEAD", "/primes")[1]["Content-Type"] == "text/plain"
        assert s.request("GET", "/mode?to=inline")[0] == 405
        s.post("/hash?rounds=1", b"x")
        assert s.metric("offload_tasks_total", workers="processes", outcome="done") == 1


def case_what_http_forbids_is_refused():
    with server() as s:
        for text, wanted in (
                (b"GET /ping HTTP/1.1\r\n\r\n", 400),  # no Host
                (b"GET /ping HTTP/1.0\r\n\r\n", 200),  # which was no duty then
                (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
                (b"POST /hash HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
                (b"POST /hash HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
                (b"POST /hash?rounds=1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
                (b"POST /hash HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                (b"GET ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
                (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
                (b"GET http:///ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)):
            answer = raw_answer(s, text)
            assert answer and answer[0] == wanted, (text, answer)
            if wanted != 200:
                json.loads(answer[1])


def case_targets_may_name_the_server():
    with server() as s:
        assert raw_answer(s, b"GET http://localhost/ping HTTP/1.1\r\nHost: localhost\r\n\r\n") == (200, b'{"ok":true}\n')
        assert raw_answer(s, b"GET HTTP://127.0.0.1:1/primes?upto=x HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 400
        status, body = raw_answer(s, b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status == 200 and body.startswith(b"<!doctype html>")
        # What stands in the target counts, not the field Host.
        assert raw_answer(s, b"GET http://elsewhere.example/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 421


def case_answers_have_a_date():
    with server() as s:
        for path in ("/ping", "/primes?upto=10", "/nothing"):
            told = email.utils.parsedate_to_datetime(s.get(path)[1]["Date"])
            assert abs(told.timestamp() - time.time()) < 60, told


def case_paths_that_are_no_text_are_answered_in_json():
    with server() as s:
        status, body = raw_answer(s, b"GET /caf\xe9\xff%ff HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status == 404 and json.loads(body.decode())["message"] == "there is nothing at /caf\ufffd\ufffd%ff", body
        status, body = raw_answer(s, "GET /café HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert status == 404 and json.loads(body.decode())["message"] == "there is nothing at /café", body


def case_other_names_than_its_own_are_refused():
    def status(s, host):
        return s.request("GET", "/ping", headers={"Host": host})[0]
    with server() as s:  # a page at elsewhere.example whose name leads here now must not be taken for this server's own
        for host in ("localhost", f"LOCALHOST:{s.port}", f"127.0.0.1:{s.port}", "[::1]:80", "127.0.0.1"):
            assert status(s, host) == 200, host
        for host in ("elsewhere.example", f"elsewhere.example:{s.port}", "localhost.example", "127.0.0.1.example", "", "[::1", "[elsewhere]"):
            assert status(s, host) == 421, host
    with server("--host", "mine.example", "--host", "other.example") as s:
        assert status(s, "mine.example:1") == status(s, "other.example") == 200 and status(s, "elsewhere.example") == 421
    with server("--address", "0.0.0.0") as s:  # reached by names that it cannot know
        assert status(s, "elsewhere.example") == 200


def case_pages_of_other_sites_are_refused():
    with server() as s:
        assert s.request("POST", "/kill", b"", {"Origin": "http://elsewhere.example"})[0] == 403
        assert s.request("POST", "/hash?rounds=1", b"", {"Origin": s.url.rstrip("/")})[0] == 200


def case_misdeeds_can_be_switched_off():
    with server("--no-demo") as s:
        for path in ("/crash", "/kill", "/slow", "/flood", "/mode?to=inline"):
            assert s.post(path)[0] == 404, path
        assert s.post("/hash?rounds=1")[0] == 200


# ---------------------------------------------------------------- start and end

def case_the_address_may_be_a_name():
    with server("--address", "localhost") as s:
        assert s.get("/ping")[0] == 200
        assert s.post("/slow?ms=1")[0] == 200  # it is a loopback address
    r = subprocess.run([program, "--address", "nowhere.invalid"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and r.stderr.startswith("offload_server: --address nowhere.invalid: "), r


def limited(files):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def case_too_few_descriptors_are_told_at_the_start():
    for options in ([], ["--threads"], ["--workers", "8"]):
        r = subprocess.run([program, "--port", "0", *options], capture_output=True, text=True, timeout=60, preexec_fn=limited(20))
        assert r.returncode == 1 and "ulimit -n" in r.stderr and "20" in r.stderr, r


def case_a_soft_limit_of_descriptors_is_raised():
    with Server(program, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))) as s:
        assert s.metrics()["process_max_fds"] > 20
        assert s.post("/hash?rounds=1")[0] == 200


def case_idle_connections_make_room_where_descriptors_are_short():
    with Server(program, "--workers", "1", preexec_fn=limited(64), stderr=subprocess.PIPE) as s:
        crowd = [s.raw() for _ in range(100)]
        assert s.get("/ping")[0] == 200
        assert "too many open files" in s.process.stderr.readline()
        assert s.post("/hash?rounds=1")[0] == 200
        for c in crowd:
            c.close()

def case_stops_when_what_runs_has_ended():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with server("--stop-timeout", "60000") as s:
            idle = s.raw()
            answer = in_background(s.post, "/slow?ms=1500")
            until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
            children = s.children()
            s.process.send_signal(sig)
            status, headers, _ = answer()
            assert status == 200 and headers["Connection"] == "close", (status, headers)
            assert s.process.wait(timeout=60) == 0
            assert idle.recv(1) == b""
            assert not any(os.path.exists(f"/proc/{pid}") for pid in children)


def case_takes_no_new_connections_while_it_stops():
    with server("--stop-timeout", "60000") as s:
        answer = in_background(s.post, "/slow?ms=1500")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        s.process.send_signal(signal.SIGTERM)
        assert "stopping" in s.process.stdout.readline()

        def refused():
            try:
                s.raw().close()
            except ConnectionRefusedError:
                return True
        until(refused, "connections are refused")
        assert answer()[0] == 200


def case_what_takes_too_long_is_answered_and_cut_off_at_the_end():
    for options in ([], ["--threads"]):
        with server("--workers", "1", "--stop-timeout", "300", "--timeout", "600000", *options) as s:
            name = "threads" if options else "processes"
            slow = b"POST /slow?ms=600000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            with s.raw(slow) as running, s.raw(slow) as waiting, s.raw(slow[:30]) as incomplete:
                until(lambda: s.metric("offload_workers", workers=name, state="busy") == 1, "it runs")
                until(lambda: s.metric("offload_queue_length", workers=name) == 1, "the other waits")
                s.process.send_signal(signal.SIGTERM)
                for c in (running, waiting, incomplete):
                    status, fields = read_head(f := c.makefile("rb"))
                    body = json.loads(f.read(int(fields["content-length"])))
                    assert status == 503 and body["error"] == "stopping" and fields["retry-after"] == "1" and fields["connection"] == "close", body
                assert s.process.wait(timeout=60) == 0


def case_work_that_nobody_waits_for_does_not_hold_up_the_end():
    with server("--workers", "1", "--stop-timeout", "300") as s:
        assert s.post("/flood?tasks=60&rounds=10000000")[0] == 202
        assert s.stop() == 0


def case_a_second_signal_does_not_wait():
    with server("--stop-timeout", "600000", "--timeout", "600000") as s:
        answer = in_background(s.post, "/slow?ms=600000")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        s.process.send_signal(signal.SIGTERM)
        assert "stopping" in s.process.stdout.readline()
        assert s.stop() == 0
        assert answer()[0] == 503


def case_a_signal_while_the_workers_start_is_no_error():
    for pause in (0.02, 0.1, 0.2, 0.4):
        p = subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(pause)
        p.terminate()
        _, errors = p.communicate(timeout=60)
        assert p.returncode in (0, -signal.SIGTERM) and errors == "", (p.returncode, errors)  # the latter before it could know better


def case_says_why_it_cannot_serve():
    with server() as s:
        r = subprocess.run([program, "--port", str(s.port)], capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and str(s.port) in r.stderr and "in use" in r.stderr, r
    r = subprocess.run([program, "--nonsense"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and r.stderr == "offload_server: unknown option: --nonsense\noffload_server -h tells the options\n", r


def case_serves_without_arguments():
    first = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    second = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)  # where the port is taken it takes the next one
    try:
        lines = [first.stdout.readline(), second.stdout.readline()]
        assert all("http://127.0.0.1:80" in line for line in lines) and lines[0] != lines[1], lines
    finally:
        for p in (first, second):
            p.terminate()
            assert p.wait(timeout=60) == 0
            p.stdout.close()


# ---------------------------------------------------------------- what it tells of itself

def case_refused_work_is_counted():
    with server("--workers", "1", "--max-pending", "2", "--timeout", "600000") as s:
        slow = in_background(s.post, "/slow?ms=600000")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        s.post("/flood?tasks=10")
        answers = [s.post("/hash") for _ in range(5)]
        assert all(a[0] == 503 for a in answers), answers
        until(lambda: s.metric("offload_refused_total", workers="processes") == 13, "they are counted")
        assert data(s.get("/state"))["refused"] == 13
        end_by(lambda: s.post("/kill") and None, slow)
        assert slow()[0] == 500


def case_says_when_it_is_ready():
    for options in modes():
        with server("--workers", "1", "--stop-timeout", "60000", *options) as s:
            assert s.get("/readyz")[0] == 200
            assert s.request("HEAD", "/readyz")[0] == 200
            if options:
                continue
            with s.raw() as c:  # takes part until it stops
                c.sendall(b"GET /readyz HTTP/1.1\r\nHost: loc")
                answer = in_background(s.post, "/slow?ms=1000")
                until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
                s.process.send_signal(signal.SIGTERM)
                assert "stopping" in s.process.stdout.readline()
                c.sendall(b"alhost\r\n\r\n")
                status, body = read_answer(c.makefile("rb"))
                assert status == 503 and json.loads(body)["error"] == "not_ready", body
                assert answer()[0] == 200


def case_metrics_are_prometheus_text():
    with server("--workers", "2") as s:
        s.post("/hash?rounds=1000", b"x")
        s.post("/thumbnail", b"no picture")
        text = s.get("/metrics")[2].decode()
        m = s.metrics()
        assert m['offload_tasks_total{workers="processes",outcome="done"}'] == 1
        assert m['offload_tasks_total{workers="processes",outcome="failed"}'] == 1
        assert m['offload_workers{workers="processes",state="idle"}'] == 2
        assert m['offload_http_requests_total{route="/hash",code="200"}'] == 1
        assert m['offload_worker_bytes_total{workers="processes",direction="sent"}'] > 0
        assert m['offload_http_bytes_total{direction="sent"}'] > 0
        for route, code in (("/hash", 200), ("/thumbnail", 422)):
            labels = f'route="{route}",code="{code}"'
            assert m[f'offload_http_request_seconds_count{{{labels}}}'] == m[f'offload_http_request_seconds_bucket{{{labels},le="120"}}'] == 1
        assert m['offload_refused_total{workers="processes"}'] == m['offload_workers_recycled_total{workers="processes"}'] == 0
        assert abs(m["process_start_time_seconds"] - time.time()) < 300
        assert 0 < m["process_cpu_seconds_total"] < 300
        assert 1 << 20 < m["process_resident_memory_bytes"] < m["process_virtual_memory_bytes"]
        assert abs(m["process_open_fds"] - len(os.listdir(f"/proc/{s.process.pid}/fd"))) <= 2
        assert m["process_max_fds"] >= m["process_open_fds"]
        assert any(k.startswith('offload_build_info{version="') and v == 1 for k, v in m.items())
        for name in ("offload_queue_wait_seconds", "offload_task_seconds"):
            buckets = [v for k, v in m.items() if k.startswith(name + '_bucket{workers="processes"')]
            assert buckets == sorted(buckets) and buckets[-1] == m[name + '_count{workers="processes"}'] == 2, (name, buckets)
        until(lambda: s.metrics()["offload_loop_lag_seconds_count"] > 0, "the lag is measured")
        names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(names) == len(set(names)) and len(names) > 10
        for line in text.splitlines():
            name = line.split()[2] if line.startswith("#") else line.split("{")[0].split(" ")[0]
            assert any(name in (n, n + "_bucket", n + "_sum", n + "_count") for n in names), line


def monitored(s, path):
    with urllib.request.urlopen(data(s.get("/state"))["monitor"] + path, timeout=60) as answer:
        return answer.read().decode()


def case_the_monitor_shows_the_pools():
    with server("--workers", "1") as s:
        s.post("/hash?rounds=10", b"x")
        assert s.post("/crash")[0] == 500
        frame = json.loads(monitored(s, "frame.json"))
        pools = {p["name"]: p for p in frame["pools"]}
        assert set(pools) == {"processes", "threads"} and pools["processes"]["done"] == 1, frame
        failure = pools["processes"]["failures"][0]
        assert failure["how"] == "died" and failure["label"] == "crash", failure
        assert [l["label"] for l in pools["processes"]["labels"]] == ["hash"], "what it used is summed up by label"
        assert 'twat_mp_tasks_total{pool="processes",outcome="done"} 1' in monitored(s, "metrics")
        assert set(frame["can"]) == {"dump", "record", "parcel"}
    with server("--no-demo") as s:
        assert json.loads(monitored(s, "frame.json"))["can"] == []


def case_a_request_belongs_to_the_trace_of_its_caller():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        with server("--trace", path) as s:
            for told in (parent, "no traceparent", "00-0-0-0"):
                assert s.request("POST", "/hash?rounds=10", b"x", {"traceparent": told})[0] == 200, told
            s.process.kill()
            s.process.wait()
        with open(path, encoding="utf-8") as f:
            told = [e["args"]["traceparent"] for e in json.load(f) if "traceparent" in e.get("args", {})]
        assert told == [parent], told


def case_the_mode_can_be_changed():
    with server("--workers", "1") as s:
        for to in ("threads", "inline", "processes"):
            assert data(s.post("/mode?to=" + to)) == {"mode": to}
            assert s.post("/hash?rounds=1", b"x")[0] == 200
            assert s.post("/flood?tasks=3&rounds=1000")[0] == 202
            until(lambda: s.metric("offload_tasks_total", workers=to, outcome="done") == 4, "the flood has run")
            if to != "processes":
                assert s.post("/crash")[0] == 409 and s.post("/kill")[0] == 409
        assert s.post("/mode?to=nowhere")[0] == 400


def case_a_trace_is_written():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        with server("--trace", path) as s:
            s.post("/hash?rounds=10", b"x")
            s.process.kill()  # it is whole all the same
            s.process.wait()
        with open(path) as f:
            names = [e.get("name") for e in json.load(f)]
        assert names.count("hash") == 4, names  # the operation and its chunk, begun and ended


class Cluster:
    """A broker and two agents of two workers; skips the test where there cannot be one."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        if not shutil.which("nats-server"):
            sys.exit(77)
        refusal = subprocess.run([program, "--cluster", ""], capture_output=True, text=True)
        if "was built without" in refusal.stderr:
            sys.exit(77)
        where = self.folder.name
        self.programs = [subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", where, "-js", "-sd", where + "/store"],
                                          stderr=subprocess.DEVNULL)]
        until(self.ports, "the broker has started")
        self.url = self.ports()
        for host in "one", "two":
            self.programs.append(subprocess.Popen([program, "--twat-mp-agent", self.url, "--nodes", "2", "--host", host],
                                                  stderr=subprocess.DEVNULL))

    def ports(self):
        for name in os.listdir(self.folder.name):
            if name.endswith(".ports"):
                with open(os.path.join(self.folder.name, name)) as f:
                    found = re.search(r"nats://[0-9.:]+", f.read())
                return found and found[0]

    def kill_agents(self):
        for agent in self.programs[1:]:
            agent.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in reversed(self.programs):
            p.kill()
            p.wait()
        self.folder.cleanup()


def case_agents_of_other_hosts_do_the_work():
    with Cluster() as c, server("--cluster", c.url) as s:
        assert data(s.get("/state"))["mode"] == "cluster"
        status, _, body = s.post("/hash?rounds=1000", b"password")
        assert status == 200 and json.loads(body)["hash"] == hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000).hex(), body
        assert s.post("/thumbnail?width=2", png(4, 4))[0] == 200
        assert s.get("/primes?upto=20")[2] == b"2\n3\n5\n7\n11\n13\n17\n19\n"
        status, _, body = s.post("/crash")
        assert status == 500 and json.loads(body)["error"] == "worker_died", body
        assert s.post("/kill")[0] == 409, "its pid is that of another host"
        until(lambda: s.metric("offload_tasks_total", workers="cluster", outcome="done") == 3, "they are counted")
        assert not any('workers="processes"' in name for name in s.metrics())
        pools = {p["name"]: p for p in json.loads(monitored(s, "frame.json"))["pools"]}
        assert set(pools) == {"cluster", "threads"} and pools["cluster"]["done"] == 3, pools
        for to in ("threads", "cluster"):
            assert data(s.post("/mode?to=" + to)) == {"mode": to}
            assert s.post("/hash?rounds=1", b"x")[0] == 200
        assert s.post("/mode?to=processes")[0] == 400
        assert s.children() == [], "the server has no workers of its own"


def case_a_request_whose_host_is_gone_is_told():
    with Cluster() as c, server("--cluster", c.url, "--timeout", "600000") as s:
        slow = in_background(s.post, "/slow?ms=600000")
        until(lambda: s.metric("offload_workers", workers="cluster", state="busy") == 1, "it runs")
        time.sleep(1)  # until it has begun, most likely; what has not waits for other agents, and ends without
        c.kill_agents()
        status, _, body = slow()
        assert (status, json.loads(body)["error"]) in ((500, "host_lost"), (503, "no_workers")), body


def case_the_page_needs_nothing_else():
    with server() as s:
        status, headers, bytes_ = s.get("/")
        assert status == 200 and headers["Content-Type"].startswith("text/html")
        text = bytes_.decode()
        for outside in ('src="http', "@import", "url(http", '<link rel="stylesheet"'):
            assert outside not in text, outside


globals()["case_" + sys.argv[2]]()
