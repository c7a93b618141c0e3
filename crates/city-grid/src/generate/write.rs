//! GeoJSON with the exact decimals of the nano-degrees, so that reading it gives the same grid.

use std::fmt::Write;

use city_model::Position;
use serde_json::Value;

use crate::layer::Draft;

/// A feature collection: one feature a line.
pub(super) fn collection(drafts: &[Draft]) -> String {
    let mut out = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    for (at, draft) in drafts.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str("{\"type\":\"Feature\",\"properties\":{\"code\":");
        text(&mut out, Some(&draft.code));
        out.push_str(",\"name\":");
        text(&mut out, Some(&draft.name));
        out.push_str(",\"parent\":");
        text(&mut out, draft.parent.as_deref());
        if draft.unit.is_some() {
            out.push_str(",\"unit\":");
            text(&mut out, draft.unit.as_deref());
        }
        out.push_str("},\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[");
        for (at, polygon) in draft.polygons.iter().enumerate() {
            out.push_str(if at == 0 { "[" } else { ",[" });
            for (at, ring) in polygon.iter().enumerate() {
                out.push_str(if at == 0 { "[" } else { ",[" });
                for (at, &point) in ring.iter().chain(ring.first()).enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    position(&mut out, point);
                }
                out.push(']');
            }
            out.push(']');
        }
        out.push_str("]}}");
    }
    out.push_str("\n]}\n");
    out
}

fn text(out: &mut String, text: Option<&str>) {
    let value = text.map_or(Value::Null, Value::from);
    let _ = write!(out, "{value}"); // a String takes everything
}

fn position(out: &mut String, p: Position) {
    out.push('[');
    decimal(out, p.lon_e9);
    out.push(',');
    decimal(out, p.lat_e9);
    out.push(']');
}

fn decimal(out: &mut String, e9: i64) {
    let sign = if e9 < 0 { "-" } else { "" };
    let (whole, part) = (e9.abs() / 1_000_000_000, e9.abs() % 1_000_000_000);
    let _ = write!(out, "{sign}{whole}.{part:09}"); // a String takes everything
    let trimmed = out.trim_end_matches('0').len();
    out.truncate(trimmed.max(out.len() - 8)); // at least one digit stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_short() {
        for (e9, want) in [
            (121_227_700_000, "121.2277"),
            (-71_000_000_001, "-71.000000001"),
            (5, "0.000000005"),
            (31_000_000_000, "31.0"),
            (0, "0.0"),
        ] {
            let mut out = String::new();
            decimal(&mut out, e9);
            assert_eq!(out, want);
        }
    }
}
