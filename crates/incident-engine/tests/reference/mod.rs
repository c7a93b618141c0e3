//! The rule as the simplest program: events sorted by their turns, each held against every incident before it.
//!
//! It shares nothing with the engine but the words of the model and the numbers of the rules: no index, no increments, no order of
//! reading. Every incident is summed up anew from its members whenever it is looked at.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its part"
)]

use std::collections::{BTreeMap, BTreeSet};

use city_model::{Event, EventTime, Flag, Name, Plane, Point, Signal, Source, Turn};
use city_rules::{KindId, KindRule, Rules};

/// What one city decides by.
pub struct Book<'a> {
    pub rules: &'a Rules,
    pub plane: Plane,
    pub reorder_ms: i64,
    pub max_late_ms: i64,
    pub sensors_max_late_ms: i64,
    pub storms: &'a [Storm],
}

/// A warning that stood in a region, from a time until another.
#[derive(Debug, Clone)]
pub struct Storm {
    pub region: String,
    pub from: EventTime,
    pub until: EventTime,
}

/// An incident as a list of its members in the order of their turns; of those that only continue, too.
#[derive(Default)]
struct Group<'e> {
    members: Vec<&'e Event>,
}

/// Which events are one incident: the keys of the members, each set once.
pub type Grouping = BTreeSet<BTreeSet<String>>;

impl Book<'_> {
    pub fn group(&self, events: &[Event]) -> Grouping {
        let mut sorted: BTreeMap<Turn, &Event> = BTreeMap::new();
        for event in events {
            let limit = match event.source {
                Source::Sensor | Source::Video => self.sensors_max_late_ms,
                _ => self.max_late_ms,
            };
            let late = event.ingested_at - event.event_time > limit;
            if !late && event.signal == Signal::Report {
                sorted.insert(event.turn(self.reorder_ms), event);
            }
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        for event in sorted.into_values() {
            match self.find(&groups, event) {
                Some(at) => groups[at].members.push(event),
                None => groups.push(Group { members: vec![event] }),
            }
        }
        let keys = |group: &Group<'_>| group.members.iter().map(|event| event.key.to_string()).collect();
        groups.iter().map(keys).collect()
    }

    fn find(&self, groups: &[Group<'_>], event: &Event) -> Option<usize> {
        if let Some(cited) = &event.cites {
            let of_ticket = |group: &Group<'_>| {
                let turns = group
                    .members
                    .iter()
                    .filter(|member| member.ticket.as_ref() == Some(cited));
                turns.map(|member| member.turn(self.reorder_ms)).min()
            };
            let first = (0..groups.len())
                .filter_map(|at| Some((of_ticket(&groups[at])?, at)))
                .min();
            if let Some((_, at)) = first.filter(|(_, at)| self.may_follow(event, self.kind_of(&groups[*at])))
            {
                return Some(at);
            }
        }
        let kind = self.rules.kind_id(event.kind.as_str())?;
        if let Some(at) = self.find_as(groups, event, kind) {
            return Some(at);
        }
        let own = self.rules.kind(kind);
        for name in &event.alternatives {
            let Some(other) = self.rules.kind_id(name.as_str()) else {
                continue;
            };
            let rule = self.rules.kind(other);
            if other == kind
                || self.rules.group(other) != &event.group
                || rule.grade > own.grade
                || !rule.correlates
            {
                continue;
            }
            let Some(at) = self.find_as(groups, event, other) else {
                continue;
            };
            let near_enough = match self.distance(&groups[at], event) {
                // By its address alone it was found, too far away to be compared.
                Some(distance) if event.is_told_only() && distance > self.cap(&groups[at]) => true,
                Some(distance) if !self.is_marked(&groups[at], event) => {
                    distance <= self.radius(own, &groups[at], event)
                }
                _ => true,
            };
            if near_enough {
                return Some(at);
            }
        }
        None
    }

    /// Whether an event belongs where the ticket that it cites went: in its group, and not as a danger of its own.
    fn may_follow(&self, event: &Event, cited: KindId) -> bool {
        let rules = self.rules;
        let kind = rules.kind_id(event.kind.as_str()).unwrap();
        let (own, other) = (rules.kind(kind), rules.kind(cited));
        let is_deadly = own.safety_class == "life" && other.safety_class != "life";
        let is_danger = ["A", "B"].contains(&&*format!("{:?}", own.grade));
        let is_apart = is_danger && (own.grade < other.grade || is_deadly) && !self.may_be_one(kind, cited);
        rules.group(kind) == rules.group(cited) && !is_apart
    }

    /// Whether something else than nearness leads to it.
    fn is_marked(&self, group: &Group<'_>, event: &Event) -> bool {
        let same = |member: &&Event| {
            (event.component.is_some() && member.component == event.component)
                || (event.device.is_some() && member.device == event.device)
        };
        group.counted().iter().any(same)
            || group
                .members
                .iter()
                .any(|member| event.device.is_some() && member.device == event.device)
            || self.position(group).is_none()
    }

    fn find_as(&self, groups: &[Group<'_>], event: &Event, kind: KindId) -> Option<usize> {
        let first = |has: &dyn Fn(&Group<'_>) -> bool| {
            groups
                .iter()
                .position(|group| has(group) && self.may_meet(kind, group) && self.in_time(group, event))
        };
        if event.component.is_some() {
            let has = |group: &Group<'_>| {
                let mut counted = group.counted().into_iter();
                counted.any(|member| member.component == event.component)
                    && !self.is_other_component(group, event)
            };
            if let Some(at) = first(&has) {
                return Some(at);
            }
        }
        if event.device.is_some() {
            let has = |group: &Group<'_>| {
                group.members.iter().any(|member| member.device == event.device)
                    && !self.is_other_component(group, event)
            };
            if let Some(at) = first(&has) {
                return Some(at);
            }
        }
        if event.located.is_none() {
            return self.told(groups, event, kind);
        }
        let mut best: Option<(i128, i128, i64, usize)> = None;
        let mut doubts: Vec<(usize, i64)> = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let rule = self.rules.kind(self.kind_of(group));
            let Some(distance) = self.distance(group, event) else {
                continue;
            };
            let (radius, rank, most) = match rule.most_doubt_milli {
                Some(most) => {
                    let (doubt, reach) = self.doubt(rule, most, group, event, distance);
                    doubts.push((at, doubt));
                    (reach.min(rule.cap_mm), i128::from(doubt), i128::from(most))
                }
                None => {
                    let radius = self.radius(rule, group, event);
                    (radius, i128::from(distance), i128::from(radius))
                }
            };
            let is_apart = self.is_other_component(group, event) || is_another_house(rule, group, event);
            let stands = self.may_meet(kind, group)
                && !rule.moving
                && !is_apart
                && self.in_time(group, event)
                && distance <= rule.cap_mm
                && self.extent_with(group, event) <= rule.extent_mm;
            if !stands {
                doubts.retain(|(other, _)| *other != at);
            }
            if !stands || distance > radius {
                continue;
            }
            let better = best.is_none_or(|(best_rank, best_most, best_mm, _)| {
                (rank * best_most, distance) < (best_rank * most, best_mm)
            });
            if better {
                best = Some((rank, most, distance, at));
            }
        }
        if let Some((doubt, most, _, at)) = best {
            let is_weighed = doubts.iter().any(|(other, _)| *other == at);
            let rivals = doubts.iter().filter(|(other, _)| *other != at);
            // Each by how likely it is beside the best: half as likely for each 1386, straight between.
            let likely = rivals.map(|(_, rival)| {
                let more = rival - doubt as i64;
                let halved = 1_000 - 500 * (more.max(0) % 1_386) / 1_386;
                halved >> (more.max(0) / 1_386).min(60)
            });
            // Where lives are at stake it goes to the likeliest, which is open; elsewhere rather to one of its own.
            let is_life = self.rules.kind(self.kind_of(&groups[at])).safety_class == "life";
            let is_weighed = is_weighed && !is_life;
            if !is_weighed || doubt + i128::from(1_400 * likely.sum::<i64>() / 1_000) <= most {
                return Some(at);
            }
        }
        self.told(groups, event, kind)
    }

    /// Where one of the two has no place: the one whose streets speak most for it, or the first at the address.
    fn told(&self, groups: &[Group<'_>], event: &Event, kind: KindId) -> Option<usize> {
        let (town, address) = (event.town.as_ref()?, event.address_key.as_deref()?);
        let own = names(address);
        let mut best: Option<(i64, usize)> = None;
        let mut exact: Option<usize> = None;
        for (at, group) in groups.iter().enumerate() {
            if let Some(distance) = self.distance(group, event) {
                // Placed by its address alone it also finds who is at the address, too far away to be compared.
                let is_far = distance > self.cap(group);
                let is_there = matches!(group.says(event), Some(('=' | '<', _)));
                if !(event.is_told_only() && is_far && is_there) {
                    continue;
                }
            }
            let is_other = self.is_other_component(group, event);
            if is_other || !self.may_meet(kind, group) || !self.in_time(group, event) {
                continue;
            }
            let rule = self.rules.kind(self.kind_of(group));
            match rule.most_doubt_milli {
                None if exact.is_none() && group.is_found_at(event) => exact = Some(at),
                None => {}
                Some(most) => {
                    let mut addresses = group.addresses().into_iter();
                    if !addresses.any(|(t, a)| t == *town && names(&a).iter().any(|n| own.contains(n))) {
                        continue;
                    }
                    let streets = match group.says(event) {
                        Some(('!', _)) => continue,
                        Some(('r' | '|', _)) if rule.safety_class == "life" => continue,
                        Some(('r', _)) => 1_000,
                        other => street_doubt(rule, other),
                    };
                    let doubt = 5_000 + self.silence(rule, group, event) + group.caller(event) + streets;
                    if doubt <= most && best.is_none_or(|(least, _)| doubt - most < least) {
                        best = Some((doubt - most, at));
                    }
                }
            }
        }
        best.map(|(_, at)| at).or(exact)
    }

    fn silence(&self, rule: &KindRule, group: &Group<'_>, event: &Event) -> i64 {
        let times = || group.members.iter().map(|member| member.event_time);
        let (first, last) = (times().min().unwrap(), times().max().unwrap());
        let gap = (first - event.event_time).max(event.event_time - last).max(0);
        8_000 * (gap / self.times(rule, event)) / rule.gap_ms
    }

    /// By how much a storm in which an event happened, or that was over for six hours at most, makes a kind's times longer.
    fn times(&self, rule: &KindRule, event: &Event) -> i64 {
        let town = event.town.as_deref().unwrap_or("310117");
        // Where its cells are known, they say which region it is in.
        let is_in = |region: &str| match &*event.cells {
            [] => town.starts_with(region),
            cells => cells.iter().any(|cell| cell.code.starts_with(region)),
        };
        let stands = |storm: &Storm| {
            storm.from <= event.event_time
                && event.event_time < storm.until + 6 * 3_600_000
                && is_in(&storm.region)
        };
        if rule.weather && self.storms.iter().any(stands) {
            2
        } else {
            1
        }
    }

    fn cap(&self, group: &Group<'_>) -> i64 {
        self.rules.kind(self.kind_of(group)).cap_mm
    }

    fn kind_of(&self, group: &Group<'_>) -> KindId {
        self.rules.kind_id(group.members[0].kind.as_str()).unwrap()
    }

    fn may_meet(&self, kind: KindId, group: &Group<'_>) -> bool {
        self.may_be_one(kind, self.kind_of(group))
    }

    fn may_be_one(&self, kind: KindId, other: KindId) -> bool {
        kind == other || self.rules.kind(kind).merges_with.contains(&other)
    }

    fn is_other_component(&self, group: &Group<'_>, event: &Event) -> bool {
        self.rules.kind(self.kind_of(group)).component_decides && group.differs(event)
    }

    fn in_time(&self, group: &Group<'_>, event: &Event) -> bool {
        let rule = self.rules.kind(self.kind_of(group));
        let first = group
            .members
            .iter()
            .map(|member| member.event_time)
            .min()
            .unwrap();
        let last = group
            .members
            .iter()
            .map(|member| member.event_time)
            .max()
            .unwrap();
        let gap = (first - event.event_time).max(event.event_time - last);
        let life = last.max(event.event_time) - first.min(event.event_time);
        let times = self.times(rule, event);
        gap <= rule.gap_ms * times && life <= rule.max_life_ms * times
    }

    /// The sums of weights, and of weighted places.
    fn sums(&self, group: &Group<'_>) -> (i64, i64, i64) {
        let mut sums = (0, 0, 0);
        for member in group.counted() {
            if let Some(located) = &member.located {
                let u = located.u_mm.clamp(2_000, 1_000_000);
                let weight = 1_000_000_000_000 / (u * u);
                let at = self.plane.project(located.position);
                sums = (sums.0 + weight, sums.1 + weight * at.x, sums.2 + weight * at.y);
            }
        }
        sums
    }

    fn position(&self, group: &Group<'_>) -> Option<Point> {
        let (w, wx, wy) = self.sums(group);
        (w > 0).then(|| Point {
            x: wx.div_euclid(w),
            y: wy.div_euclid(w),
        })
    }

    fn distance(&self, group: &Group<'_>, event: &Event) -> Option<i64> {
        let at = self.plane.project(event.located.as_ref()?.position);
        Some(self.position(group)?.distance_mm(at))
    }

    fn radius(&self, rule: &KindRule, group: &Group<'_>, event: &Event) -> i64 {
        let u = i128::from(event.located.as_ref().map_or(0, |located| located.u_mm));
        let (w, ..) = self.sums(group);
        let variance = if w > 0 {
            i128::from(1_000_000_000_000 / w)
        } else {
            0
        };
        let sigma = ((u * u + variance) as u128).isqrt() as i64;
        let widened = sigma * self.rules.radius_weight_permille() / 1_000;
        (rule.radius_mm + widened).min(rule.cap_mm).max(1)
    }

    /// Doubt in thousandths, and the distance at which it is just what the kind bears.
    fn doubt(
        &self,
        rule: &KindRule,
        most: i64,
        group: &Group<'_>,
        event: &Event,
        distance: i64,
    ) -> (i64, i64) {
        let (w, ..) = self.sums(group);
        let u = i128::from(event.located.as_ref().unwrap().u_mm);
        let breadth = i128::from(rule.radius_mm) * 2 / 5;
        let fused = if w > 0 {
            i128::from(1_000_000_000_000 / w)
        } else {
            0
        };
        let variance = u * u + fused + breadth * breadth;
        let vague = 555 * (log2_milli(variance) - log2_milli(900_000_000)) / 1_000;
        let address = match group.says(event) {
            Some(('r', _)) => -1_000,
            other => street_doubt(rule, other),
        };
        let beside = i128::from(vague + self.silence(rule, group, event) + address + group.caller(event));
        let squared = i128::from(distance) * i128::from(distance) * 1_000 / variance;
        let total = beside + squared.min(6_000 + squared / 16);
        let within = |allowed: i128| ((allowed.max(0) * variance / 1_000) as u128).isqrt() as i64;
        let left = i128::from(most) - beside;
        (total as i64, within(left).max(within((left - 6_000) * 16)))
    }

    fn extent_with(&self, group: &Group<'_>, event: &Event) -> i64 {
        let counted = group.counted();
        let all = counted.iter().chain(std::iter::once(&event));
        let points: Vec<Point> = all
            .filter_map(|member| Some(self.plane.project(member.located.as_ref()?.position)))
            .collect();
        let min = Point {
            x: points.iter().map(|p| p.x).min().unwrap_or(0),
            y: points.iter().map(|p| p.y).min().unwrap_or(0),
        };
        let max = Point {
            x: points.iter().map(|p| p.x).max().unwrap_or(0),
            y: points.iter().map(|p| p.y).max().unwrap_or(0),
        };
        min.distance_mm(max)
    }
}

/// The binary logarithm in thousandths, straight between powers of two.
fn log2_milli(n: i128) -> i64 {
    let whole = n.ilog2();
    (i128::from(whole) * 1_000 + (n - (1 << whole)) * 1_000 / (1 << whole)) as i64
}

/// What is said of addresses, as doubt: 'r' for a road that both name is left to the caller.
fn street_doubt(rule: &KindRule, said: Option<(char, char)>) -> i64 {
    match said {
        Some(('|', _)) if rule.safety_class == "life" => 3_000,
        Some(('=' | '<' | '|', 'd')) => -4_000,
        Some(('=' | '<' | '|', 'x')) => -2_500,
        Some(('=' | '<' | '|', _)) => -1_800,
        Some(('!', _)) => 3_000,
        _ => 0,
    }
}

/// The roads that an address names; all of it where it names none.
fn names(address: &str) -> Vec<String> {
    let road = |text: &str| {
        text.find('路')
            .filter(|at| *at > 0)
            .map(|at| text[..at + '路'.len_utf8()].to_owned())
    };
    let corner = address.split_once("路口").and_then(|(roads, _)| {
        let at = roads.find('路')? + '路'.len_utf8();
        (at < roads.len() && !roads.contains('×')).then(|| roads.split_at(at))
    });
    let found: Vec<String> = match corner {
        Some((one, other)) => vec![one.to_owned(), other.to_owned()],
        None => address.split('×').filter_map(road).collect(),
    };
    match found.is_empty() {
        true => vec![address.to_owned()],
        false => found,
    }
}

/// What an address names: of which form, by what, and the numbers in it with what stands behind them.
struct Spot {
    form: char,
    name: String,
    numbers: Vec<(String, char)>,
}

fn spot(address: &str) -> Option<Spot> {
    let mut roads = names(address);
    if roads.len() == 2 {
        roads.sort();
        let name = roads.join("×");
        return Some(Spot {
            form: 'x',
            name,
            numbers: Vec::new(),
        });
    }
    let at = address
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(address.len());
    let (before, behind) = address.split_at(at);
    let form = if before.ends_with('路') { 'd' } else { 'n' };
    if form == 'd' && behind.is_empty() {
        return None;
    }
    if before.is_empty() {
        return Some(Spot {
            form,
            name: address.to_owned(),
            numbers: Vec::new(),
        });
    }
    let mut numbers: Vec<(String, char)> = Vec::new();
    let mut last = '?';
    for c in behind.chars() {
        match (c.is_ascii_alphanumeric(), last.is_ascii_alphanumeric()) {
            (true, true) => numbers.last_mut().unwrap().0.push(c),
            (true, false) => numbers.push((c.to_string(), '?')),
            (false, true) => numbers.last_mut().unwrap().1 = c,
            (false, false) => {}
        }
        last = c;
    }
    Some(Spot {
        form,
        name: before.to_owned(),
        numbers,
    })
}

impl Spot {
    /// '=' for all that both say, '<' for less of it, '|' for two houses of one lane or estate, '!' for two places.
    fn says(&self, other: &Spot) -> char {
        if self.name != other.name {
            return '!';
        }
        for at in 0..self.numbers.len().max(other.numbers.len()) {
            let (Some(a), Some(b)) = (self.numbers.get(at), other.numbers.get(at)) else {
                return '<';
            };
            let is_door = self.form == 'd' && at == 0;
            let both = [a.1, b.1];
            let is_house = both.iter().all(|class| ['号', '幢'].contains(class)) && !is_door;
            if a.0 != b.0 || !(a.1 == b.1 || is_house || both.contains(&'?')) {
                return if is_door { '!' } else { '|' };
            }
        }
        '='
    }
}

/// Two houses where lives are at stake, of which one is known by its address alone.
fn is_another_house(rule: &KindRule, group: &Group<'_>, event: &Event) -> bool {
    let counted = group.counted();
    let mut in_cells = counted
        .iter()
        .filter(|member| !member.cells.is_empty())
        .peekable();
    let is_told_only = in_cells.peek().is_some() && in_cells.all(|member| !member.quality.is_place());
    rule.safety_class == "life"
        && (event.is_told_only() || is_told_only)
        && matches!(group.says(event), Some(('!' | '|', _)))
}

impl<'e> Group<'e> {
    /// The members that count: not those by which a device only goes on.
    fn counted(&self) -> Vec<&'e Event> {
        let mut devices = BTreeSet::new();
        let counts = |member: &&Event| {
            member
                .device
                .as_ref()
                .is_none_or(|device| devices.insert(device.clone()))
        };
        self.members.iter().copied().filter(counts).collect()
    }

    /// What an event's address says beside those of the incident: the most telling of '=', '|', '<', '!' and 'r' for another form
    /// on the same road; and of which form its own is. `None` when nothing can be compared.
    fn says(&self, event: &Event) -> Option<(char, char)> {
        let key = event.address_key.as_deref()?;
        let own = spot(key)?;
        let addresses: Vec<String> = self.addresses().into_iter().map(|(_, address)| address).collect();
        let shares = |address: &str| {
            names(address)
                .iter()
                .any(|road| road.ends_with('路') && names(key).contains(road))
        };
        let said = addresses.iter().filter_map(|address| {
            let other = spot(address)?;
            match other.form == own.form {
                true => Some(own.says(&other)),
                false => shares(address).then_some('r'),
            }
        });
        let best = said.max_by_key(|said| "r!<|=".find(*said))?;
        Some((best, own.form))
    }

    /// The first address of those without a place, with the first town of theirs; of all others that are more than a road the
    /// first eight.
    fn addresses(&self) -> Vec<(Name, String)> {
        let counted = self.counted();
        let nowhere = || counted.iter().filter(|member| member.located.is_none());
        let own = nowhere().find_map(|member| member.address_key.clone());
        let others: BTreeSet<_> = counted
            .iter()
            .filter(|member| member.located.is_some() || member.address_key != own)
            .filter_map(|member| Some((member.town.clone()?, member.address_key.clone()?)))
            .filter(|(_, address)| spot(address).is_some())
            .collect();
        let town = nowhere().find_map(|member| member.town.clone());
        let all = others.into_iter().take(8).chain(town.zip(own));
        all.map(|(town, address)| (town, address.to_string())).collect()
    }

    /// Whether its reporter told of it before.
    fn caller(&self, event: &Event) -> i64 {
        let known = event.reporter.is_some()
            && self
                .counted()
                .iter()
                .any(|member| member.reporter == event.reporter);
        if known { -6_000 } else { 0 }
    }

    /// Two stated components that differ.
    fn differs(&self, event: &Event) -> bool {
        let stated = |event: &Event| !event.flags.contains(&Flag::ComponentInferred);
        let counted = self.counted();
        let named: Vec<_> = counted
            .iter()
            .filter(|member| stated(member))
            .filter_map(|member| member.component.as_ref())
            .collect();
        match &event.component {
            Some(own) => stated(event) && !named.is_empty() && !named.contains(&own),
            None => false,
        }
    }

    /// Found at the very address.
    fn is_found_at(&self, event: &Event) -> bool {
        let key = (event.town.as_deref(), event.address_key.as_deref());
        let mut addresses = self.addresses().into_iter();
        addresses.any(|(town, address)| key == (Some(&*town), Some(address.as_str())))
    }
}
