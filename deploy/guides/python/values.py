"""Reads what cityops writes: JSON, or Avro in a registry's frame, told apart by the first byte."""

import json

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


class Values:
    """The reader of a city whose registry this is."""

    def __init__(self, registry):
        self.avro = AvroDeserializer(SchemaRegistryClient(registry)) if registry else None

    def read(self, topic, value):
        """A record's value, its fields by name; times of Avro are datetimes."""
        if value[:1] != b"\0":
            return json.loads(value)
        if self.avro is None:
            raise ValueError(f"{topic} holds Avro: name schema.registry.url in the client properties")
        return self.avro(value, SerializationContext(topic, MessageField.VALUE))


def text(told):
    """The same as one line of JSON."""
    return json.dumps(told, ensure_ascii=False, default=lambda time: time.isoformat())
