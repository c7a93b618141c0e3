//! What of an engine's memory lies where: for whoever measures it.

use crate::engine::Engine;

impl Engine {
    /// Lets go of one part after the other, and calls `gone` with the name of each when it is no more.
    pub fn take_apart(mut self, mut gone: impl FnMut(&'static str)) {
        macro_rules! let_go {
            ($($part:expr => $name:literal),* $(,)?) => {$(
                drop(std::mem::take(&mut $part));
                gone($name);
            )*};
        }
        let_go! {
            self.events => "events",
            self.incidents => "incidents",
            self.unsettled => "unsettled",
            self.neighbours => "neighbours",
            self.by_device => "by device",
            self.by_component => "by component",
            self.by_street => "by street",
            self.expiring => "expiring",
            self.open => "open",
            self.due => "due",
        }
        drop(self);
        gone("all else");
    }
}
