//! Where: coordinate systems, layers of cells, which cell a point lies in, a synthetic grid, and what is wrong with a grid.
//!
//! Everything here is decided on whole nano-degrees, so that a point has the same cell on every machine. Nothing reads a
//! file or a clock: callers bring the bytes.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod crs;
mod finding;
mod frame;
mod geometry;
mod ground;
mod raster;
mod ring;

pub mod layer;

pub mod check;
mod coverage;
pub mod diff;
pub mod limits;

pub mod generate;

pub mod suspicion;

pub use crs::Crs;
pub use finding::{Finding, GridError, Severity, What};
pub use frame::{Bounds, Frame};
pub use generate::builtin;
pub use geometry::Geometry;
pub use layer::{
    Bytes, Cell, CellIndex, Layer, LayerConfig, LevelConfig, LevelSource, Located, Share, Status, Timeline,
    is_shapefile,
};
pub use limits::{AreaLimit, Limits, SliverLimit, Verdict};
