//! W3C trace context (Level 2) in a record's headers: read strictly, passed on, and continued with ids that follow from
//! the record alone. It decides nothing about a record, and a bad one refuses none.

mod parse;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use city_model::{Fingerprinting, hex};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Headers;
use crate::cloudevents::header;

use parse::{good_state, parse};

/// The header with trace, sender's span and flags.
pub const TRACEPARENT: &str = "traceparent";
/// The header with what vendors add to it.
pub const TRACESTATE: &str = "tracestate";
/// Where the trace of a CloudEvent began (the extension for distributed tracing); it stands in for a missing [`TRACEPARENT`].
pub const CE_TRACEPARENT: &str = "ce_traceparent";
/// What vendors add to that.
pub const CE_TRACESTATE: &str = "ce_tracestate";
/// On a record of the enriched log: the traces of the inputs in it, a line each: the input's number, its `traceparent` and,
/// where it has one, its `tracestate`, parted by blanks.
pub const TRACES: &str = "cityops.traces";
/// On a revision of an incident with several causes: the `traceparent` of the earlier ones, parted by commas.
pub const LINKS: &str = "cityops.trace_links";

/// Sampled, and that the trace's id is random: the flags of Level 2. Others must be passed on as zero.
const KNOWN_FLAGS: u8 = 0b11;
const SAMPLED: u8 = 1;

/// Where a record stands in a trace: the trace, the span that sent it, and the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
    state: Option<Arc<str>>,
}

/// A header that was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadTrace {
    /// The `traceparent`, and with it the `tracestate`.
    Parent,
    /// The `tracestate` alone.
    State,
}

impl BadTrace {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            BadTrace::Parent => "bad_traceparent",
            BadTrace::State => "bad_tracestate",
        }
    }
}

impl TraceContext {
    /// What a record's headers say, and which of them was passed over. Nothing is allocated where there are none.
    pub fn of(headers: Headers<'_>) -> (Option<TraceContext>, Option<BadTrace>) {
        if headers.is_empty() {
            return (None, None);
        }
        let (parent, state) = match header(headers, TRACEPARENT) {
            Some(parent) => (parent, header(headers, TRACESTATE)),
            None => match header(headers, CE_TRACEPARENT) {
                Some(parent) => (parent, header(headers, CE_TRACESTATE)),
                None => return (None, None),
            },
        };
        let Some(mut context) = parse(parent) else {
            return (None, Some(BadTrace::Parent));
        };
        let state = state.filter(|state| !state.trim_ascii().is_empty());
        context.state = state.and_then(good_state).map(Arc::from);
        let bad = state.filter(|_| context.state.is_none());
        (Some(context), bad.map(|_| BadTrace::State))
    }

    /// The same trace at the next span, whose id is a hash of the one before and of what is done there: whoever does it
    /// again, after a crash or in a replay, finds the same.
    pub fn step(&self, done: &[&str]) -> TraceContext {
        let mut whole = Fingerprinting::default();
        whole.update(&self.trace);
        whole.update(&self.span);
        for part in done {
            // Each part's length leads, so that no two lists of parts are one text.
            whole.update(&(part.len() as u64).to_be_bytes());
            whole.update(part.as_bytes());
        }
        let mut span = [0; 8];
        span.copy_from_slice(&whole.finish()[..8]);
        if span == [0; 8] {
            span[7] = 1;
        }
        TraceContext { span, ..self.clone() }
    }

    /// A trace that begins here, because whoever sent the event said which it is and nothing of a trace: the same for the same
    /// event, and not sampled, for nobody asked for it.
    pub fn begin(event: &str) -> TraceContext {
        let named = |what: &str| {
            let mut whole = Fingerprinting::default();
            for part in [what, "/", event] {
                whole.update(part.as_bytes());
            }
            whole.finish()
        };
        let mut trace = named("trace");
        if trace == [0; 16] {
            trace[15] = 1;
        }
        let before = TraceContext {
            trace,
            span: [0; 8],
            flags: 0,
            state: None,
        };
        before.step(&["event", event])
    }

    /// The trace's id.
    pub fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// The trace's id as it is written.
    pub fn trace_id(&self) -> String {
        hex(&self.trace)
    }

    /// The span's id.
    pub fn span(&self) -> [u8; 8] {
        self.span
    }

    /// Whether whoever began the trace keeps it.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags as they are passed on.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The value of [`TRACEPARENT`].
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", hex(&self.trace), hex(&self.span), self.flags)
    }

    /// The value of [`TRACESTATE`].
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The same without what vendors add.
    pub fn without_state(self) -> TraceContext {
        TraceContext { state: None, ..self }
    }

    /// The headers that pass it on.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let state = self.tracestate().map(|state| (TRACESTATE, state.to_owned()));
        [(TRACEPARENT, self.traceparent())].into_iter().chain(state)
    }
}

impl fmt::Display for TraceContext {
    /// The `traceparent`, and behind a blank the `tracestate`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())?;
        match &self.state {
            Some(state) => write!(f, " {state}"),
            None => Ok(()),
        }
    }
}

/// A text that is no trace context as [`TraceContext`] writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTrace;

impl fmt::Display for NoTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no trace context")
    }
}

impl std::error::Error for NoTrace {}

impl FromStr for TraceContext {
    type Err = NoTrace;

    fn from_str(text: &str) -> Result<TraceContext, NoTrace> {
        let (parent, state) = match text.split_once(' ') {
            Some((parent, state)) => (parent, Some(good_state(state.as_bytes()).ok_or(NoTrace)?)),
            None => (text, None),
        };
        let context = parse(parent.as_bytes()).ok_or(NoTrace)?;
        Ok(TraceContext {
            state: state.map(Arc::from),
            ..context
        })
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TraceContext, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// A line of [`TRACES`] for an input of that number.
pub fn traces_line(input: usize, context: &TraceContext) -> String {
    format!("{input} {context}\n")
}

/// Reads the lines of [`TRACES`]; one that cannot be read is passed over, for only this program writes them.
pub fn traces(headers: Headers<'_>) -> Vec<(usize, TraceContext)> {
    let text = header(headers, TRACES).and_then(|value| std::str::from_utf8(value).ok());
    let lines = text.into_iter().flat_map(str::lines);
    lines
        .filter_map(|line| {
            let (input, context) = line.split_once(' ')?;
            Some((input.parse().ok()?, context.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse::{MEMBERS_MAX, STATE_MAX};
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(parent: &str, state: Option<&str>) -> (Option<TraceContext>, Option<BadTrace>) {
        let mut headers = vec![(TRACEPARENT, parent.as_bytes())];
        headers.extend(state.map(|state| (TRACESTATE, state.as_bytes())));
        TraceContext::of(&headers)
    }

    #[test]
    fn a_good_one_is_passed_on_as_it_came() {
        let (context, bad) = of(GOOD, Some("vendor=a, other=b:1"));
        let context = context.unwrap();
        assert_eq!(bad, None);
        assert!(context.is_sampled());
        assert_eq!(context.traceparent(), GOOD);
        assert_eq!(context.tracestate(), Some("vendor=a, other=b:1"));
        assert_eq!(context.to_string().parse(), Ok(context.clone()));
        let json = serde_json::to_string(&context).unwrap();
        assert_eq!(serde_json::from_str::<TraceContext>(&json).unwrap(), context);
        assert_eq!(TraceContext::of(&[]), (None, None));
        assert_eq!(TraceContext::of(&[("content-type", b"x")]), (None, None));
    }

    #[test]
    fn what_is_no_traceparent_is_passed_over_and_said() {
        let zero_trace = GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let zero_span = GOOD.replace("00f067aa0ba902b7", &"0".repeat(16));
        for bad in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-"),
            &format!("{GOOD}0"),
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &format!("ff{}", &GOOD[2..]),
            &format!("0x{}", &GOOD[2..]),
            &zero_trace,
            &zero_span,
            "13912345678",
        ] {
            assert_eq!(of(bad, Some("a=b")), (None, Some(BadTrace::Parent)), "{bad}");
        }
        // A later version says more, and its flags are not all ours.
        let later = format!("cc{}fd-what else", &GOOD[2..53]);
        assert_eq!(of(&later, None).0.unwrap().traceparent(), GOOD);
    }

    #[test]
    fn a_bad_tracestate_goes_alone() {
        let long = format!("a={}", "x".repeat(STATE_MAX));
        let many = vec!["a=b"; MEMBERS_MAX + 1].join(",");
        for bad in ["nothing", "=b", "a b=c", "a=\u{7}", "a=é", &long, &many] {
            let (context, told) = of(GOOD, Some(bad));
            assert_eq!(told, Some(BadTrace::State), "{bad}");
            assert_eq!(context.unwrap().tracestate(), None);
        }
        assert_eq!(of(GOOD, Some(" ")).1, None);
    }

    #[test]
    fn the_hop_counts_before_where_the_event_began() {
        let other = GOOD.replace("4bf9", "aaaa");
        let began = [(CE_TRACEPARENT, other.as_bytes())];
        assert_eq!(TraceContext::of(&began).0.unwrap().traceparent(), other);
        let both = [
            (CE_TRACEPARENT, other.as_bytes()),
            ("TraceParent", GOOD.as_bytes()),
        ];
        assert_eq!(TraceContext::of(&both).0.unwrap().traceparent(), GOOD);
    }

    #[test]
    fn the_next_span_follows_from_what_is_done() {
        let context: TraceContext = GOOD.parse().unwrap();
        let step = context.step(&["enrich", "a/b"]);
        assert_eq!(step, context.step(&["enrich", "a/b"]));
        assert_eq!((step.trace(), step.flags()), (context.trace(), 1));
        let others = [
            context.step(&["enrich", "a/c"]),
            context.step(&["enricha", "/b"]),
            step.step(&["enrich", "a/b"]),
        ];
        assert!(others.iter().all(|other| other.span() != step.span()));
    }

    #[test]
    fn a_trace_that_begins_here_is_the_same_for_the_same_event() {
        let begun = TraceContext::begin("gauges/e-1");
        assert_eq!(begun, TraceContext::begin("gauges/e-1"));
        assert_ne!(begun.trace(), TraceContext::begin("gauges/e-2").trace());
        assert!(!begun.is_sampled());
        assert_eq!(begun.to_string().parse(), Ok(begun));
    }

    #[test]
    fn the_traces_of_a_batch_are_read_back() {
        let plain: TraceContext = GOOD.parse().unwrap();
        let (rich, _) = of(GOOD, Some("a=b c, d=e"));
        let told = vec![(0, plain), (17, rich.unwrap())];
        let lines: String = told
            .iter()
            .map(|(input, context)| traces_line(*input, context))
            .collect();
        assert_eq!(traces(&[(TRACES, lines.as_bytes())]), told);
        assert_eq!(traces(&[(TRACES, b"x y\n1\n\xff")]), []);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_is_read_again(parent in ".{0,60}", state in proptest::option::of(".{0,40}")) {
            if let (Some(context), _) = of(&parent, state.as_deref()) {
                prop_assert_eq!(context.to_string().parse(), Ok(context));
            }
        }
    }
}
