//! What the job tells after each event: its incident as it is now, in JSON.

use super::event::{Event, KINDS, Micro};
use super::open::Incident;

/// The time of a priority's step for how long an incident lasts.
const STEP_MS: i64 = 600_000;

/// Writes the incident that an event has changed.
pub fn write(value: &mut Vec<u8>, incident: &Incident, event: &Event, cell: &[u8]) {
    value.extend_from_slice(b"{\"id\":\"");
    id(value, b'i', incident.number);
    value.extend_from_slice(b"\",\"kind\":\"");
    value.extend_from_slice(KINDS[usize::from(incident.kind)].as_bytes());
    value.extend_from_slice(b"\",\"count\":");
    number(value, u64::from(incident.count));
    value.extend_from_slice(b",\"first_time\":");
    number(value, incident.first.unsigned_abs());
    value.extend_from_slice(b",\"last_time\":");
    number(value, incident.last.unsigned_abs());
    let Micro { lon, lat } = incident.place;
    value.extend_from_slice(b",\"lon\":");
    degrees(value, lon);
    value.extend_from_slice(b",\"lat\":");
    degrees(value, lat);
    value.extend_from_slice(b",\"cell\":\"");
    value.extend_from_slice(cell);
    value.extend_from_slice(b"\",\"priority\":");
    number(value, priority(incident));
    value.extend_from_slice(b",\"cause\":\"");
    id(value, b'e', event.number);
    value.extend_from_slice(b"\"}");
}

/// The priority: by kind, by how many have told of it, and by how long it has lasted.
fn priority(incident: &Incident) -> u64 {
    let steps = ((incident.last - incident.first) / STEP_MS).clamp(0, 6);
    10 * u64::from(incident.kind % 5) + 5 * u64::from(incident.count.min(10)) + steps.unsigned_abs()
}

/// An id: a letter and seven digits.
pub fn id(value: &mut Vec<u8>, letter: u8, number: u32) {
    value.push(letter);
    padded(value, u64::from(number), 7);
}

fn degrees(value: &mut Vec<u8>, micro: i32) {
    if micro < 0 {
        value.push(b'-');
    }
    let micro = u64::from(micro.unsigned_abs());
    number(value, micro / 1_000_000);
    value.push(b'.');
    padded(value, micro % 1_000_000, 6);
}

fn number(value: &mut Vec<u8>, number: u64) {
    padded(value, number, 1);
}

/// With zeros before it, where it has fewer digits.
fn padded(value: &mut Vec<u8>, mut number: u64, digits: usize) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while number > 0 {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    value.extend_from_slice(&text[at.min(text.len() - digits)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_is_written_to_the_letter() {
        let place = Micro {
            lon: 121_000_001,
            lat: 31_110_076,
        };
        let incident = Incident {
            number: 12,
            kind: 9,
            count: 3,
            first: 1_790_000_000_258,
            last: 1_790_001_200_258,
            place,
        };
        let event = Event {
            number: 12_345_678,
            kind: 9,
            place,
            time: 1_790_001_200_258,
        };
        let mut value = Vec::new();
        write(&mut value, &incident, &event, b"c123-045");
        assert_eq!(
            String::from_utf8(value).unwrap(),
            r#"{"id":"i0000012","kind":"noise_works","count":3,"first_time":1790000000258,"last_time":1790001200258,"lon":121.000001,"lat":31.110076,"cell":"c123-045","priority":57,"cause":"e12345678"}"#
        );
        for (number, expected) in [(0, "0"), (7, "7"), (u64::MAX, "18446744073709551615")] {
            let mut value = Vec::new();
            super::number(&mut value, number);
            assert_eq!(String::from_utf8(value).unwrap(), expected);
        }
    }
}
