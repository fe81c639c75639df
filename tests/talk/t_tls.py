#!/usr/bin/python3
"""T33: TLS and client certificates on both doors: what is spoken, what is refused and how, and keys read
again under load without a lost request.

zan-test: timeout=240
"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_client import Connection, request, twin_server
from client import Client, Gone, Reader, encode

if shutil.which("openssl") is None:
    twin_server.skip("no openssl")

FOLDER = twin_server.directory()
DAY = 86400


def path(name):
    return os.path.join(FOLDER, name)


def openssl(*words, stdin=b"", check=True, timeout=60):
    done = subprocess.run(["openssl", *words], input=stdin, cwd=FOLDER, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise AssertionError("openssl %s:\n%s" % (" ".join(words), done.stdout.decode()))
    return done.stdout.decode("utf-8", "replace")


# --- certificates ---------------------------------------------------------------------------------

CONFIG = """
[ca]
default_ca = here
[here]
dir = .
database = $dir/index
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost,IP:127.0.0.1
[only_server]
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
"""


def key(name):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")


def authority(name):
    key(name)
    openssl("req", "-x509", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-days", "30",
            "-out", name + ".pem")


def certificate(name, common_name, kind="client", ca="ca", start=-DAY, end=30 * DAY):
    def stamp(offset):
        return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset))
    key(name)
    openssl("req", "-new", "-key", name + ".key", "-subj", "/CN=" + common_name, "-out", "csr")
    openssl("ca", "-batch", "-notext", "-config", "config", "-cert", ca + ".pem", "-keyfile",
            ca + ".key", "-in", "csr", "-out", name + ".pem", "-extensions", kind, "-startdate",
            stamp(start), "-enddate", stamp(end))


def certificates():
    for name, text in (("config", CONFIG), ("index", ""), ("serial", "01\n"), ("crlnumber", "01\n")):
        with open(path(name), "w") as file:
            file.write(text)
    authority("ca")
    authority("other")
    certificate("server", "localhost", "server")
    certificate("server2", "localhost", "server")
    certificate("backend", "backend")
    certificate("admin", "admin")
    certificate("expired", "backend", start=-2 * DAY, end=-DAY)
    certificate("early", "backend", start=DAY)
    certificate("nameless", "stranger")
    certificate("purpose", "backend", "only_server")
    certificate("revoked", "backend")
    certificate("elsewhere", "backend", ca="other")
    key("self")
    openssl("req", "-x509", "-new", "-key", "self.key", "-subj", "/CN=backend", "-out", "self.pem")
    openssl("ca", "-config", "config", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke",
            "revoked.pem")
    openssl("ca", "-config", "config", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl", "-out",
            "crl.pem")
    put("server")


def put(name):
    """The server's files are those of this certificate."""
    for ending in ("key", "pem"):
        shutil.copy(path("%s.%s" % (name, ending)), path("new"))
        os.rename(path("new"), path("live." + ending))


def credentials():
    with open(path("credentials"), "w") as file:
        os.chmod(file.name, 0o600)
        file.write("backend backend - tenant=3\nadmin administrator -\n"
                   "keyed backend ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n")


def server(**settings):
    class Waiting(twin_server.Server):
        def start(self, patience=60.0):
            self.spawn()
            end = time.monotonic() + patience
            while True:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 5).close()
                    return self
                except OSError:
                    assert self.alive() and time.monotonic() < end, "it did not start"
                    time.sleep(0.01)
    settings = {"tls_cert": path("live.pem"), "tls_key": path("live.key"), **settings}
    zan = Waiting(http="127.0.0.1:%d" % twin_server.free_port(), **settings)
    zan.http_port = int(zan.settings["http"].split(":")[1])
    return zan


# --- callers --------------------------------------------------------------------------------------

def context(cert=None, version=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(path("ca.pem"))
    if cert:
        made.load_cert_chain(path(cert + ".pem"), path(cert + ".key"))
    if version:
        made.minimum_version = made.maximum_version = version
    return made


def wrap(port, cert=None, version=None):
    plain = socket.create_connection(("127.0.0.1", port), 30)
    return context(cert, version).wrap_socket(plain, server_hostname="localhost")


def resp(zan, cert=None, version=None):
    client = Client.__new__(Client)
    client.socket, client.reader, client.resp, client.waiting = \
        wrap(zan.port, cert, version), Reader(), 2, []
    return client


def ask(zan, method, where, body=None, cert=None, version=None):
    connection = Connection.__new__(Connection)
    connection.socket, connection.rest = wrap(zan.http_port, cert, version), b""
    connection.send(request(method, where, body))
    answer = connection.answer()
    connection.close()
    return answer


def s_client(port, *words, stdin=b""):
    return openssl("s_client", "-connect", "127.0.0.1:%d" % port, "-CAfile", "ca.pem", *words,
                   stdin=stdin, check=False)


# --- what is spoken -------------------------------------------------------------------------------

def both_doors_speak(zan):
    client = resp(zan)
    assert client.socket.version() == "TLSv1.3" and client.call("PING") == "PONG"
    likes = [("LIKE", account, 7) for account in range(1, 20001)]
    client.send_bytes(b"".join(encode(like) for like in likes[:500]))
    assert client.receive(500) == [1] * 500
    assert client.many(likes, 1000) == [0] * 500 + [1] * 19500
    page = client.call("LIKERS", 7, "COUNT", 1000)
    assert len(page[1]) == 1000 and client.call("LIKES", 7) == [20000]
    assert client.call("ECHO", "x" * 60000) == "x" * 60000
    client.close()
    assert ask(zan, "PUT", "/v1/items/7/likes/30000").json["applied"]
    assert ask(zan, "GET", "/v1/items/7/counts").json["counts"]["like"] == 20001
    long = ask(zan, "GET", "/v1/items/7/likes?count=1000").json
    assert len(long["entries"]) == 1000
    body = {"verb": "like", "items": [str(7)] * 1024}
    assert len(ask(zan, "POST", "/v1/batch/counts", json.dumps(body).encode() + b" " * 500000)
               .json["counts"]) == 1024
    assert ask(zan, "GET", "/healthz").status == 200


def real_clients(zan):
    if shutil.which("redis-cli"):
        said = subprocess.run(["redis-cli", "-p", str(zan.port), "--tls", "--cacert", path("ca.pem"),
                               "LIKE", "40000", "8"], capture_output=True, text=True, timeout=30)
        assert said.stdout.strip() == "1", said
    if shutil.which("curl"):
        said = subprocess.run(["curl", "-sS", "--cacert", path("ca.pem"),
                               "https://localhost:%d/v1/items/8/counts" % zan.http_port],
                              capture_output=True, text=True, timeout=30)
        assert json.loads(said.stdout)["counts"]["like"] == (1 if shutil.which("redis-cli") else 0)
        said = subprocess.run(["curl", "-sS", "https://localhost:%d/healthz" % zan.http_port],
                              capture_output=True, text=True, timeout=30)
        assert said.returncode == 60, said  # it knows no such authority


def old_versions(zan):
    for port in (zan.port, zan.http_port):
        for version in ("-tls1", "-tls1_1", "-tls1_2"):
            said = s_client(port, version, "-cipher", "DEFAULT@SECLEVEL=0")
            assert "alert protocol version" in said or "no protocols available" in said, said
            assert "Cipher is (NONE)" in said, said


def early_data(zan):
    """No ticket is given, so nothing can be sent before a handshake."""
    with open(path("early_data"), "w") as file:
        file.write("LIKE 50000 9\r\n")
    said = s_client(zan.port, "-tls1_3", "-sess_out", "session", "-ign_eof",
                    stdin=encode(("PING",)) + encode(("QUIT",)))
    assert "+PONG" in said and "New Session Ticket" not in said, said
    assert "Max Early Data: 0" in said or "Max Early Data" not in said, said
    if os.path.exists(path("session")):
        said = s_client(zan.port, "-tls1_3", "-sess_in", "session", "-early_data", "early_data",
                        "-ign_eof", stdin=encode(("QUIT",)))
        assert "Early data was accepted" not in said, said
    client = resp(zan)
    assert client.call("LIKES", 9) == [0]
    client.close()


def strangers(zan):
    """Plain bytes on a TLS port end in words; TLS on a plain port too."""
    with socket.create_connection(("127.0.0.1", zan.port), 30) as plain:
        plain.sendall(b"PING\r\n")
        assert read_all(plain).startswith(b"-PROTO the bytes are not valid RESP: this port speaks TLS")
    with socket.create_connection(("127.0.0.1", zan.http_port), 30) as plain:
        plain.sendall(request("GET", "/healthz"))
        said = read_all(plain)
        assert said.startswith(b"HTTP/1.1 400 ") and said.endswith(b"this port speaks TLS\n"), said
    for port in (zan.port, zan.http_port):
        with socket.create_connection(("127.0.0.1", port), 30) as plain:
            plain.sendall(b"\x16\x03\x01\x40\x00" + bytes(100) + b"junk")
            plain.shutdown(socket.SHUT_WR)
            read_all(plain)


def read_all(connection):
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


# --- who is calling -------------------------------------------------------------------------------

REFUSED = {"expired": "CERTIFICATE_EXPIRED", "early": "BAD_CERTIFICATE", "elsewhere": "UNKNOWN_CA",
           "self": "UNKNOWN_CA", "revoked": "CERTIFICATE_REVOKED", "nameless": "HANDSHAKE_FAILURE",
           "purpose": "UNSUPPORTED_CERTIFICATE"}


def certificates_decide(zan):
    backend, admin, keyed = resp(zan, "backend"), resp(zan, "admin"), resp(zan)
    assert backend.call("LIKE", 1, 2) == 1 and backend.call("INFO").code == "NOPERM"
    assert admin.call("LIKE", 1, 2).code == "NOPERM" and "zan_version" in str(admin.call("INFO"))
    assert keyed.call("LIKE", 1, 2).code == "NOAUTH"  # no certificate: a key is needed
    assert keyed.call("AUTH", "backend", "-").code == "WRONGPASS"
    assert keyed.call("AUTH", "keyed", "abc") == "OK" and keyed.call("LIKES", 2) == [0]  # tenant 0
    assert ask(zan, "PUT", "/v1/items/2/likes/9", cert="backend").json["applied"]
    assert backend.call("LIKES", 2) == [2]  # the same tenant by both doors
    assert ask(zan, "PUT", "/v1/items/2/likes/9").code == "NOAUTH"
    assert ask(zan, "PUT", "/v1/items/2/likes/9", cert="admin").code == "NOPERM"
    for cert, alert in REFUSED.items():
        for door in (resp_once, http_once):
            try:
                said = door(zan, cert)
            except ssl.SSLError as error:
                assert alert in str(error), "%s %s: %s" % (cert, door.__name__, error)
            else:
                raise AssertionError("%s was let in: %r" % (cert, said))
    assert "unknown ca" in s_client(zan.port, "-cert", "self.pem", "-key", "self.key", "-ign_eof",
                                    stdin=encode(("PING",)))
    assert backend.call("LIKES", 2) == [2]
    for client in (backend, admin, keyed):
        client.close()


def resp_once(zan, cert):
    connection = wrap(zan.port, cert)
    connection.sendall(encode(("PING",)))
    return connection.recv(100)


def http_once(zan, cert):
    connection = wrap(zan.http_port, cert)
    connection.sendall(request("GET", "/healthz"))
    return connection.recv(100)


# --- 1.2, if it must be ---------------------------------------------------------------------------

def version_1_2(zan):
    client = resp(zan, version=ssl.TLSVersion.TLSv1_2)
    assert client.socket.version() == "TLSv1.2" and client.call("PING") == "PONG"
    assert "GCM" in client.socket.cipher()[0] or "CHACHA20" in client.socket.cipher()[0]
    client.close()
    for port in (zan.port, zan.http_port):
        for suite in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
                      "ECDHE-ECDSA-AES256-SHA384", "ADH-AES128-SHA256", "ECDHE-ECDSA-NULL-SHA",
                      "DHE-RSA-AES128-GCM-SHA256"):
            said = s_client(port, "-tls1_2", "-cipher", suite + ":@SECLEVEL=0")
            assert "Cipher is (NONE)" in said, "%s: %s" % (suite, said)
        for version in ("-tls1", "-tls1_1"):
            assert "Cipher is (NONE)" in s_client(port, version, "-cipher", "DEFAULT@SECLEVEL=0")
    said = s_client(zan.port, "-tls1_2", stdin=b"R\n")
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said


# --- keys read again ------------------------------------------------------------------------------

def serial(port):
    with wrap(port) as connection:
        return connection.getpeercert()["serialNumber"]


def reload_under_load(zan):
    """Every request of connections old and new is answered while keys change."""
    stop, counts, wrong = threading.Event(), [0] * 3, []

    def load(which):
        kept = resp(zan)
        try:
            while not stop.is_set():
                if which == 0:
                    assert kept.many([("LIKE", n, 70) for n in range(500)]) is not None
                    counts[which] += 500
                elif which == 1:
                    once = resp(zan)
                    assert once.call("PING") == "PONG"
                    once.close()
                    counts[which] += 1
                else:
                    assert ask(zan, "GET", "/v1/items/70/counts").status == 200
                    counts[which] += 1
        except (AssertionError, OSError, Gone) as error:
            wrong.append(repr(error))
        kept.close()

    threads = [threading.Thread(target=load, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    goal = 100000 if twin_server.DEEP else 10000
    names, turn, seen = ("server2", "server"), 0, set()
    while not wrong and (sum(counts) < goal or turn < 6 or min(counts) < 20):
        name = names[turn % 2]
        turn += 1
        put(name)
        zan.process.send_signal(signal.SIGHUP)
        wanted = openssl("x509", "-in", name + ".pem", "-noout", "-serial").strip().split("=")[1]
        end = time.monotonic() + 60
        while not wrong and not serial(zan.port) == serial(zan.http_port) == wanted:
            assert time.monotonic() < end, "the new certificate is not shown"
        seen.add(wanted)
    stop.set()
    for thread in threads:
        thread.join()
    print("%d requests on old and new connections over %d reloads" % (sum(counts), turn))
    assert not wrong and len(seen) == 2, wrong


def a_broken_file_changes_nothing(zan):
    before = serial(zan.port)
    with open(path("live.pem"), "w") as file:
        file.write("-----BEGIN CERTIFICATE-----\nno\n")
    zan.process.send_signal(signal.SIGHUP)
    for _ in range(20):
        assert serial(zan.port) == before
    put("server")


# --- what does not start --------------------------------------------------------------------------

def refused_settings():
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
    anywhere = ("--resp", "0.0.0.0:%d" % port)
    keys = ("--tls-cert", path("live.pem"), "--tls-key", path("live.key"))
    callers = ("--credentials", path("credentials"))
    for words, message in (
            (anywhere, "credentials are needed"),
            (anywhere + keys, "credentials are needed"),
            (anywhere + callers, "tls-cert"),
            (anywhere + callers + keys + ("--tls-doors", "http"), "tls-cert"),
            (keys[:2], "one is of no use without the other"),
            (keys + ("--tls-client-ca", path("ca.pem")), "credentials"),
            (callers + keys + ("--tls-client-crl", path("crl.pem")), "tls-client-ca"),
            (keys[:3] + (path("ca.key"),), "tls-key"),
            (("--tls-cert", path("nothing")) + keys[2:], "tls-cert"),
            (callers + keys + ("--tls-client-ca", path("ca.key")), "tls-client-ca")):
        done = subprocess.run([os.environ["ZAN"], "serve", "--data", path("none"), "--http", "off",
                               *(("--resp", "127.0.0.1:0") if anywhere[0] not in words else ()),
                               *words], capture_output=True, text=True, timeout=30)
        assert done.returncode in (1, 2) and message in done.stderr, (words, done)
    for more in (keys, ("--plain-remote", "yes")):
        zan = subprocess.Popen([os.environ["ZAN"], "serve", "--data", path("some"), "--http", "off",
                                *anywhere, *callers, *more], stdout=subprocess.PIPE, text=True,
                               preexec_fn=twin_server.die_with_the_test)
        assert "is ready" in zan.stdout.readline()
        zan.terminate()
        zan.communicate(timeout=60)
        assert zan.returncode == 0


def run():
    certificates()
    credentials()
    with server() as zan:
        both_doors_speak(zan)
        real_clients(zan)
        old_versions(zan)
        early_data(zan)
        strangers(zan)
        reload_under_load(zan)
        a_broken_file_changes_nothing(zan)
        assert zan.stop() == 0, zan.messages
        zan.verify()
    with server(credentials=path("credentials"), tls_client_ca=path("ca.pem"),
                tls_client_crl=path("crl.pem"), partitions=2) as zan:
        certificates_decide(zan)
        assert zan.stop() == 0, zan.messages
    with server(tls_least="1.2") as zan:
        version_1_2(zan)
        assert zan.stop() == 0, zan.messages
    refused_settings()


twin_server.main(run)
