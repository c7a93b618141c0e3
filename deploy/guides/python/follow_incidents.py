#!/usr/bin/env python3
"""Keeps the city's incidents as they are now in a database, and tells each that becomes P1.

    follow_incidents.py client.properties incidents.db

Each revision is handled once, whenever the program is stopped or killed: what is known of an incident, what is to be told, and
where to read on change in one transaction of the database. What is told leaves it afterwards, so after a crash a line may come
twice, never not at all; incident_id and revision say that it is the same.
"""

import signal
import sqlite3
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

import client_properties
import values

INCIDENTS = "city.incidents.v1"

TABLES = """
create table if not exists incident (
  incident_id text primary key, revision integer not null, status text not null, band text not null, record text not null
);
create table if not exists position (partition integer primary key, next integer not null);
create table if not exists outbox (line text not null);
"""


def take(database, incident_id, incident):
    """Handles a record, and gives what is new in it; None if it is known already."""
    row = database.execute("select revision, status, band from incident where incident_id = ?", [incident_id])
    revision, status, band = row.fetchone() or (0, "", "")
    if incident is None:
        # Nothing can refer to it any more: it was closed or merged long ago.
        database.execute("delete from incident where incident_id = ?", [incident_id])
        return {"what": "gone", "incident_id": incident_id, "revision": revision} if revision else None
    if incident["revision"] <= revision:
        return None
    now = (incident["status"], incident["priority"]["band"])
    database.execute(
        "insert or replace into incident values (?, ?, ?, ?, ?)",
        [incident_id, incident["revision"], *now, values.text(incident)],
    )
    was_open, is_open = status == "OPEN", now[0] == "OPEN"
    if now == ("OPEN", "P1") and (status, band) != now:
        what = "new_p1"
    elif is_open:
        what = "changed" if was_open else "reopened" if status else "opened"
    else:
        what = "ended"
    return {
        "what": what,
        "incident_id": incident_id,
        "revision": incident["revision"],
        "status": now[0],
        "band": now[1],
        "name": incident["name_zh"],
        "members": incident["member_count"],
        "reasons": incident["priority"]["reasons_zh"],
        "merged_into": incident.get("merged_into"),
    }


def take_all(database, reader, messages):
    """Handles records and where to read on, all or nothing."""
    with database:
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            value = message.value()
            incident = None if value is None else reader.read(message.topic(), value)
            told = take(database, message.key().decode(), incident)
            if told is not None:
                database.execute("insert into outbox values (?)", [values.text(told)])
            database.execute(
                "insert or replace into position values (?, ?)", [message.partition(), message.offset() + 1]
            )


def tell(database):
    """Hands on what is to be told: here to standard output, with you to a screen, a queue or a telephone."""
    rows = database.execute("select rowid, line from outbox order by rowid").fetchall()
    if rows:
        for _, line in rows:
            print(line)
        sys.stdout.flush()
        with database:
            database.execute("delete from outbox where rowid <= ?", [rows[-1][0]])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    client = client_properties.read(sys.argv[1])
    reader = values.Values(client.registry)
    database = sqlite3.connect(sys.argv[2])
    database.executescript(TABLES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    consumer = Consumer(
        client.settings
        | {
            # A group's name is asked for; where to read on stands in the database, beside what was read.
            "group.id": "cityops-centre-incidents",
            "enable.auto.commit": False,
            # What was not committed never was.
            "isolation.level": "read_committed",
            # Where the city was rebuilt, the database is of a topic that is gone: better stop than go on.
            "auto.offset.reset": "error",
        }
    )
    topic = client.prefix + INCIDENTS
    read_on = dict(database.execute("select partition, next from position"))
    known = consumer.list_topics(topic, timeout=30).topics[topic]
    if known.error is not None:
        raise KafkaException(known.error)
    consumer.assign(
        [TopicPartition(topic, partition, read_on.get(partition, OFFSET_BEGINNING)) for partition in known.partitions]
    )
    try:
        while True:
            # What a crash left in the outbox goes first.
            tell(database)
            take_all(database, reader, consumer.consume(500, timeout=1.0))
    except KeyboardInterrupt:
        return 0
    finally:
        consumer.close()
        database.close()


if __name__ == "__main__":
    sys.exit(main())
