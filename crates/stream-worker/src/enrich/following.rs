//! Takes what is in force between two batches, and tells the enriched log by what the events that follow are judged.

use city_model::Input;

use super::Enrich;
use crate::Outbox;

impl Enrich {
    /// Takes what is in force; whether it is newer.
    pub(super) fn catch_up(&mut self) -> bool {
        let Some((in_force, seen)) = &mut self.in_force else {
            return false;
        };
        let Some((generation, standing)) = in_force.newer_than(*seen) else {
            return false;
        };
        *seen = generation;
        self.setup = standing.setup;
        self.activation = standing.activation;
        if let Some(surveyor) = &mut self.surveyor {
            // The registry may have moved: every device's word is compared with it anew.
            surveyor.forget();
        }
        true
    }

    /// Tells every partition of the enriched log by what the events that follow are judged.
    pub(super) fn announce(&self, out: &mut Outbox) {
        for partition in 0..self.setup.partitions() {
            out.send(partition, Input::Activation(Box::new((*self.activation).clone())));
        }
    }
}
