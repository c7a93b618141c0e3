//! Where records come from: the input stream, and the channel that a report came through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::outcome::{UnknownName, closed_set};

closed_set! {
    /// The input stream of a record. The order is the rank in which equal times are decided.
    Source {
        /// `city.sensor.readings.v1`
        Sensor = "sensor",
        /// `city.hotline.tickets.v1`
        Hotline = "hotline",
        /// `city.video.alerts.v1`
        Video = "video",
        /// `city.reports.v1`
        Report = "report",
        /// `city.weather.warnings.v1`
        Weather = "weather",
        /// `city.silences.v1`
        Silence = "silence",
        /// `city.incidents.commands.v1`
        Command = "command",
    }
}

closed_set! {
    /// The independent kinds of witness; two of them confirm each other.
    Channel {
        /// A device in the street or a building.
        Sensor = "sensor",
        /// A call to 12345.
        Hotline = "hotline",
        /// Video analytics.
        Video = "video",
        /// A grid inspector (监督员).
        Inspector = "inspector",
        /// The citizens' app.
        App = "app",
        /// A web form.
        Web = "web",
        /// A petition (信访).
        Petition = "petition",
        /// Press and social media.
        Media = "media",
        /// A higher or neighbouring centre.
        Upstream = "upstream",
        /// The police (110).
        Police = "police",
        /// Any other.
        Other = "other",
    }
}
