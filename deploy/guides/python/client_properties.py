"""Reads the file of client properties that all programs here share; it connects to nothing."""


def read(path):
    """The properties, as Kafka's clients spell them, and the prefix of the topics (none in most cities)."""
    settings = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.strip()
            if line and not line.startswith("#"):
                name, _, value = line.partition("=")
                settings[name.strip()] = value.strip()
    return settings, settings.pop("topic.prefix", "")
