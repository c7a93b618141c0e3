//! Writes a components file as large as a city's, or reads one and says how long it took: the figures of the README.
//!
//! `fifteen_million write [ROWS] > components.csv`, then `fifteen_million read < components.csv`, under `/usr/bin/time -v`
//! for the memory.
#![allow(clippy::disallowed_methods, reason = "it measures, the crate does not")]

use std::error::Error;
use std::io::{BufReader, BufWriter, Write, stdin, stdout};
use std::time::Instant;

use city_model::Position;
use rand::{RngExt, SeedableRng};

const ROWS: u64 = 15_000_000;
const CLASSES: f64 = 60.0;
/// How often the commonest class is asked for, in the densest part.
const ASKED: usize = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("write") => write(arguments.next().map_or(Ok(ROWS), |rows| rows.parse())?),
        Some("read") => read(),
        _ => Err("fifteen_million write [ROWS] | read".into()),
    }
}

fn write(rows: u64) -> Result<(), Box<dyn Error>> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(15);
    let mut out = BufWriter::new(stdout().lock());
    writeln!(out, "component_id,class,lon,lat,crs,accuracy_m")?;
    for number in 0..rows {
        // The n-th class has a share like 1 / n. Half of everything stands on a tenth of 6,340 km².
        let class = ((CLASSES + 1.0).powf(random.random_range(0.0..1.0)) - 1.0) as u64;
        let (class, item) = (class / 12 + 1, class % 12 + 1);
        let half = if random.random_bool(0.5) { 0.13 } else { 0.41 };
        let lon = 121.47 + random.random_range(-half..half);
        let lat = 31.23 + random.random_range(-half..half) * 0.86;
        let (district, serial) = (number / 1_000_000, number % 1_000_000);
        writeln!(
            out,
            "3101{district:02}{class:02}{item:03}{serial:06},{class:02}{item:03},{lon:.8},{lat:.8},CGCS2000,1"
        )?;
    }
    Ok(out.flush()?)
}

fn read() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let listed = city_registry::read_components(
        BufReader::with_capacity(1 << 18, stdin().lock()),
        city_grid::Frame::anywhere(&city_grid::crs::Systems::default()),
    )?;
    let mut out = stdout().lock();
    writeln!(
        out,
        "{} components in {} classes, {} ids repeated, {:.1} s",
        listed.entries.len(),
        listed.entries.classes().count(),
        listed.oddities.repeated.rows,
        start.elapsed().as_secs_f64()
    )?;
    let components = listed.entries;
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(16);
    let places: Vec<_> = (0..ASKED)
        .filter_map(|_| {
            let (lon, lat) = (random.random_range(-0.13..0.13), random.random_range(-0.11..0.11));
            Position::from_degrees(121.47 + lon, 31.23 + lat)
        })
        .collect();
    for r_mm in [45_000, 90_000] {
        let start = Instant::now();
        let found: usize = places
            .iter()
            .map(|place| components.near("01001", *place, r_mm).len())
            .sum();
        writeln!(
            out,
            "near, {} m: {:.0} ns, {:.1} found",
            r_mm / 1_000,
            start.elapsed().as_nanos() as f64 / ASKED as f64,
            found as f64 / ASKED as f64
        )?;
    }
    Ok(())
}
