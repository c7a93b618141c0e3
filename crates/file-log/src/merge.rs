//! The input files as one stream, by (arrival, source, line).

use std::path::Path;

use city_model::Source;
use jiff::tz::TimeZone;
use wire_format::Decoder;

use crate::INPUT_FILES;
use crate::lines::{Line, Lines};

/// The merged input of a directory. A file that is not there has no records.
pub(crate) struct Merge<'a> {
    files: Vec<(Source, Lines, Option<Line>)>,
    decoder: &'a Decoder,
    timezone: &'a TimeZone,
}

impl<'a> Merge<'a> {
    /// Opens the input files of a directory.
    pub(crate) fn open(
        dir: &Path,
        decoder: &'a Decoder,
        timezone: &'a TimeZone,
    ) -> anyhow::Result<Merge<'a>> {
        let mut files = Vec::new();
        for (source, name) in INPUT_FILES {
            let path = dir.join(name);
            if path.exists() {
                let mut lines = Lines::open(source, &path)?;
                let first = lines.next(decoder, timezone)?;
                files.push((source, lines, first));
            }
        }
        anyhow::ensure!(
            !files.is_empty(),
            "{} holds none of the input files, such as sensor.ndjson",
            dir.display()
        );
        Ok(Merge {
            files,
            decoder,
            timezone,
        })
    }

    /// The next record.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<(Source, Line)>> {
        let heads = self
            .files
            .iter()
            .enumerate()
            .filter_map(|(at, (source, _, head))| head.as_ref().map(|line| ((line.arrival, *source), at)));
        let Some((_, at)) = heads.min() else {
            return Ok(None);
        };
        let (source, lines, head) = &mut self.files[at];
        let next = lines.next(self.decoder, self.timezone)?;
        Ok(std::mem::replace(head, next).map(|line| (*source, line)))
    }
}
