"""What lesson 04 shows. Not a benchmark itself.

Its points are about time and order, which do not hang on the model's words; these are the words
that it prints, and a poem that must be long enough to be cancelled.
"""

from learner import Demonstration

# By the answer that is right.
CAPITALS = {
    "zh": {"巴黎": "法国", "东京": "日本", "罗马": "意大利", "伦敦": "英国"},
    "en": {"Paris": "France", "Tokyo": "Japan", "London": "Britain", "Madrid": "Spain"},
}
QUESTIONS = {
    "zh": "{}的首都是哪里？只写城市名。",
    "en": "What is the capital of {}? Give only the name.",
}
POEM = {"zh": "写一首关于大海的诗。", "en": "Write a poem about the sea."}
PROMPTS = {
    language: {"poem": POEM[language]}
    | {city: QUESTIONS[language].format(country) for city, country in cities.items()}
    for language, cities in CAPITALS.items()
}


def capitals(learner, seed):
    """How many of the four capitals are right."""
    cities = [name for name in learner.words if name != "poem"]
    return sum(city in learner.text(city, seed=seed, max_tokens=8) for city in cities)


DEMONSTRATIONS = [
    Demonstration("each of the four capitals is right", lambda x, s: capitals(x, s) == 4),
    Demonstration(
        "the poem goes on after ten pieces",
        lambda x, s: x.answer("poem", seed=s, max_tokens=30)["usage"]["completion_tokens"] == 30,
    ),
]
