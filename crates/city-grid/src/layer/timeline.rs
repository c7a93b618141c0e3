//! A layer in time: cells are founded, split and merged on a date, and an event belongs to the cell of its own day.
//!
//! Time is cut wherever a cell begins or ends to be valid, and what is valid between two cuts is a [`Layer`] by itself, with
//! a version of its own. A layer whose cells have no dates has one state, for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{EventTime, Name};
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::load::{Dated, levels};
use super::read::LevelSource;
use super::validity::Span;
use super::{Layer, LayerConfig};
use crate::crs::Systems;
use crate::finding::{Finding, GridError};

/// Most states of a layer. A city redraws its grid a few times a year; each state is held whole.
pub const STATES_MAX: usize = 64;

/// The states of one layer in time.
#[derive(Debug, Clone)]
pub struct Timeline {
    name: Name,
    /// Each from its moment to the next one's. Never empty, and the first holds from the beginning of time.
    states: Vec<(EventTime, Arc<Layer>)>,
}

impl Timeline {
    /// Reads a layer from its levels' files, in the order of the configuration. Dates without a zone are in `zone`.
    ///
    /// Bad rings (unclosed, self-crossing, degenerate), duplicate codes, missing parents, unreadable times and the like are
    /// findings; when `strict`, the first of them is an error. Two cells of one code are no duplicates when they are never
    /// valid together.
    ///
    /// # Errors
    /// What leaves no choice: no text, broken files, another geometry than polygons, coordinates that are no place, a
    /// feature without a code; more than [`STATES_MAX`] states.
    pub fn load(
        config: &LayerConfig,
        sources: &[LevelSource<'_>],
        strict: bool,
        zone: &TimeZone,
    ) -> Result<(Timeline, Vec<Finding>), GridError> {
        Timeline::load_in(&Systems::default(), config, sources, strict, zone)
    }

    /// The same in the city's own coordinate systems.
    ///
    /// # Errors
    /// As [`Timeline::load`].
    pub fn load_in(
        systems: &Systems,
        config: &LayerConfig,
        sources: &[LevelSource<'_>],
        strict: bool,
        zone: &TimeZone,
    ) -> Result<(Timeline, Vec<Finding>), GridError> {
        let (levels, mut findings) = levels(systems, config, sources, strict, zone)?;
        let mut states = states(&config.name, levels)?;
        // what is wrong with a state is told once, however many states it lasts
        let mut of_states: BTreeMap<Finding, EventTime> = BTreeMap::new();
        for (from, state) in &mut states {
            for finding in state.findings.drain(..) {
                of_states.entry(finding).or_insert(*from);
            }
        }
        for (mut finding, from) in of_states {
            if from > Span::ALWAYS.from {
                finding.detail.push_str(&format!(" (from {from} on)"));
            }
            if strict {
                return Err(GridError::File {
                    level: finding.level.to_string(),
                    what: finding.to_string(),
                });
            }
            findings.push(finding);
        }
        // a cell may change its ground or not yet be there: what is told of it has one place in all states
        for finding in findings.iter_mut().filter(|finding| finding.position.is_none()) {
            let Some(code) = &finding.code else {
                continue;
            };
            finding.position = states.iter().find_map(|(_, state)| {
                let cells = state.of_code(&finding.level, code).into_iter();
                cells.filter_map(|cell| state.inner_point(cell)).next()
            });
        }
        findings.sort(); // features may come in any order
        for (_, state) in &mut states {
            state.findings.clone_from(&findings);
        }
        let states = states.into_iter().map(|(from, state)| (from, Arc::new(state)));
        let timeline = Timeline {
            name: config.name.as_str().into(),
            states: states.collect(),
        };
        Ok((timeline, findings))
    }

    /// Whether a cell was, is or will be called so.
    pub fn knows(&self, code: &str) -> bool {
        self.states.iter().any(|(_, state)| state.find(code).is_some())
    }

    /// Whether the code of a cell began, begins or will begin so.
    pub fn reaches(&self, prefix: &str) -> bool {
        self.states.iter().any(|(_, state)| state.reaches(prefix))
    }

    /// The name of the layer.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// A short hash of all states and their times; of a layer with one state, that state's version.
    pub fn version(&self) -> Name {
        if let [(_, state)] = &self.states[..] {
            return state.version().clone();
        }
        let mut hash = Sha256::new();
        for (from, state) in &self.states {
            hash.update(from.millis().to_le_bytes());
            hash.update(state.version().as_bytes()); // all of one length
        }
        city_model::hex(&hash.finalize()[..6]).into()
    }

    /// The state that holds at a moment.
    pub fn at(&self, moment: EventTime) -> &Arc<Layer> {
        let after = self.states.partition_point(|(from, _)| *from <= moment);
        &self.states[after.saturating_sub(1)].1 // there is a first one, and it holds from the beginning
    }

    /// The last state, which may be one to come.
    pub fn newest(&self) -> &Arc<Layer> {
        &self.states[self.states.len() - 1].1 // there is one
    }

    /// The states, the earliest first, each with the moment from which it holds.
    pub fn states(&self) -> impl ExactSizeIterator<Item = (EventTime, &Arc<Layer>)> {
        self.states.iter().map(|(from, state)| (*from, state))
    }

    /// The corners of everything that is ever valid, in degrees: `[west, south, east, north]`.
    pub fn bbox(&self) -> [f64; 4] {
        let boxes = self.states.iter().map(|(_, state)| state.bbox());
        let all = |a: [f64; 4], b: [f64; 4]| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
        boxes.reduce(all).unwrap_or([180.0, 90.0, -180.0, -90.0]) // as a layer without ground has it
    }

    /// The same layer with another snapping distance.
    pub fn with_snap_mm(mut self, snap_mm: u64) -> Timeline {
        for (_, state) in &mut self.states {
            Arc::make_mut(state).snap_mm = snap_mm;
        }
        self
    }
}

impl From<Layer> for Timeline {
    fn from(layer: Layer) -> Timeline {
        Timeline::from(Arc::new(layer))
    }
}

impl From<Arc<Layer>> for Timeline {
    /// One state, for ever.
    fn from(layer: Arc<Layer>) -> Timeline {
        Timeline {
            name: layer.name().clone(),
            states: vec![(Span::ALWAYS.from, layer)],
        }
    }
}

impl Layer {
    /// Reads a layer from the bytes of its levels' files, in the order of the configuration. Of a layer with dates (in UTC,
    /// where they name no zone) this is the newest state; [`Timeline::load`] has all of them.
    ///
    /// # Errors
    /// As [`Timeline::load`].
    pub fn load(
        config: &LayerConfig,
        texts: &[&[u8]],
        strict: bool,
    ) -> Result<(Layer, Vec<Finding>), GridError> {
        let sources: Vec<LevelSource<'_>> = texts.iter().map(|&text| text.into()).collect();
        let (mut timeline, findings) = Timeline::load(config, &sources, strict, &TimeZone::UTC)?;
        let newest = timeline
            .states
            .pop()
            .map(|(_, state)| Arc::unwrap_or_clone(state));
        let newest = newest.ok_or_else(|| GridError::Config("a layer without a state".to_owned()))?; // there is one
        Ok((newest, findings))
    }
}

fn states(name: &str, levels: Vec<(Name, Vec<Dated>)>) -> Result<Vec<(EventTime, Layer)>, GridError> {
    let mut cuts = BTreeSet::from([Span::ALWAYS.from]);
    for cell in levels.iter().flat_map(|(_, cells)| cells) {
        cuts.insert(cell.span.from);
        if cell.span.to < Span::ALWAYS.to {
            cuts.insert(cell.span.to);
        }
    }
    if cuts.len() > STATES_MAX {
        let what = format!(
            "layer `{name}` changes {} times, at most {STATES_MAX} states are kept",
            cuts.len() - 1
        );
        return Err(GridError::Config(what));
    }
    if cuts.len() == 1 {
        let undated = |cells: Vec<Dated>| cells.into_iter().map(|cell| cell.draft).collect();
        let drafts = levels.into_iter().map(|(level, cells)| (level, undated(cells)));
        return Ok(vec![(Span::ALWAYS.from, Layer::assemble(name, drafts.collect()))]);
    }
    let mut states: Vec<(EventTime, Layer)> = Vec::with_capacity(cuts.len());
    for &from in &cuts {
        let valid = levels.iter().map(|(level, cells)| {
            let valid = cells.iter().filter(|cell| cell.span.holds(from));
            (level.clone(), valid.map(|cell| cell.draft.clone()).collect())
        });
        let state = Layer::assemble(name, valid.collect());
        // a cell may end and begin again as it was
        if states
            .last()
            .is_none_or(|(_, before)| before.version() != state.version())
        {
            states.push((from, state));
        }
    }
    Ok(states)
}
