"""Reads the file of client properties that all programs here share; it connects to nothing."""

from typing import NamedTuple

REGISTRY = "schema.registry."


class Client(NamedTuple):
    """What is needed to reach the city."""

    # As Kafka's clients spell them.
    settings: dict[str, str]
    # Of the topics; none in most cities.
    prefix: str
    # Of the schema registry's client; empty where there is none.
    registry: dict[str, str]


def read(path):
    """The properties of a file with a line for each."""
    settings = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.strip()
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                settings[name.strip()] = value.strip()
    registry = {name.removeprefix(REGISTRY): settings.pop(name) for name in list(settings) if name.startswith(REGISTRY)}
    return Client(settings=settings, prefix=settings.pop("topic.prefix", ""), registry=registry)
