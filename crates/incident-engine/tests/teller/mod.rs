//! Tells the engine a story and keeps what it answered. Times are minutes after midnight in Shanghai of 2026-09-01,
//! places metres from a point in Songjiang.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its part"
)]

pub mod desk;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use city_model::{
    Action, Activation, CellRef, Channel, Command, Event, EventKey, EventTime, Facility, Group, Incident,
    IncidentId, Input, Kind, Located, Measurement, Name, Outcome, PlacedBy, Plane, Point, Position, Quality,
    Responsible, Severity, Signal, Silence, SilenceArea, Source, Tick, Warning, WarningStatus,
};
use city_rules::Rules;
use incident_engine::{Change, Engine, Evidence, IncidentRecord, Output, Setting};

/// 2026-09-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_788_192_000_000;

/// So many minutes after midnight.
pub fn at(minute: i64) -> EventTime {
    EventTime::from_millis(MIDNIGHT + minute * 60_000)
}

pub fn origin() -> Position {
    Position::from_degrees(121.2277, 31.0322).unwrap()
}

/// The built-in rules, read once.
pub fn rules() -> Arc<Rules> {
    static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));
    RULES.clone()
}

pub fn activation() -> Activation {
    Activation {
        version: "test".into(),
        city: "310117".into(),
        rules: rules().to_text().into(),
        timezone: "Asia/Shanghai".into(),
        origin: origin(),
        reorder_ms: 15 * 60_000,
        max_late_ms: 24 * 3_600_000,
        sensors_max_late_ms: 72 * 3_600_000,
        partitions: vec!["test".into()],
        hold_idle: false,
        grid: Vec::new(),
    }
}

/// An event in the making.
#[derive(Debug, Clone)]
pub struct Told(pub Event);

fn event(
    source: Source,
    channel: Channel,
    id: &str,
    kind: &str,
    (x_m, y_m): (f64, f64),
    place: (i64, Quality),
) -> Told {
    let (u_m, quality) = place;
    let rules = rules();
    let group: Group = rules.group(rules.kind_id(kind).unwrap()).clone();
    let point = Point {
        x: (x_m * 1_000.0) as i64,
        y: (y_m * 1_000.0) as i64,
    };
    Told(Event {
        key: EventKey::new(source.as_str(), id),
        source,
        channel,
        kind: Kind::new(kind),
        alternatives: Vec::new(),
        group,
        signal: Signal::Report,
        event_time: at(0),
        reported_at: None,
        ingested_at: at(0),
        waits_ms: 0,
        placed_by: None,
        located: Some(Located {
            position: Plane::at(origin()).unproject(point),
            u_mm: u_m * 1_000,
            quality,
        }),
        declared_crs: None,
        algorithm: None,
        quality,
        town: None,
        address_key: None,
        cells: Arc::default(),
        responsible: None,
        other_cells: Vec::new(),
        also_affects: Vec::new(),
        device: None,
        component: None,
        ticket: None,
        cites: None,
        reporter: None,
        reporter_before: None,
        measurement: None,
        credibility: 3,
        facilities: Vec::new(),
        hints: Vec::new(),
        flags: Vec::new(),
        code_gb2013: None,
        code_gb2026: None,
    })
}

/// A sensor's alarm; its readings are numbered by their minute.
pub fn sensor(device: &str, kind: &str, x_m: f64, y_m: f64) -> Told {
    let mut told = event(
        Source::Sensor,
        Channel::Sensor,
        device,
        kind,
        (x_m, y_m),
        (5, Quality::Component),
    );
    told.0.device = Some(device.into());
    told.0.credibility = 6;
    told
}

/// A camera's alert.
pub fn camera(device: &str, kind: &str, x_m: f64, y_m: f64) -> Told {
    let mut told = event(
        Source::Video,
        Channel::Video,
        device,
        kind,
        (x_m, y_m),
        (15, Quality::Gnss),
    );
    told.0.device = Some(device.into());
    told.0.credibility = 4;
    told
}

/// A hotline ticket.
pub fn call(id: &str, kind: &str, x_m: f64, y_m: f64) -> Told {
    event(
        Source::Hotline,
        Channel::Hotline,
        id,
        kind,
        (x_m, y_m),
        (30, Quality::Door),
    )
}

/// An inspector's report.
pub fn inspector(id: &str, kind: &str, x_m: f64, y_m: f64) -> Told {
    event(
        Source::Report,
        Channel::Inspector,
        id,
        kind,
        (x_m, y_m),
        (15, Quality::Gnss),
    )
}

impl Told {
    pub fn at(mut self, minute: i64) -> Told {
        self.0.event_time = at(minute);
        self.0.ingested_at = at(minute);
        if self.0.source == Source::Sensor {
            self.0.key.event_id = format!("{}@{minute}", self.0.key.event_id).into();
        }
        self
    }
    pub fn came_after(mut self, minutes: i64) -> Told {
        self.0.ingested_at = self.0.event_time + minutes * 60_000;
        self
    }
    pub fn id(mut self, id: &str) -> Told {
        self.0.key.event_id = id.into();
        self
    }
    pub fn measured(mut self, metric: &str, value: f64) -> Told {
        self.0.measurement = Some(Measurement {
            metric: metric.into(),
            milli: (value * 1_000.0) as i64,
        });
        self
    }
    pub fn clears(mut self) -> Told {
        self.0.signal = Signal::Clear;
        self
    }
    pub fn reporter(mut self, reporter: u64) -> Told {
        self.0.reporter = Some(reporter);
        self
    }
    pub fn component(mut self, component: &str) -> Told {
        self.0.component = Some(component.into());
        self
    }
    /// A component that its place implies.
    pub fn inferred(mut self, component: &str) -> Told {
        self.0.component = Some(component.into());
        self.0.flags.push(city_model::Flag::ComponentInferred);
        self
    }
    pub fn ticket(mut self, ticket: &str) -> Told {
        self.0.ticket = Some(ticket.into());
        self
    }
    pub fn cites(mut self, ticket: &str) -> Told {
        self.0.cites = Some(ticket.into());
        self
    }
    pub fn nowhere(mut self) -> Told {
        self.0.located = None;
        self.0.quality = Quality::None;
        self
    }
    /// Somewhere else.
    pub fn put(mut self, x_m: f64, y_m: f64) -> Told {
        let point = Point {
            x: (x_m * 1_000.0) as i64,
            y: (y_m * 1_000.0) as i64,
        };
        if let Some(located) = &mut self.0.located {
            located.position = Plane::at(origin()).unproject(point);
        }
        self
    }
    /// Where it is because its address says so: its source gave no coordinates.
    pub fn by_address(mut self, u_m: i64) -> Told {
        if let Some(located) = &mut self.0.located {
            located.u_mm = u_m * 1_000;
        }
        self.0.quality = Quality::None;
        self.0.placed_by = Some(Box::new(PlacedBy {
            address: self.0.address_key.clone().unwrap_or_default(),
            u_mm: u_m * 1_000,
            reported: None,
        }));
        self
    }
    pub fn address(mut self, town: &str, address: &str) -> Told {
        self.0.address_key = Some(address.into());
        self.in_town(town)
    }
    /// What it may be instead, most likely first.
    pub fn or(mut self, kinds: &[&str]) -> Told {
        self.0.alternatives = kinds.iter().copied().map(Kind::new).collect();
        self
    }
    pub fn in_town(mut self, town: &str) -> Told {
        self.0.town = Some(town.into());
        self
    }
    pub fn near(mut self, facility: Facility) -> Told {
        self.0.facilities = vec![facility];
        self
    }
    pub fn credibility(mut self, points: u8) -> Told {
        self.0.credibility = points;
        self
    }
    pub fn waits(mut self, minutes: i64) -> Told {
        self.0.waits_ms = minutes * 60_000;
        self
    }
    pub fn unsure(mut self, u_m: i64) -> Told {
        if let Some(located) = &mut self.0.located {
            located.u_mm = u_m * 1_000;
        }
        self
    }
    pub fn quality(mut self, quality: Quality) -> Told {
        self.0.quality = quality;
        self
    }
    pub fn cell(mut self, code: &str) -> Told {
        let name = |text: &str| Name::from(text);
        self.0.cells = vec![CellRef {
            layer: name("duty"),
            level: name("duty_cell"),
            code: name(code),
            name: name("格"),
            version: name("v"),
            confidence: 1_000,
        }]
        .into();
        self.0.responsible = Some(Responsible {
            layer: name("duty"),
            code: name(code),
            name: name("格"),
            unit: None,
            border_mm: 8_000,
        });
        self
    }
}

pub fn warning(id: &str, severity: Severity, region: &str, minute: i64) -> Warning {
    Warning {
        warning_id: id.into(),
        revision: 1,
        signal: "RAINSTORM".into(),
        severity,
        region_codes: vec![region.into()],
        status: WarningStatus::Issued,
        issued_at: at(minute),
        effective_at: at(minute),
        expires_at: None,
    }
}

pub fn silence(id: &str, kinds: &[&str], from: i64, until: i64) -> Silence {
    Silence {
        silence_id: id.into(),
        kinds: kinds.iter().map(|kind| Kind::new(kind)).collect(),
        area: SilenceArea::Cells(vec!["310117107".into()]),
        starts_at: at(from),
        ends_at: at(until),
        reason: "planned works".into(),
    }
}

pub fn command(id: &str, incident: &IncidentId, action: Action) -> Command {
    Command {
        command_id: id.into(),
        incident_id: incident.clone(),
        action,
        reason: None,
        other_incident_id: None,
        event_ids: Vec::new(),
        band: None,
        deadline: None,
        operator: "duty-1".into(),
        issued_at: at(0),
    }
}

/// The engine, its rows as a compacted changelog would hold them, and what readers were told.
pub struct Teller {
    pub engine: Engine,
    pub rows: BTreeMap<String, Option<Vec<u8>>>,
    pub revisions: Vec<IncidentRecord>,
    pub outcomes: Vec<(String, Outcome, Option<String>)>,
    pub incidents: BTreeMap<IncidentId, Arc<Incident>>,
}

impl Teller {
    pub fn new() -> Teller {
        Teller::with(activation())
    }

    pub fn with(activation: Activation) -> Teller {
        let setting = Setting::with_rules(Arc::new(activation), rules()).unwrap();
        Teller {
            engine: Engine::with_setting(setting),
            rows: BTreeMap::new(),
            revisions: Vec::new(),
            outcomes: Vec::new(),
            incidents: BTreeMap::new(),
        }
    }

    pub fn input(&mut self, input: &Input) -> usize {
        let decision = self.engine.decide(input);
        for change in &decision.changes {
            self.engine.apply(change).unwrap();
            self.rows.insert(change.key(), change.value());
            match change {
                Change::PutIncident(incident) => {
                    self.incidents.insert(incident.id.clone(), incident.clone());
                }
                Change::RemoveIncident(id) => {
                    self.incidents.remove(id);
                }
                _ => {}
            }
        }
        let outputs = decision.outputs.len();
        for output in decision.outputs {
            match output {
                Output::Revision { record, .. } => self.revisions.push(*record),
                Output::Outcome { row, reason, .. } => {
                    self.outcomes.push((
                        row.key.to_string(),
                        row.outcome,
                        reason.map(|reason| reason.to_string()),
                    ));
                }
                Output::Removed(_) | Output::Late(_) | Output::Withheld(_) => {}
            }
        }
        outputs
    }

    /// Tells an event, with the tick of the second before it as the log would have it.
    pub fn tell(&mut self, told: Told) {
        self.tick(told.0.ingested_at.floor_second());
        self.input(&Input::Event(Arc::new(told.0)));
    }

    /// What would be compared if it were told now.
    pub fn would_compare(&self, told: &Told) -> Evidence {
        let decision = self.engine.decide(&Input::Event(Arc::new(told.0.clone())));
        let mut evidence = decision.outputs.into_iter().filter_map(|output| match output {
            Output::Outcome { evidence, .. } => evidence,
            _ => None,
        });
        *evidence.next().unwrap()
    }

    pub fn tick(&mut self, at: EventTime) {
        self.input(&Input::Tick(Tick {
            clocks: vec![("test".into(), at)],
        }));
    }

    pub fn warn(&mut self, warning: Warning) {
        self.input(&Input::Warning {
            warning,
            counts: true,
            note: None,
        });
    }

    pub fn silence(&mut self, silence: Silence) {
        self.input(&Input::Silence {
            silence,
            counts: true,
            note: None,
        });
    }

    /// The answer to a command, as text.
    pub fn command(&mut self, command: Command) -> String {
        let action = command.action;
        let outputs = self.input(&Input::Command(command));
        if outputs == 0 {
            return format!("{action} duplicate_id");
        }
        let (_, outcome, reason) = self.outcomes.last().unwrap();
        match reason {
            Some(reason) => format!("{action} {outcome}: {reason}"),
            None => format!("{action} {outcome}"),
        }
    }

    pub fn incidents(&self) -> Vec<Incident> {
        let shown = self
            .incidents
            .values()
            .filter(|incident| !incident.is_held_back());
        shown.map(|incident| (**incident).clone()).collect()
    }

    pub fn only(&self) -> Incident {
        let incidents = self.incidents();
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        incidents.into_iter().next().unwrap()
    }

    /// The newest revision that was published, after the next tick.
    pub fn record(&mut self) -> IncidentRecord {
        let clock = self.engine.clock().unwrap();
        self.tick(clock + 1_000);
        self.revisions.last().unwrap().clone()
    }

    pub fn count(&self, outcome: Outcome) -> i64 {
        self.engine.ledger().outcome(outcome)
    }
}

impl Teller {
    /// An incident as the rules judge it now.
    pub fn assessed(&self, id: &IncidentId) -> incident_engine::Assessment {
        self.engine.assess(id).unwrap()
    }
}
