//! Components (部件) by id and by what is near: 24 bytes a row beside the table of ids, whatever the ids look like.

mod builder;

use std::fmt;
use std::hash::BuildHasher;
use std::ops::ControlFlow;

use city_model::{Name, Plane, Point, Position};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::ground::{Area, Ground, Spot};
use crate::id::{PackedId, Texts, room};

pub use builder::{ComponentsBuilder, RegistryFull};

/// A plane says nothing about what is farther than 1,000 km.
const MOST_REACH_MM: i64 = 1_000_000_000;

/// What a row says beside where it is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    id: PackedId,
    /// One sigma in millimetres; 0 where nothing is known.
    u_mm: u32,
}

/// The city's components.
#[derive(Default)]
pub struct Components {
    ground: Ground<Entry>,
    texts: Texts,
    /// Row numbers by id.
    ids: HashTable<u32>,
    /// In the order of their names.
    classes: Vec<Name>,
    class_of: FxHashMap<Name, u32>,
}

/// One component.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    components: &'a Components,
    number: usize,
}

/// A component with its distance.
#[derive(Debug, Clone, Copy)]
pub struct Near<'a> {
    /// The component.
    pub component: Component<'a>,
    /// How far it is, in whole millimetres, rounded down.
    pub distance_mm: i64,
}

/// Whether there is exactly one.
#[derive(Debug, Clone, Copy)]
pub enum Only<'a> {
    /// None.
    None,
    /// One, this one.
    One(Near<'a>),
    /// More than one.
    Several,
}

impl Components {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ground.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The classes in the order of their names, each with how many components it has.
    pub fn classes(&self) -> impl Iterator<Item = (&Name, usize)> {
        let counts = (0..).map(|class| self.ground.count(class));
        let all = self.classes.iter().zip(counts);
        all.filter(|(_, count)| *count > 0) // a class whose every row was replaced
    }

    /// The component with exactly this id.
    pub fn get(&self, id: &str) -> Option<Component<'_>> {
        let number = find(&self.ids, &self.ground, &self.texts, id)?;
        self.ground.get(number).map(|_| self.at(number))
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = Component<'_>> {
        (0..self.len()).map(|number| self.at(number))
    }

    /// The components of a class within `r_mm` millimetres (at most 1,000 km) of a place, nearest first, equally near
    /// ones by their ids. Distances are those of the plane that touches the earth there, which ends at the 180th meridian.
    pub fn near(&self, class: &str, place: Position, r_mm: i64) -> Vec<Near<'_>> {
        let mut found = Vec::new();
        self.visit(class, place, r_mm, |near| {
            found.push(near);
            ControlFlow::Continue(())
        });
        found.sort_unstable_by(|a, b| {
            let by_id = || {
                let (a, b) = (a.component.entry(), b.component.entry());
                let (mut left, mut right) = (room(), room());
                let texts = &self.texts;
                texts.text(a.id, &mut left).cmp(texts.text(b.id, &mut right))
            };
            a.distance_mm.cmp(&b.distance_mm).then_with(by_id)
        });
        found
    }

    /// Whether exactly one component of these classes lies within `r_mm` millimetres of a place. It ends at the second.
    pub fn only_near<'c>(
        &self,
        classes: impl IntoIterator<Item = &'c str>,
        place: Position,
        r_mm: i64,
    ) -> Only<'_> {
        let mut only = Only::None;
        for class in classes {
            self.visit(class, place, r_mm, |near| {
                only = match only {
                    Only::None => Only::One(near),
                    _ => Only::Several,
                };
                match only {
                    Only::Several => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            });
            if matches!(only, Only::Several) {
                break;
            }
        }
        only
    }

    fn visit<'a>(
        &'a self,
        class: &str,
        place: Position,
        r_mm: i64,
        mut see: impl FnMut(Near<'a>) -> ControlFlow<()>,
    ) {
        let Some(class) = self.class_of.get(class) else {
            return;
        };
        if r_mm < 0 {
            return;
        }
        let r_mm = r_mm.min(MOST_REACH_MM);
        let plane = Plane::at(place);
        self.ground
            .visit(*class, Area::around(&plane, r_mm), |number, position| {
                let distance_mm = plane.project(position).distance_mm(Point::default());
                if distance_mm > r_mm {
                    return ControlFlow::Continue(());
                }
                see(Near {
                    component: self.at(number),
                    distance_mm,
                })
            });
    }

    fn at(&self, number: usize) -> Component<'_> {
        Component {
            components: self,
            number,
        }
    }
}

impl fmt::Debug for Components {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.classes()).finish()
    }
}

impl<'a> Component<'a> {
    fn spot(&self) -> &'a Spot<Entry> {
        &self.components.ground.spots()[self.number] // its number was found in there
    }

    fn entry(&self) -> Entry {
        self.spot().what
    }

    /// Its id.
    pub fn id(&self) -> Name {
        self.components.texts.text(self.entry().id, &mut room()).into()
    }

    /// Its class.
    pub fn class(&self) -> &'a Name {
        &self.components.classes[self.components.ground.class(self.spot()) as usize]
    }

    /// Where it is, exactly as it was told.
    pub fn position(&self) -> Position {
        self.components.ground.position(self.spot())
    }

    /// One sigma of its position in millimetres, where it is known.
    pub fn u_mm(&self) -> Option<i64> {
        let u_mm = self.entry().u_mm;
        (u_mm > 0).then_some(i64::from(u_mm))
    }
}

impl fmt::Debug for Component<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("id", &self.id())
            .field("class", self.class())
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

fn find(ids: &HashTable<u32>, ground: &Ground<Entry>, texts: &Texts, id: &str) -> Option<usize> {
    let id_of = |number: &u32| ground.get(*number as usize).map(|spot| spot.what.id);
    let found = match PackedId::of_digits(id) {
        Some(packed) => ids.find(FxBuildHasher.hash_one(packed.number()), |number| {
            id_of(number) == Some(packed)
        }),
        None => ids.find(FxBuildHasher.hash_one(id.as_bytes()), |number| {
            id_of(number).and_then(|other| texts.bytes(other)) == Some(id.as_bytes())
        }),
    };
    found.map(|number| *number as usize)
}

fn hash(texts: &Texts, id: PackedId) -> u64 {
    match texts.bytes(id) {
        Some(bytes) => FxBuildHasher.hash_one(bytes),
        None => FxBuildHasher.hash_one(id.number()),
    }
}
