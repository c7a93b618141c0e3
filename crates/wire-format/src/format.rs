//! Tells a value's encoding by its first bytes; looks no further.

/// The limit of a record's size unless the caller gives another.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// How a value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Avro behind the Confluent frame: a zero byte and the schema's id, big-endian.
    Framed {
        /// The id in the schema registry; `None` when the frame is cut off.
        schema_id: Option<u32>,
    },
    /// Avro single-object encoding: `C3 01` and the CRC-64-AVRO of the schema's canonical form, little-endian.
    SingleObject {
        /// The fingerprint; `None` when the frame is cut off.
        fingerprint: Option<u64>,
    },
    /// JSON text.
    Json,
}

/// The one encoding that a topic is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Avro in either frame.
    Avro,
    /// JSON.
    Json,
}

impl Pin {
    /// Whether a value of this format may come.
    pub fn allows(self, format: Format) -> bool {
        (self == Pin::Json) == (format == Format::Json)
    }
}

impl Format {
    /// Bytes before the datum of a framed value.
    pub const FRAME_BYTES: usize = 5;
    /// Bytes before the datum of a single object.
    pub const SINGLE_OBJECT_BYTES: usize = 10;

    /// The format of `bytes`. Neither a zero byte nor `C3 01` can begin a JSON text.
    pub fn detect(bytes: &[u8]) -> Format {
        match bytes {
            [0, rest @ ..] => Format::Framed {
                schema_id: rest.first_chunk().map(|id| u32::from_be_bytes(*id)),
            },
            [0xC3, 0x01, rest @ ..] => Format::SingleObject {
                fingerprint: rest.first_chunk().map(|print| u64::from_le_bytes(*print)),
            },
            _ => Format::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide() {
        assert_eq!(
            Format::detect(&[0, 0, 0, 1, 2, 9]),
            Format::Framed { schema_id: Some(258) }
        );
        assert_eq!(Format::detect(&[0, 0, 0]), Format::Framed { schema_id: None });
        assert_eq!(
            Format::detect(&[0xC3, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
            Format::SingleObject { fingerprint: Some(1) }
        );
        assert_eq!(
            Format::detect(&[0xC3, 1, 7]),
            Format::SingleObject { fingerprint: None }
        );
        for json in [&b"{}"[..], b"", b" {", b"\xC3\x02", b"\xEF\xBB\xBF{}"] {
            assert_eq!(Format::detect(json), Format::Json);
        }
    }
}
