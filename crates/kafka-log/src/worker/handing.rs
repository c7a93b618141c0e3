//! Hands records without headers to the client library many at a time.
//!
//! The library's Rust binding takes them one by one, and for each looks the topic up by its name under a lock that the
//! library's own threads want, too. The library itself has a call for many records of one topic.
#![allow(
    unsafe_code,
    reason = "the binding has no safe form of this call; all that is unsafe in this workspace is in this file"
)]

use std::ffi::CString;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use rdkafka::bindings::{
    RD_KAFKA_MSG_F_COPY, rd_kafka_message_t, rd_kafka_produce_batch, rd_kafka_topic_destroy,
    rd_kafka_topic_new, rd_kafka_topic_t,
};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::types::RDKafkaRespErr;

/// A record with nothing but its key and value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<'a> {
    /// `None` goes by the key.
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub(crate) value: Option<&'a [u8]>,
}

/// What became of records that were handed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handed {
    /// So many were taken: the first ones, where the library's queue is full.
    pub(crate) taken: usize,
    /// Why not all.
    pub(crate) refused: Option<RDKafkaErrorCode>,
}

/// The topics that a producer has written to, by their handles.
pub(super) struct Topics<C: ProducerContext + 'static> {
    /// Declared before the handles are used and dropped after them: a handle must not outlive its client.
    producer: Arc<BaseProducer<C>>,
    handles: Vec<(String, NonNull<rd_kafka_topic_t>)>,
    /// Lent to the library during a call and empty otherwise.
    messages: Vec<rd_kafka_message_t>,
}

// SAFETY: the library lets any thread use a topic's handle, and `messages` holds nothing between calls.
unsafe impl<C: ProducerContext + 'static> Send for Topics<C> {}

impl<C: ProducerContext + 'static> Topics<C> {
    pub(super) fn of(producer: Arc<BaseProducer<C>>) -> Topics<C> {
        Topics {
            producer,
            handles: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Hands records of one topic over that all name the first one's partition, or none, in their order; the library copies keys
    /// and values.
    ///
    /// Not each with a partition of its own (`F_PARTITION`): of a topic that it does not know yet, the library would then tell the
    /// broker that partition -1 is part of the transaction, which ends it.
    pub(super) fn hand(&mut self, topic: &str, records: &[Plain<'_>]) -> Handed {
        let Some(handle) = self.handle(topic) else {
            return Handed {
                taken: 0,
                refused: Some(RDKafkaErrorCode::InvalidTopic),
            };
        };
        let bytes = |bytes: Option<&[u8]>| {
            bytes.map_or((null_mut(), 0), |bytes| {
                (bytes.as_ptr().cast_mut().cast(), bytes.len())
            })
        };
        self.messages.clear();
        self.messages.extend(records.iter().map(|record| {
            let ((payload, len), (key, key_len)) = (bytes(record.value), bytes(record.key));
            rd_kafka_message_t {
                err: RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
                rkt: null_mut(),
                partition: -1,
                payload,
                len,
                key,
                key_len,
                offset: 0,
                _private: null_mut(),
            }
        }));
        let count = i32::try_from(self.messages.len()).unwrap_or(i32::MAX);
        let partition = records.first().and_then(|record| record.partition).unwrap_or(-1);
        // SAFETY: the handle is one of this client, which lives as long as `self`. There are `count` messages; what they point
        // to is borrowed by `records` until the end of this function. It is copied and not written to (F_COPY).
        unsafe {
            rd_kafka_produce_batch(
                handle.as_ptr(),
                partition,
                RD_KAFKA_MSG_F_COPY,
                self.messages.as_mut_ptr(),
                count,
            )
        };
        let no_error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
        let first = self.messages.iter().position(|message| message.err != no_error);
        let handed = Handed {
            taken: first.unwrap_or(records.len()),
            refused: first.map(|first| self.messages[first].err.into()),
        };
        self.messages.clear();
        handed
    }

    fn handle(&mut self, topic: &str) -> Option<NonNull<rd_kafka_topic_t>> {
        if let Some((_, handle)) = self.handles.iter().find(|(known, _)| known == topic) {
            return Some(*handle);
        }
        let name = CString::new(topic).ok()?;
        let client = self.producer.client().native_ptr();
        // SAFETY: the client lives, the name ends with a zero, and no configuration means the client's.
        let handle = NonNull::new(unsafe { rd_kafka_topic_new(client, name.as_ptr(), null_mut()) })?;
        self.handles.push((topic.to_owned(), handle));
        Some(handle)
    }
}

impl<C: ProducerContext + 'static> Drop for Topics<C> {
    fn drop(&mut self) {
        for (_, handle) in self.handles.drain(..) {
            // SAFETY: each handle was made by `rd_kafka_topic_new`, is given back once, and its client still lives.
            unsafe { rd_kafka_topic_destroy(handle.as_ptr()) };
        }
    }
}
