#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py SERVER CASE: runs one of the functions case_* below."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

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
    return join


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
        with s.raw(b"GET /primes?upto=300000000 HTTP/1.1\r\nHost: x\r\n\r\n") as c:
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


def case_a_killed_worker_is_told():
    with server("--workers", "1") as s:
        answer = in_background(s.post, "/slow?ms=60000")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        os.kill(s.children()[0], signal.SIGKILL)
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
        s.post("/kill")
        assert running()[0] == 500 and waiting()[0] == 200


def case_a_client_that_hangs_up_cancels_its_task():
    for options in ([], ["--threads"]):
        name = "threads" if options else "processes"
        with server("--workers", "1", "--timeout", "600000", *options) as s:
            c = s.raw(b"POST /slow?ms=600000 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            until(lambda: s.metric("offload_workers", workers=name, state="busy") == 1, "it runs")
            c.close()
            assert s.post("/slow?ms=1")[0] == 200  # the only worker is free again
            assert s.metrics()['offload_http_requests_total{route="/slow",code="499"}'] == 1
            assert s.metric("offload_tasks_total", workers=name, outcome="cancelled") == 1


def case_a_client_that_hangs_up_behind_pipelined_bytes_too():
    with server("--workers", "1", "--timeout", "600000") as s:
        c = s.raw(b"POST /slow?ms=600000 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: s.metric("offload_workers", workers="processes", state="busy") == 1, "it runs")
        c.close()
        assert s.post("/slow?ms=1")[0] == 200


# ---------------------------------------------------------------- HTTP

def case_connections_are_kept():
    with server() as s:
        with s.raw() as c:
            f = c.makefile("rb")
            for _ in range(3):
                c.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
                assert read_answer(f) == (200, b'{"ok":true}\n')
            c.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert read_answer(f)[0] == 200
            assert f.read() == b""


def read_answer(f):
    status = int(f.readline().split()[1])
    size = 0
    while (line := f.readline().strip()):
        name, value = line.split(b": ", 1)
        if name.lower() == b"content-length":
            size = int(value)
    return status, f.read(size)


def case_pipelined_requests_are_answered_in_order():
    with server() as s:
        requests = b"".join(b"POST /hash?rounds=%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx" % n for n in (9000, 3, 700, 1))
        with s.raw(requests + b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n") as c:
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
        with s.raw(b"POST /hash HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n") as c:
            assert read_answer(c.makefile("rb"))[0] == 413
        with s.raw(b"nonsense\r\n\r\n") as c:
            assert read_answer(c.makefile("rb"))[0] == 400


def case_a_client_that_waits_for_leave_gets_it():
    with server() as s:
        with s.raw(b"POST /hash?rounds=1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") as c:
            f = c.makefile("rb")
            assert f.readline() == b"HTTP/1.1 100 Continue\r\n" and f.readline() == b"\r\n"
            c.sendall(b"x")
            assert read_answer(f)[0] == 200


def case_slow_clients_are_cut_off():
    with server("--client-timeout", "300") as s:
        with s.raw(b"GET /ping HT") as c:  # and no more
            assert c.recv(100) == b""
        with s.raw(b"POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nxy") as c:
            assert c.recv(100) == b""
        assert s.get("/ping")[0] == 200
        # One whose task takes longer than that is not slow.
        assert s.post("/slow?ms=900")[0] == 200


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


def case_what_takes_too_long_is_cut_off_at_the_end():
    for options in ([], ["--threads"]):
        with server("--stop-timeout", "200", "--timeout", "600000", *options) as s:
            name = "threads" if options else "processes"
            with s.raw(b"POST /slow?ms=600000 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"):
                until(lambda: s.metric("offload_workers", workers=name, state="busy") == 1, "it runs")
                assert s.stop() == 0


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
        for name in ("offload_queue_wait_seconds", "offload_task_seconds"):
            buckets = [v for k, v in m.items() if k.startswith(name + '_bucket{workers="processes"')]
            assert buckets == sorted(buckets) and buckets[-1] == m[name + '_count{workers="processes"}'] == 2, (name, buckets)
        until(lambda: s.metrics()["offload_loop_lag_seconds_count"] > 0, "the lag is measured")
        names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(names) == len(set(names)) and len(names) > 10
        for line in text.splitlines():
            name = line.split()[2] if line.startswith("#") else line.split("{")[0].split(" ")[0]
            assert any(name in (n, n + "_bucket", n + "_sum", n + "_count") for n in names), line


def case_events_tell_what_workers_do():
    with server("--workers", "1") as s:
        with s.raw(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n") as c:
            f = c.makefile("rb")
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += f.readline()
            assert b"text/event-stream" in head
            events = []

            def seen(condition):
                while not any(condition(e) for e in events):
                    line = f.readline()
                    assert line, "the stream ended"
                    if line.startswith(b"data: "):
                        message = json.loads(line[6:])
                        assert message["mode"] == "processes" and message["figures"]["nodes"] == 1
                        events.extend(message["events"])
            seen(lambda e: e["k"] == "ready" and e["pid"] > 0)
            s.post("/hash?rounds=10", b"x")
            seen(lambda e: e["k"] == "end" and e["how"] == "done")
            s.post("/crash")
            seen(lambda e: e["k"] == "end" and e["how"] == "died")
            seen(lambda e: e["k"] == "gone" and e["how"] == "died")
            seen(lambda e: e["k"] == "lag")
            labels = [e["label"] for e in events if e["k"] == "begin"]
            assert labels == ["hash", "crash"], labels


def case_the_mode_can_be_changed():
    with server("--workers", "1") as s:
        for to in ("threads", "inline", "processes"):
            assert data(s.post("/mode?to=" + to)) == {"mode": to}
            assert s.post("/hash?rounds=1", b"x")[0] == 200
            assert s.post("/flood?tasks=3")[0] == 202
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


def case_the_page_needs_nothing_else():
    with server() as s:
        status, headers, bytes_ = s.get("/")
        assert status == 200 and headers["Content-Type"].startswith("text/html")
        text = bytes_.decode()
        for outside in ('src="http', "@import", "url(http", '<link rel="stylesheet"'):
            assert outside not in text, outside


globals()["case_" + sys.argv[2]]()
