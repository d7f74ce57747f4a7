"""What lesson 06 shows. Not a benchmark itself."""

from learner import Demonstration, Learner

PROMPTS = {
    "zh": {
        "poem": "写一首关于大海的诗。",
        "hello": "你好，我叫小雨。",
        "name": "我叫什么名字？",
        "called": "小雨",
    },
    "en": {
        "poem": "Write a poem about the sea.",
        "hello": "Hello, my name is Ada.",
        "name": "What is my name?",
        "called": "Ada",
    },
}
# The stream breaks after so many chunks; there must be an answer that it breaks.
BREAKS_AFTER = 9


def is_cut_in_the_middle(learner: Learner, seed: int) -> bool:
    answer = learner.answer("poem", seed=seed, max_tokens=40)
    return answer["usage"]["completion_tokens"] > 2 * BREAKS_AFTER


def goes_on_without_the_refused_turn(learner: Learner, seed: int) -> bool:
    options = {"seed": seed, "max_tokens": 20}
    greeting = {"role": "user", "content": learner.words["hello"]}
    reply = {"role": "assistant", "content": learner.text("hello", **options)}
    question = {"role": "user", "content": learner.words["name"]}
    talk = [greeting, reply, question]
    return learner.words["called"] in learner.text("name", messages=talk, **options)


DEMONSTRATIONS = [
    Demonstration("a stream breaks in the middle of its answer", is_cut_in_the_middle),
    Demonstration("a talk goes on without the refused turn", goes_on_without_the_refused_turn),
]
