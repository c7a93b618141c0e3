//! `cityops grid locate`: the cell of each point of a CSV file. Every row gets its answer; one that is no place is outside.

use std::path::Path;

use anyhow::Context;
use city_grid::crs::Systems;
use city_grid::{Crs, layer};
use city_model::Position;

use super::chosen;
use crate::CommandResult;
use crate::assemble;
use crate::config::Loaded;
use crate::exit::{Exit, usage};

/// So many rows that are no place are told one by one.
const TOLD_MAX: usize = 20;

/// Where the columns are.
struct Columns {
    id: usize,
    x: usize,
    y: usize,
    system: Option<usize>,
}

pub(super) fn run(
    config: Option<&Path>,
    name: Option<&str>,
    at: Option<&str>,
    input: &Path,
    output: &Path,
) -> CommandResult {
    let loaded = config.map_or_else(|| Ok(Loaded::builtin()), Loaded::read)?;
    let zone = assemble::timezone(&loaded)?;
    let moment = |text| {
        layer::moment_of(text, &zone)
            .ok_or_else(|| usage(format!("--at {text}: write a date or an RFC 3339 time")))
    };
    let at = at.map(moment).transpose()?;
    let systems = assemble::systems(&loaded)?;
    let layers = assemble::layers(&loaded)?
        .into_iter()
        .map(|(layer, _)| layer)
        .collect();
    let layer = chosen(layers, name, false)?
        .into_iter()
        .next()
        .context("a grid has at least one layer")?;
    let layer = at.map_or_else(|| layer.newest(), |at| layer.at(at));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true) // a row that is too short is one that is no place
        .from_path(input)
        .map_err(|error| usage(format!("read {}: {error}", input.display())))?;
    let header = reader
        .byte_headers()
        .with_context(|| format!("read {}", input.display()))?
        .clone();
    let columns = Columns::of(&header, input)?;
    // Everything is read before anything is written: a file that breaks off leaves no half of an answer.
    let mut rows = Vec::new();
    let mut unusable = 0;
    for record in reader.byte_records() {
        let record = record.with_context(|| format!("read {}", input.display()))?;
        let id = record.get(columns.id).unwrap_or_default().to_vec();
        match columns.place(&systems, &record) {
            Ok(position) => {
                let located = layer.locate(position);
                let code = located.cell().map_or("", |cell| &layer.cell(cell).code);
                rows.push((id, code.to_owned(), located.status.name()));
            }
            Err(why) => {
                unusable += 1;
                if unusable <= TOLD_MAX {
                    let line = record.position().map_or(0, csv::Position::line);
                    warn(&format!("{}:{line}: {why}", input.display()));
                }
                rows.push((id, String::new(), layer::Status::Outside.name()));
            }
        }
    }
    let mut writer = csv::Writer::from_path(output).with_context(|| format!("write {}", output.display()))?;
    writer.write_record(["id", "code", "status"])?;
    for (id, code, status) in &rows {
        writer.write_record([id, code.as_bytes(), status.as_bytes()])?;
    }
    writer
        .flush()
        .with_context(|| format!("write {}", output.display()))?;
    if unusable == 0 {
        return Ok(Exit::Clean);
    }
    if unusable > TOLD_MAX {
        warn(&format!("{} more", unusable - TOLD_MAX));
    }
    let are = if unusable == 1 { "is" } else { "are" };
    let of = if rows.len() == 1 { "row" } else { "rows" };
    warn(&format!(
        "{unusable} of {} {of} {are} no place: written as outside",
        rows.len()
    ));
    Ok(Exit::Differences)
}

impl Columns {
    /// # Errors
    /// When a column is not there.
    fn of(header: &csv::ByteRecord, input: &Path) -> anyhow::Result<Columns> {
        let column = |name: &str| {
            let mut names = header.iter();
            names.position(|column| column.strip_prefix(b"\xef\xbb\xbf").unwrap_or(column) == name.as_bytes())
        };
        let mandatory = |name: &str| {
            column(name).ok_or_else(|| usage(format!("{} has no column \"{name}\"", input.display())))
        };
        Ok(Columns {
            id: mandatory("id")?,
            x: mandatory("x")?,
            y: mandatory("y")?,
            system: column("crs"),
        })
    }

    /// The place of a row, or why it has none.
    fn place(&self, systems: &Systems, record: &csv::ByteRecord) -> Result<Position, String> {
        let value = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default());
        let coordinate = |at: usize, name: &str| {
            let text = value(at);
            if text.is_empty() {
                return Err(format!("{name} is empty"));
            }
            let number = text.parse::<f64>();
            number.map_err(|_| format!("{name} \"{text}\" is no number"))
        };
        let (x, y) = (coordinate(self.x, "x")?, coordinate(self.y, "y")?);
        let system: Crs = match &*self.system.map(value).unwrap_or_default() {
            "" => Crs::Wgs84,
            name => name
                .parse()
                .map_err(|_| format!("unknown coordinate system \"{name}\""))?,
        };
        systems
            .to_wgs84(system, x, y)
            .and_then(|(lon, lat)| Position::from_degrees(lon, lat))
            .ok_or_else(|| format!("({x}, {y}) is no place in {system}"))
    }
}

/// Says it beside the answer. Standard error may be closed, which must not cost the answer.
fn warn(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "cityops: {text}");
}
