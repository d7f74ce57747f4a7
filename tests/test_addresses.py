"""Which addresses are DashScope's: only to those does its key go by itself."""

import pytest

from qwen_lab import addresses


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
