//! Which kinds can meet in one incident, and how their groups are laid on partitions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use city_model::Group;

use crate::kind::{KindId, KindRule};

/// The groups of the kinds.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// By kind.
    of: Vec<Group>,
    members: BTreeMap<Group, Vec<KindId>>,
    weights: BTreeMap<Group, u32>,
    /// Of an id that belongs to other rules.
    none: Group,
}

impl Groups {
    /// The closure over every relation between kinds. `weights` has one entry a kind.
    pub(crate) fn close(kinds: &[KindRule], weights: &[u32]) -> Groups {
        // Kinds are few: the least index of a kind's group spreads until nothing changes.
        let mut least: Vec<usize> = (0..kinds.len()).collect();
        let links = links(kinds);
        let mut changed = true;
        while changed {
            changed = false;
            for &(a, b) in &links {
                let both = least[a].min(least[b]);
                changed |= least[a] != both || least[b] != both;
                (least[a], least[b]) = (both, both);
            }
        }
        let mut groups = Groups {
            of: Vec::new(),
            members: BTreeMap::new(),
            weights: BTreeMap::new(),
            none: Group::new("unknown"),
        };
        for (index, first) in least.into_iter().enumerate() {
            // Kinds are in alphabetical order, so the least index has the first name.
            let group = Group::new(kinds[first].name.as_str());
            groups.add(
                KindId(index as u16),
                group,
                weights.get(index).copied().unwrap_or(1),
            );
        }
        groups
    }

    /// Adds a kind that has to do with no other.
    pub(crate) fn add_alone(&mut self, id: KindId, name: &str, weight: u32) {
        self.add(id, Group::new(name), weight);
    }

    fn add(&mut self, id: KindId, group: Group, weight: u32) {
        let sum = self.weights.entry(group.clone()).or_default();
        *sum = sum.saturating_add(weight);
        self.members.entry(group.clone()).or_default().push(id);
        self.of.push(group);
    }

    pub(crate) fn of(&self, id: KindId) -> &Group {
        self.of.get(id.index()).unwrap_or(&self.none)
    }

    pub(crate) fn all(&self) -> Vec<(&Group, Vec<KindId>)> {
        self.members
            .iter()
            .map(|(group, kinds)| (group, kinds.clone()))
            .collect()
    }

    pub(crate) fn weight(&self, group: &Group) -> u32 {
        self.weights.get(group).copied().unwrap_or(0)
    }

    pub(crate) fn layout(&self, partitions: u32) -> BTreeMap<Group, u32> {
        let mut loads: BTreeSet<(u64, u32)> =
            (0..partitions.max(1)).map(|partition| (0, partition)).collect();
        let mut heaviest: Vec<_> = self.weights.iter().collect();
        heaviest.sort_by_key(|(group, weight)| (Reverse(**weight), *group));
        let mut layout = BTreeMap::new();
        for (group, weight) in heaviest {
            if let Some((load, partition)) = loads.pop_first() {
                loads.insert((load + u64::from(*weight), partition));
                layout.insert(group.clone(), partition);
            }
        }
        layout
    }
}

/// Every two kinds that can meet, as indices.
fn links(kinds: &[KindRule]) -> Vec<(usize, usize)> {
    let mut links = Vec::new();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, kind) in kinds.iter().enumerate() {
        for other in [
            &kind.merges_with,
            &kind.related,
            &kind.inhibits,
            &kind.confused_with,
        ]
        .into_iter()
        .flatten()
        {
            links.push((index, other.index()));
        }
        if let Some(class) = &kind.component_class {
            links.push((index, *classes.entry(class).or_insert(index)));
        }
    }
    links
}
