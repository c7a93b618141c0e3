#!/usr/bin/env python3
"""Sends hotline tickets to cityops, each safely and under its key, and tells what becomes of each.

    produce_tickets.py client.properties [--follow SECONDS] < tickets.ndjson

A line of input is a ticket in JSON. A line of output is what was heard of one: its outcome, or why it was refused.
Exit code: 0 all were taken, 1 some were not delivered (send those again, with the same event_id), 3 some were refused.
"""

import argparse
import json
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

import client_properties
import values

TICKETS = "city.hotline.tickets.v1"
OUTCOMES = "city.events.outcomes.v1"
LETTERS = "city.deadletter.v1"


def identity(ticket):
    """By this cityops knows a record again: sent twice, it counts once."""
    return f"{ticket['source_system']}/{ticket['event_id']}"


def key(ticket):
    """Tickets that cite the same first ticket lie in one partition, in the order in which they were sent."""
    return ticket.get("parent_ticket_id") or ticket["ticket_id"]


def send(producer, topic, lines):
    """Sends all; gives where each lies, as (partition, offset), and what could not be delivered."""
    places, waiting = {}, set()

    def delivered(ticket):
        def told(error, message):
            if error is not None:
                print(f"{ticket}: not delivered: {error}", file=sys.stderr)
                return
            waiting.discard(ticket)
            places[message.partition(), message.offset()] = ticket

        return told

    for line in lines:
        ticket = json.loads(line)
        waiting.add(identity(ticket))
        while True:
            try:
                producer.produce(
                    topic, key=key(ticket), value=line.strip(), on_delivery=delivered(identity(ticket))
                )
                break
            except BufferError:
                # The queue is full: some must be delivered first.
                producer.poll(1.0)
        producer.poll(0)
    # Ends when each is delivered or was tried for delivery.timeout.ms.
    producer.flush()
    return places, waiting


class Feedback:
    """Reads what is told of records from now on."""

    def __init__(self, client):
        self.values = values.Values(client.registry)
        # A group's name is asked for; nothing is committed under it.
        self.consumer = Consumer(
            client.settings
            | {
                "group.id": "cityops-integrator-hotline-tickets",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self.outcomes, self.letters = client.prefix + OUTCOMES, client.prefix + LETTERS
        ends = self.ends(self.outcomes)
        letters = self.ends(self.letters)
        # Dead letters hold everybody's personal data, so most have no right to read them. The outcomes tell the reason, too.
        self.sees_letters = bool(letters)
        self.consumer.assign(ends + letters)

    def ends(self, topic):
        """Where the topic ends now; nothing of one that may not be read."""
        known = self.consumer.list_topics(topic, timeout=30).topics[topic]
        if known.error is not None:
            print(f"{topic}: {known.error}", file=sys.stderr)
            return []
        places = [TopicPartition(topic, partition) for partition in known.partitions]
        for place in places:
            _, place.offset = self.consumer.get_watermark_offsets(place, timeout=30)
        return places

    def follow(self, places, seconds):
        """Prints what is told of these records until something was told of each; gives how many were refused."""
        waiting, refused = set(places.values()), set()
        until = time.monotonic() + seconds
        while waiting and time.monotonic() < until:
            message = self.consumer.poll(1.0)
            if message is None:
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            if message.topic() == self.letters:
                ticket = places.get(origin(message))
                if ticket is not None:
                    headers = dict(message.headers())
                    reason, detail = (headers[f"cityops.{name}"].decode() for name in ("reason", "detail"))
                    show({"event": ticket, "refused": reason, "detail": detail})
                    refused.add(ticket)
                    waiting.discard(ticket)
                continue
            ticket = message.key().decode()
            if ticket in waiting and message.value() is not None:
                told = self.values.read(self.outcomes, message.value())
                show({"event": ticket} | told)
                if told["outcome"] != "deadletter":
                    waiting.discard(ticket)
                else:
                    refused.add(ticket)
                    if not self.sees_letters:
                        waiting.discard(ticket)
        return len(refused)


def origin(letter):
    """Where the refused record lies in the tickets' topic; None if it came by another topic, or is no letter but a mark."""
    headers = dict(letter.headers() or [])
    if headers.get("cityops.topic") != TICKETS.encode():
        return None
    return int(headers["cityops.partition"]), int(headers["cityops.offset"])


def show(told):
    print(values.text(told), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("properties")
    arguments.add_argument("--follow", type=float, default=60, metavar="SECONDS", help="how long to wait for what is told")
    arguments = arguments.parse_args()
    client = client_properties.read(arguments.properties)
    # As Ctrl-C does: the clients are closed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    # Before sending, so that nothing is missed.
    feedback = Feedback(client)
    producer = Producer(
        client.settings
        | {
            # On every copy that must have it, once, in order, also when a request is repeated.
            "acks": "all",
            "enable.idempotence": True,
            # Kafka's own, so that programs in Java and Python put a key into the same partition.
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "linger.ms": 20,
            "delivery.timeout.ms": 120_000,
        }
    )
    places, undelivered = send(producer, client.prefix + TICKETS, sys.stdin)
    refused = feedback.follow(places, arguments.follow)
    feedback.consumer.close()
    for ticket in sorted(undelivered):
        print(f"{ticket}: send it again", file=sys.stderr)
    return 1 if undelivered else 3 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
