"""Which of DashScope's hosts takes a key: asked of its hosts alone, over https."""

import httpx2
import pytest

from qwen_lab.settings import Settings
from qwen_lab.setup import cloud, finding

KEY = "sk-0123456789abcdef0123456789abcdef"
INTL = "dashscope-intl.aliyuncs.com"


@pytest.fixture
def hosts(monkeypatch):
    """What each host answers, 401 where nothing is said; and what was asked, in order."""
    answers, asked = {}, []

    def get(url, headers, timeout):
        asked.append((url, headers["authorization"]))
        answer = answers.get(httpx2.URL(url).host, 401)
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer)

    monkeypatch.setattr(httpx2, "get", get)
    return answers, asked


def asked_with(**variables):
    return cloud.cloud(Settings({"DASHSCOPE_API_KEY": KEY, **variables}, {}))


def test_the_host_in_use_takes_the_key(hosts):
    answers, asked = hosts
    answers["dashscope.aliyuncs.com"] = 200
    told = asked_with()
    assert told.sign == "✓" and "dashscope.aliyuncs.com: takes" in told.seen
    assert len(asked) == 4 and set(asked) == {
        (f"https://{host}/compatible-mode/v1/models", f"Bearer {KEY}")
        for host in (
            "dashscope.aliyuncs.com",
            INTL,
            "dashscope-us.aliyuncs.com",
            "cn-hongkong.dashscope.aliyuncs.com",
        )
    }


def test_a_key_of_another_region_is_told_where_it_belongs(hosts):
    answers, _ = hosts
    answers[INTL] = 200
    told = asked_with()
    assert told.sign == "✗" and f"DASHSCOPE_BASE_URL=https://{INTL}/compatible-mode/v1" in told.todo


def test_the_workspaces_own_host_is_asked_as_well(hosts):
    answers, asked = hosts
    host = "ws-1.eu-central-1.maas.aliyuncs.com"
    answers[host] = 200
    told = asked_with(DASHSCOPE_BASE_URL=f"http://{host}")
    assert told.sign == "✓" and asked and len(asked) == 5


def test_the_endpoint_that_is_named_is_the_one_in_use(hosts):
    answers, _ = hosts
    answers[INTL] = 200
    assert asked_with(QWEN_LAB_ENDPOINT=f"https://{INTL}").sign == "✓"
    assert asked_with(QWEN_LAB_ENDPOINT="local").sign == "✗"


def test_a_key_goes_to_no_other_host(hosts):
    answers, asked = hosts
    asked_with(DASHSCOPE_BASE_URL="https://elsewhere.example/v1")
    assert len(asked) == 4 and not any("elsewhere" in url for url, _ in asked)


def test_a_key_that_nobody_takes_is_told_from_hosts_that_do_not_answer(hosts):
    answers, _ = hosts
    assert "Copy the key again" in asked_with().todo
    answers["dashscope.aliyuncs.com"] = httpx2.ConnectError("no way")
    told = asked_with()
    assert told.sign == "✗" and "no way" in told.seen and "network" in told.todo


def test_without_a_key_or_with_an_impossible_one_nobody_is_asked(hosts):
    _, asked = hosts
    assert cloud.cloud(Settings({}, {})).sign == "!"
    wrong = Settings({"DASHSCOPE_API_KEY": "sk-your-key"}, {})
    assert finding.of(lambda: cloud.cloud(wrong)).sign == "✗" and not asked
