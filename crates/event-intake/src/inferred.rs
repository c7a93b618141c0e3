//! The component of an event that names none: the only one of its class that its place can mean, if there is only one.

use city_model::{Located, Name};
use city_registry::{Components, Only};
use city_rules::{KindId, Rules};
use rustc_hash::FxHashMap;

use crate::intake::Intake;

/// A position's error in the plane stays within three sigmas in 98.9 % (1 − e^(−9/2)), so the one that is meant is hardly
/// ever left out. Two sigmas would leave it out in 13.5 % and then take its neighbour for it.
/// The component's own error is left out: it is surveyed to a metre or so, which against 15 m of a fix adds 0.03 m.
const SIGMAS: i64 = 3;
/// The national lists in which a component's class may be coded instead of named, the newest first.
const STANDARDS: [&str; 3] = [
    "GB/T 47678.5-2026",
    "GB/T 30428.2-2013 部件",
    "CJ/T 214-2007 部件",
];

/// The names that the registry has for the rules' classes of components: the class itself, and national codes of kinds
/// that have the class.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClassNames(FxHashMap<String, Vec<Name>>);

impl ClassNames {
    pub(crate) fn new(rules: &Rules, components: &Components) -> ClassNames {
        let mut names = ClassNames::default();
        for (name, _) in components.classes() {
            let is_class = rules
                .kinds()
                .any(|(_, kind)| kind.component_class.as_deref() == Some(&**name));
            let class = if is_class {
                Some(name.to_string())
            } else {
                STANDARDS
                    .iter()
                    .find_map(|standard| rules.map_code(standard, name))
                    .and_then(|mapped| rules.kind(mapped.kind).component_class.clone())
            };
            if let Some(class) = class {
                names.0.entry(class).or_default().push(Name::clone(name));
            }
        }
        names
    }

    pub(crate) fn meant_by(&self, listed: &str) -> Option<&str> {
        let mut classes = self.0.iter();
        classes
            .find(|(_, names)| names.iter().any(|name| **name == *listed))
            .map(|(class, _)| class.as_str())
    }
}

/// The component that an event of this kind at this place means.
pub(crate) fn component(intake: &Intake, kind: KindId, located: &Located) -> Option<Name> {
    let class = intake.rules().kind(kind).component_class.as_ref()?;
    let names = intake.class_names().0.get(class)?;
    let reach_mm = located.u_mm.saturating_mul(SIGMAS);
    let components = &intake.registry().components;
    match components.only_near(names.iter().map(|name| &**name), located.position, reach_mm) {
        Only::One(near) => {
            let id = near.component.id();
            Some(intake.keys().cover(&id).unwrap_or(id))
        }
        Only::None | Only::Several => None,
    }
}
