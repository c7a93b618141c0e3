//! The learned table: names become ids, and what contradicts the kinds is refused.

use city_model::Channel;

use super::Compiler;
use crate::kind::{KindId, KindRule};
use crate::learned::{Learned, RawRow};
use crate::strict::ConfigError;

impl Compiler<'_> {
    pub(super) fn learned(&self, kinds: &[KindRule]) -> Result<Option<Learned>, ConfigError> {
        let Some(raw) = &self.file.learned else {
            return Ok(None);
        };
        let distances = raw.distance.iter().map(|metres| metres.0).collect();
        let gaps = raw.gap.iter().map(|gap| gap.0).collect();
        let mut table = Learned::new(raw.threshold, distances, gaps)
            .map_err(|message| self.sources.wrong("[learned]", message))?;
        for (name, row) in &raw.kinds {
            let kind = self.id(name)?;
            self.enter(&mut table, (name, name), (kind, kind), row)?;
        }
        for (name, others) in &raw.pairs {
            let kind = self.id(name)?;
            for (other_name, row) in others {
                let other = self.id(other_name)?;
                let twice = raw
                    .pairs
                    .get(other_name)
                    .is_some_and(|back| back.contains_key(name));
                if twice {
                    let message = format!("{name} and {other_name} have points twice, once from either side");
                    return Err(self.sources.wrong(name, message));
                }
                if !kinds[kind.index()].merges_with.contains(&other) {
                    let message = format!(
                        "{name} and {other_name} have points but do not merge: name one in the other's merges_with"
                    );
                    return Err(self.sources.wrong(name, message));
                }
                self.enter(&mut table, (name, other_name), (kind, other), row)?;
            }
        }
        for (event, witnesses) in &raw.channels {
            for (witness, points) in witnesses {
                table
                    .enter_channels(*event, *witness, *points)
                    .map_err(|message| self.wrong_channels(*event, *witness, *points, &message))?;
            }
        }
        Ok(Some(table))
    }

    fn enter(
        &self,
        table: &mut Learned,
        (name, other): (&str, &str),
        (one, two): (KindId, KindId),
        row: &RawRow,
    ) -> Result<(), ConfigError> {
        let entered = row.row().and_then(|row| table.enter(one, two, row));
        entered.map_err(|message| {
            let of = if name == other {
                format!("learned.kinds.\"{name}\"")
            } else {
                format!("learned.pairs.\"{name}\".\"{other}\"")
            };
            self.sources.wrong(name, format!("{of}: {message}"))
        })
    }

    /// Channels are named in many places, so the number says where; one that is spelled otherwise (`20_000`) is not found.
    fn wrong_channels(&self, event: Channel, witness: Channel, points: i32, message: &str) -> ConfigError {
        let key = format!("learned.channels.{event}.{witness}");
        let at = |name: &str| self.sources.wrong(name, format!("{key}: {message}"));
        let by_number = Some(at(&points.to_string())).filter(|error| error.line.is_some());
        ConfigError {
            key: Some(key.clone()),
            ..by_number.unwrap_or_else(|| at(&event.to_string()))
        }
    }
}
