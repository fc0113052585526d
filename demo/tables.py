"""What the demo model knows: fixed answers, facts, and the words of its world (in `words.txt`)."""

from demo.content import items, pairs, words

FALLBACK_EN = (
    "I am only a small demo model and know greetings, capitals, small sums, counting and repeating words; "
    "a real model is registered in the admin."
)
FALLBACK_RU = (
    "Я лишь маленькая демонстрационная модель и знаю приветствия, столицы, сложение, счёт и повторение слов; "
    "настоящая модель подключается в админке."
)
IDENTITY_EN = "I am the demo model of llmsite, a tiny language model for trying things out."
IDENTITY_RU = "Я демонстрационная модель llmsite, совсем маленькая языковая модель."

CAPITALS, CAPITALS_RU = pairs("CAPITALS"), pairs("CAPITALS_RU")
UNKNOWN_PLACES, CITIES = items("UNKNOWN_PLACES"), items("CITIES")
NUMBER_WORDS, SAID = words("NUMBER_WORDS"), words("SAID")
NAMES, NAMES_RU = words("NAMES"), words("NAMES_RU")
WORDS_EN, WORDS_RU = words("WORDS_EN"), words("WORDS_RU")
