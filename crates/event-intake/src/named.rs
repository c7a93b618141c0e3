//! Towns by their names: which of the grid's an address or a text names, where no code and no coordinates do.

use city_grid::Layer;
use city_model::{EventTime, Name};

use crate::address;
use crate::intake::Intake;

/// Words that make a name a town's beyond doubt.
const SUFFIXES: [&str; 3] = ["街道", "镇", "乡"];
/// Shortest name that is looked for in running text, in characters.
const SHORTEST: usize = 3;

impl Intake {
    /// The code of the town with which an address begins, behind its city and district, as the first layer had it then.
    /// Names that two towns bear tell none.
    pub(crate) fn town_of(&self, moment: EventTime, address: &str) -> Option<Name> {
        let rest = address::from_town(address);
        self.only_town(moment, |name| {
            let has_suffix = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
            let begins = |name: &str| address::begins_with_town(&rest, name);
            if has_suffix {
                begins(name)
            } else {
                // A grid that has "佘山" for "佘山镇"; "佘山路" is none.
                SUFFIXES.iter().any(|suffix| begins(&[name, suffix].concat()))
            }
        })
    }

    /// The code of the one town that texts name in full.
    pub(crate) fn town_in<'a>(
        &self,
        moment: EventTime,
        texts: impl Iterator<Item = &'a str>,
    ) -> Option<Name> {
        let texts: Vec<&str> = texts.collect();
        self.only_town(moment, |name| {
            let is_full =
                SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) && name.chars().count() >= SHORTEST;
            is_full && texts.iter().any(|text| names(text, name))
        })
    }

    fn only_town(&self, moment: EventTime, is_named: impl Fn(&str) -> bool) -> Option<Name> {
        let layer: &Layer = self.layers().first()?.at(moment);
        let level = layer.levels().position(|level| &**level == "town")?;
        let mut towns = layer.cells(level).filter(|(_, cell)| is_named(&cell.name));
        let (_, town) = towns.next()?;
        towns.next().is_none().then(|| Name::clone(&town.code))
    }
}

/// Whether a text names a town, rather than a road that is called after it: "九亭镇路".
fn names(text: &str, name: &str) -> bool {
    let mut places = text.match_indices(name);
    places.any(|(at, _)| {
        let rest = text.get(at + name.len()..).unwrap_or_default();
        !rest.starts_with(['路', '街', '桥', '站'])
    })
}
