"""Proxies and certificates as a learner's shell leaves them, and what becomes of them."""

import os
import socket
import ssl
import urllib.request
from threading import Thread

import httpx2
import openai
import pytest

from qwen_lab import network

CERTIFICATES = network.CERTIFICATES
NAMES = [*network.PROXIES, "no_proxy"]


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No proxy and no certificates are set, and what a test sets is gone when it is over."""
    for name in [*NAMES, *map(str.upper, NAMES), *CERTIFICATES]:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def client(url="https://dashscope.aliyuncs.com/compatible-mode/v1"):
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0, timeout=5)


def way(url):
    """How the SDK goes there: "straight" or "proxy"."""
    with client(url) as here:
        transport = here._client._transport_for_url(httpx2.URL(url))
        return "straight" if transport is here._client._transport else "proxy"


def test_where_nothing_is_amiss_nothing_is_said(monkeypatch):
    assert network.prepare() == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:7890")
    monkeypatch.setenv("all_proxy", "socks5h://me:secret@127.0.0.1:7890")
    monkeypatch.setenv("http_proxy", "127.0.0.1:7890")
    before = dict(os.environ)
    assert network.prepare() == ""
    assert {name: os.environ[name] for name in before} == before


@pytest.mark.parametrize("name", ["all_proxy", "ALL_PROXY", "https_proxy", "HTTP_PROXY"])
def test_socks_is_read_as_socks5(monkeypatch, name):
    monkeypatch.setenv(name, "socks://me:secret@127.0.0.1:7897/")
    told = network.prepare()
    assert os.environ[name] == "socks5://me:secret@127.0.0.1:7897/"
    assert name in told and "secret" not in told and network.prepare() == ""
    client().close()


def test_the_sdk_goes_through_socks(monkeypatch):
    body = b'{"data":[{"id":"qwen","object":"model","created":1,"owned_by":"x"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    heard = []

    def serve(server):
        connection, _ = server.accept()
        with connection:
            # By RFC 1928: no password is wanted; the way is open; what comes then is HTTP.
            for reply in (b"\x05\x00", b"\x05\x00\x00\x01" + bytes(6), answer):
                heard.append(connection.recv(4096))
                connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, args=[server], daemon=True)
        thread.start()
        monkeypatch.setenv("all_proxy", f"socks://127.0.0.1:{server.getsockname()[1]}")
        network.prepare()
        with client("http://cloud.example/v1") as here:
            assert here.models.list().data[0].id == "qwen"
        thread.join()
    assert b"cloud.example" in heard[1] and heard[2].startswith(b"GET /v1/models")


@pytest.mark.parametrize(
    "value",
    [
        "socks4://127.0.0.1:1080",
        "socks4a://127.0.0.1:1080",
        "ftp://127.0.0.1:21",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://",
        "http:/127.0.0.1:7890",
        "socks:127.0.0.1:7890",
        "http://[::1",
        "http://a b:1",
        "http://代理:7890",
        "me:secret@",
    ],
)
def test_a_proxy_that_nothing_can_use_is_taken_out(monkeypatch, value):
    monkeypatch.setenv("all_proxy", value)
    told = network.prepare()
    assert "all_proxy" not in os.environ and "all_proxy" in told and "secret" not in told
    client().close()


@pytest.mark.parametrize("value", ["socks4://u:secret@127.0.0.1:1080", "SOCKS4A://127.0.0.1"])
def test_a_socks4_proxy_is_called_one_in_one_sentence(monkeypatch, value):
    monkeypatch.setenv("ALL_PROXY", value)
    told = network.prepare()
    assert "SOCKS4" in told and "ALL_PROXY" in told and "secret" not in told
    assert "no proxy that can be used" not in told and "ALL_PROXY" not in os.environ


def failed(url):
    """What is said of the call to this address, which fails."""
    with client(url) as here, pytest.raises(openai.APIConnectionError) as caught:
        here.models.list()
    return network.why(caught.value, url)


def test_a_proxy_that_is_not_reached_is_named_and_not_the_address_behind_it(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:secret@127.0.0.1:9")
    told = failed("https://dashscope.aliyuncs.com/v1")
    assert "proxy in between, http://127.0.0.1:9 (https_proxy)" in told and "listens" in told
    assert "secret" not in told and "proxy" not in failed("http://127.0.0.1:9/v1")
    monkeypatch.setenv("all_proxy", "http://no-such-proxy.invalid:7897")
    monkeypatch.delenv("https_proxy")
    told = failed("https://dashscope.aliyuncs.com/v1")
    assert "no-such-proxy.invalid:7897 (all_proxy)" in told and "isn't known" in told
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "proxy" not in failed("http://127.0.0.1:9/v1")


def test_a_proxy_that_refuses_is_named_and_one_that_leads_there_is_not_blamed(monkeypatch):
    def answer(reply):
        asked, _ = proxy.accept()
        with asked:
            asked.recv(4096)
            asked.sendall(reply)
            # What is left unread would cut the connection, before its answer is read.
            asked.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        for reply, blamed in ((refusal, True), (b"HTTP/1.1 200 OK\r\n\r\nno TLS", False)):
            Thread(target=answer, args=[reply], daemon=True).start()
            told = failed("https://dashscope.aliyuncs.com/v1")
            assert ("the proxy in between" in told) == blamed and ("407" in told) == blamed


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "null", "damaged"])
def test_a_certificate_variable_that_names_nothing_usable_is_taken_out(
    monkeypatch, tmp_path, name, kind
):
    path = tmp_path / "certificates.pem"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
        contents = {"empty": "", "text": "no certificate\n", "null": "\0"}
        path.write_text(contents.get(kind, f"{begin}bm9uZQ==\n{end}"))
    monkeypatch.setenv(name, str(path))
    told = network.prepare()
    assert name not in os.environ and name in told and str(path) in told
    client().close()


def test_certificates_that_are_there_stay(monkeypatch, tmp_path):
    system = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    if not os.path.isfile(system):
        pytest.skip("this machine has no file of certificates")
    (tmp_path / "0a1b2c3d.0").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", system)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", system)
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere{os.pathsep}{tmp_path}")
    assert network.prepare() == ""
    assert {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"} <= os.environ.keys()


def test_the_systems_proxy_stays_when_no_proxy_is_written(monkeypatch):
    system = {"http": "http://10.0.0.1:8080", "https": "http://10.0.0.1:8080", "ftp": "ftp://x"}

    def found():
        return urllib.request.getproxies_environment() or system

    monkeypatch.setattr(urllib.request, "getproxies", found)
    network.prepare()
    assert urllib.request.getproxies_environment()["https"] == "http://10.0.0.1:8080"
    assert way("https://dashscope.aliyuncs.com/v1") == way("http://cloud.example/v1") == "proxy"
    assert way("http://127.0.0.1:8000/v1") == "straight"


def test_a_list_of_exceptions_is_kept_and_a_star_says_it_all(monkeypatch):
    monkeypatch.setenv("no_proxy", "internal.example, 10.0.0.1")
    monkeypatch.setenv("NO_PROXY", "*")
    network.prepare()
    assert os.environ["no_proxy"] == "internal.example,10.0.0.1,127.0.0.1"
    assert os.environ["NO_PROXY"] == "*"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "127.0.1.1", "0.0.0.0", "qwen.localhost"]
)
def test_loopback_is_never_asked_for_through_a_proxy(monkeypatch, host):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    network.prepare()
    url = f"http://{host}:8000/v1"
    network.go_straight(url)
    assert way(url) == "straight" and way("http://gpu:8000/v1") == "proxy"


def test_another_machine_is_asked_for_as_the_proxy_settings_say(monkeypatch):
    network.go_straight("http://gpu:8000/v1")
    assert "gpu" not in os.environ.get("NO_PROXY", "")
