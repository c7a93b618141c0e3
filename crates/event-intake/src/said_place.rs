//! Where a ticket or report says that it is, besides by coordinates: in its address, else in its words.

use std::borrow::Cow;

use city_model::{EventTime, Name};

use crate::address::{self, Told};
use crate::intake::{Intake, name};
use crate::place::Place;

/// What of a record may say where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceTexts<'a> {
    pub(crate) address: Option<&'a str>,
    pub(crate) title: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) town_code: Option<&'a str>,
}

/// Where it says that it is. A complaint about nowhere can be neither compared nor dispatched.
pub(crate) struct SaidPlace<'a> {
    /// In its address, else in its title or content.
    pub(crate) address: Option<Cow<'a, str>>,
    /// The code of the town that it names, where nothing finer tells the town.
    pub(crate) town: Option<Name>,
    /// Whether it says any place: by coordinates, a town's code, an address or its words.
    pub(crate) is_any: bool,
}

impl Intake {
    /// What a record's texts say of its place; `place` is what its coordinates say.
    pub(crate) fn said_place<'a>(
        &self,
        texts: PlaceTexts<'a>,
        place: &Place,
        moment: EventTime,
    ) -> SaidPlace<'a> {
        let is_placed = place.position.is_some() || name(texts.town_code).is_some();
        let own = texts.address.filter(|address| address::says_place(address));
        if is_placed && own.is_some() {
            return SaidPlace {
                address: own.map(Cow::Borrowed),
                town: None,
                is_any: true,
            };
        }
        let running = || [texts.title, texts.content].into_iter().flatten();
        let told = match own.filter(|address| !address::is_town_alone(address)) {
            Some(_) => None,
            None => running().find_map(address::in_text),
        };
        let town = || {
            let named = own.and_then(|address| self.town_of(moment, address));
            named.or_else(|| self.town_in(moment, running()))
        };
        let town = if is_placed { None } else { town() };
        let is_any = is_placed || own.is_some() || told.is_some() || town.is_some();
        let address = match told {
            Some(Told::Address(address)) => Some(Cow::Owned(address)),
            Some(Told::Somewhere) | None => own.map(Cow::Borrowed),
        };
        SaidPlace {
            address,
            town,
            is_any,
        }
    }
}
