"""Which addresses are DashScope's: only to those does its key go by itself."""

import pytest

from qwen_lab import addresses
from qwen_lab.words import LabError


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("dashscope.aliyuncs.com", "cn-beijing"),
        ("dashscope-intl.aliyuncs.com", "ap-southeast-1"),
        ("dashscope-us.aliyuncs.com", "us-east-1"),
        ("cn-hongkong.dashscope.aliyuncs.com", "cn-hongkong"),
        ("ws-1a2b.eu-central-1.maas.aliyuncs.com", "eu-central-1"),
        ("llm-x.ap-northeast-1.maas.aliyuncs.com", "ap-northeast-1"),
        ("DashScope.AliyunCS.com:443", "cn-beijing"),
    ],
)
def test_the_documented_hosts_are_dashscopes(host, region):
    assert addresses.region(f"https://{host}/compatible-mode/v1") == region


@pytest.mark.parametrize(
    "url",
    [
        "http://dashscope.aliyuncs.com/compatible-mode/v1",
        "https://my-bucket.oss-cn-beijing.aliyuncs.com/v1",
        "https://aliyuncs.com/v1",
        "https://maas.aliyuncs.com/v1",
        "https://cn-beijing.maas.aliyuncs.com/v1",
        "https://ws.evil.maas.aliyuncs.com/v1",
        "https://a.b.cn-beijing.maas.aliyuncs.com/v1",
        "https://dashscope.aliyuncs.com.evil.example/v1",
        "https://evil-dashscope.aliyuncs.com/v1",
        "https://dashscope.aliyuncs.com@evil.example/v1",
        "https://evil.example\\@dashscope.aliyuncs.com/v1",
        "https://user:pw@dashscope.aliyuncs.com/v1",
        "https://dashscope.aliyuncs.com:8443/v1",
        "https://dashscope。aliyuncs.com/v1",
        "https://[::1",
        "",
    ],
)
def test_no_other_is(url):
    assert addresses.region(url) is None


INTL = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"


@pytest.mark.parametrize(
    "text",
    [
        INTL,
        "dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "dashscope-intl.aliyuncs.com",
        "//dashscope-intl.aliyuncs.com/",
        "https:dashscope-intl.aliyuncs.com",
        "https//dashscope-intl.aliyuncs.com",
        "http://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "https://dashscope-intl.aliyuncs.com:443",
        "HTTPS://DashScope-INTL.aliyuncs.com/v1",
        f"{INTL}/",
        f"{INTL}/chat/completions",
        f"{INTL}/models",
        "https://dashscope-intl.aliyuncs.com/compatible-mode",
        "https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/text-generation/generation",
        "https://dashscope-intl.aliyuncs.com/api/v2/apps/protocols/compatible-mode/v1",
        "https://dashscope-intl.aliyuncs.com/apps/anthropic",
        f" {INTL} ",
        f'"{INTL}"',
        f"<{INTL}>",
        INTL.replace(":", "："),
        INTL.replace(".", "。"),
        f"{INTL}?a=1#b",
    ],
)
def test_a_dashscope_address_is_mended_to_where_its_api_lies(text):
    assert addresses.mended(text) == INTL


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://gpu:8000/v1", "http://gpu:8000/v1"),
        ("http://gpu:8000/v1/chat/completions", "http://gpu:8000/v1"),
        ("https://x.example/v1/models/", "https://x.example/v1"),
        ("http:/127.0.0.1:8000/v1 ", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://x.example/v1?api-version=1", "https://x.example/v1?api-version=1"),
        # Another service may lie on another port.
        ("https://dashscope.aliyuncs.com:8443/v1", "https://dashscope.aliyuncs.com:8443/v1"),
    ],
)
def test_of_another_address_only_what_the_sdk_adds_is_cut_off(text, meant):
    assert addresses.mended(text) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gpu:8000/v1", "scheme"),
        ("localhost:11434", "scheme"),
        ("htps://gpu:8000/v1", "scheme"),
        ("ftp://gpu/v1", "scheme"),
        ("https://{WorkspaceId}.cn-beijing.maas.aliyuncs.com/compatible-mode/v1", "placeholder"),
        ("https://<workspace-id>.cn-beijing.maas.aliyuncs.com/compatible-mode/v1", "placeholder"),
        ("https://your-workspace-id.us-east-1.maas.aliyuncs.com", "placeholder"),
        ("http://", "broken"),
        ("https:///v1", "broken"),
        ("http://[::1", "broken"),
        ("http://gpu:99999/v1", "broken"),
        ("http://gpu:port/v1", "broken"),
        ("http://g pu/v1", "broken"),
        ("https://evil.example\\@dashscope.aliyuncs.com", "broken"),
    ],
)
def test_what_cannot_be_an_address_is_said_before_any_request(text, why):
    with pytest.raises(LabError) as caught:
        addresses.mended(text)
    assert caught.value.key == f"connection.address_{why}"


def test_a_password_in_an_address_is_not_shown():
    url = addresses.mended("https://me:secret@gpu:8000/v1")
    assert url == "https://me:secret@gpu:8000/v1" and "secret" not in repr(url) + repr([url])
    assert addresses.shown(url) == "https://gpu:8000/v1" and addresses.host(url) == "gpu:8000"
    with pytest.raises(LabError) as caught:
        addresses.mended("https://me:secret@gpu:port/v1")
    assert "secret" not in str(caught.value)


def test_the_list_price_is_beijings():
    workspace = "https://ws.cn-beijing.maas.aliyuncs.com/compatible-mode/v1"
    assert addresses.has_list_price(addresses.BEIJING) and addresses.has_list_price(workspace)
    for url in (INTL, addresses.PLAN, "https://gateway.example/v1"):
        assert not addresses.has_list_price(url)
