//! Records that outlive the bytes that they were read from.

use crate::fields::each_record;
use crate::{
    Algorithm, HotlineTicket, IncidentCommand, Measured, Record, Report, SensorReading, Silence, Text,
    VideoAlert, WeatherWarning, WireArea, WireLocation, WireTime,
};

impl Record<'_> {
    /// The record with copies of the texts that it was lent.
    pub fn into_owned(self) -> Record<'static> {
        match self {
            Record::Sensor(r) => Record::Sensor(Box::new(r.owned())),
            Record::Hotline(r) => Record::Hotline(Box::new(r.owned())),
            Record::Video(r) => Record::Video(Box::new(r.owned())),
            Record::Report(r) => Record::Report(Box::new(r.owned())),
            Record::Weather(r) => Record::Weather(Box::new(r.owned())),
            Record::Silence(r) => Record::Silence(Box::new(r.owned())),
            Record::Command(r) => Record::Command(Box::new(r.owned())),
        }
    }
}

/// What can be made to lend nothing.
trait Own {
    type Owned;

    fn owned(self) -> Self::Owned;
}

impl Own for Text<'_> {
    type Owned = Text<'static>;

    fn owned(self) -> Text<'static> {
        self.into_owned()
    }
}

impl<T: Own> Own for Option<T> {
    type Owned = Option<T::Owned>;

    fn owned(self) -> Option<T::Owned> {
        self.map(T::owned)
    }
}

impl<T: Own> Own for Vec<T> {
    type Owned = Vec<T::Owned>;

    fn owned(self) -> Vec<T::Owned> {
        self.into_iter().map(T::owned).collect()
    }
}

impl Own for WireTime<'_> {
    type Owned = WireTime<'static>;

    fn owned(self) -> WireTime<'static> {
        match self {
            WireTime::Millis(ms) => WireTime::Millis(ms),
            WireTime::Text(text) => WireTime::Text(text.into_owned()),
        }
    }
}

impl Own for WireArea<'_> {
    type Owned = WireArea<'static>;

    fn owned(self) -> WireArea<'static> {
        match self {
            WireArea::Cells(codes) => WireArea::Cells(codes.owned()),
            WireArea::Geometry(geometry) => WireArea::Geometry(geometry),
        }
    }
}

macro_rules! own_copies {
    ($($copy:ty),*) => {
        $(impl Own for $copy {
            type Owned = $copy;

            fn owned(self) -> $copy {
                self
            }
        })*
    };
}

own_copies!(bool, i64, f64, Measured);

macro_rules! own_records {
    ($($record:ident { $($field:ident),* })*) => {
        $(impl Own for $record<'_> {
            type Owned = $record<'static>;

            fn owned(self) -> $record<'static> {
                $record { $($field: self.$field.owned()),* }
            }
        })*
    };
}

each_record!(own_records);
