"""A key that cannot be right is said so, in its own sentence, and without being shown."""

import pytest

from qwen_lab import addresses, keys
from qwen_lab.words import LabError

KEY = "sk-0123456789abcdef0123456789abcdef"


def refused(key, url=addresses.BEIJING):
    with pytest.raises(LabError) as caught:
        keys.for_dashscope(key, "DASHSCOPE_API_KEY", url)
    assert len(key) < 8 or key not in str(caught.value)
    return caught.value.key.removeprefix("connection.key_")


@pytest.mark.parametrize("key", [f'"{KEY}"', f"'{KEY}'", f'"{KEY}', f"{KEY}`", f' "{KEY}" '])
def test_quotes_that_became_part_of_the_key(key):
    assert refused(key) == "quotes"


@pytest.mark.parametrize("key", [f"Bearer {KEY}", f"api_key={KEY}", f"DASHSCOPE_API_KEY={KEY}"])
def test_what_stood_before_the_key(key):
    assert refused(key) == "named"


@pytest.mark.parametrize(
    "key",
    [
        "your_dashscope_api_key",
        "YOUR_API_KEY",
        "<your-key>",
        "<API_KEY>",
        "sk-your-key",
        "sk-<key>",
        "{api_key}",
        "[DASHSCOPE_API_KEY]",
        "sk-***",
        "sk-0123****cdef",
        "sk-0123...cdef",
        "sk-...",
        "sk-…",
        "${DASHSCOPE_API_KEY}",
        "$DASHSCOPE_API_KEY",
        "%DASHSCOPE_API_KEY%",
        "sk-xxx",
        "sk-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "sk-xxxx-xxxx-xxxx",
        "sk-00000000000000000000000000000000",
        "sk-12312312312312312312312312312312",
        "my-api-key",
        "changeme",
        "replace_with_real_key",
        "sk-test-key",
        "sk-你的密钥",
    ],
)
def test_the_placeholder_of_an_example(key):
    assert refused(key) == "placeholder"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("sk-0123456789", "short"),
        ("sk-1234", "short"),
        (f"st-{KEY[3:]}", "temporary"),
        ("LTAI5t0123456789abcdefgh", "prefix"),
        (KEY[3:], "prefix"),
        (f"{KEY};", "character"),
        (f"{KEY},{KEY}", "doubled"),
        (f"{KEY}{KEY}", "doubled"),
        (f"{KEY} {KEY}", "doubled"),
        (KEY.upper(), "capitals"),
        (f"SK-{KEY[3:]}", "capitals"),
        (f"{KEY}\u200b", "character"),
        (f"sk-sp-{KEY[3:]}", "plan"),
    ],
)
def test_what_no_key_looks_like(key, why):
    assert refused(key) == why


def test_a_plans_key_and_its_address_belong_together():
    assert keys.for_dashscope(f"sk-sp-{KEY[3:]}", "KEY", addresses.PLAN) == f"sk-sp-{KEY[3:]}"
    assert refused(KEY, addresses.PLAN) == "not_plan"
    with pytest.raises(LabError, match=addresses.PLAN):
        keys.for_dashscope(f"sk-sp-{KEY[3:]}", "KEY", addresses.BEIJING)


@pytest.mark.parametrize(
    "key", [KEY, "sk-ws-H.ABCDEF.Yx9k_-0123456789abcdefghij", f"{KEY}{KEY[3:]}"]
)
def test_a_key_of_the_right_shape_is_taken(key):
    assert keys.for_dashscope(key, "KEY", addresses.BEIJING) == key


@pytest.mark.parametrize("key", ["EMPTY", "none", "token-abc123", "sk-1234", "test", "pa$s/w+rd="])
def test_a_key_of_another_server_may_look_as_it_likes(key):
    assert keys.checked(key, "QWEN_LAB_API_KEY") == key


@pytest.mark.parametrize("key", ['"abc"', "<your-key>", "${KEY}", "your_api_key", "a b", "钥匙"])
def test_but_not_like_none(key):
    with pytest.raises(LabError, match="QWEN_LAB_API_KEY"):
        keys.checked(key, "QWEN_LAB_API_KEY")


def test_variables_named_like_secrets_are_secrets():
    variables = {"QWEN_LAB_API_KEY": "one", "HF_TOKEN": "two", "LANG": "three", "A_KEY": ""}
    assert keys.secrets(variables, {"DB_PASSWORD": "four", "B": None}) == {"one", "two", "four"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"My key is {KEY}.", "My key is sk-…."),
        (f"我的密钥是{KEY}。", "我的密钥是sk-…。"),
        ("st-0123456789 expired", "sk-… expired"),
        ("a test-something stays", "a test-something stays"),
        ("one and one.more", "… and …"),
    ],
)
def test_a_text_without_keys(text, left):
    assert keys.without(text, {"one", "one.more"}) == left
