//! The same cells written as GeoJSON, FlatGeobuf and shapefile, by the crates of those formats.

use std::io::Cursor;

use dbase::encoding::EncodingRs;
use dbase::{FieldValue, Record, TableWriterBuilder};
use flatgeobuf::geozero::error::Result as GeozeroResult;
use flatgeobuf::geozero::{ColumnValue, GeomProcessor, GeozeroGeometry, PropertyProcessor};
use flatgeobuf::{ColumnType, FgbCrs, FgbWriter, FgbWriterOptions, GeometryType};
use serde_json::{Value, json};
use shapefile::{Point, PointZ, Polygon, PolygonRing, PolygonZ, ShapeWriter};

pub(super) type Rings = Vec<Vec<(f64, f64)>>;

/// A cell to write.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) code: f64,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) valid: [&'static str; 2],
    /// Polygons of closed rings, the outer one first.
    pub(super) polygons: Vec<Rings>,
}

/// The files of a shapefile.
#[derive(Debug, Clone)]
pub(super) struct Shapefile {
    pub(super) shp: Vec<u8>,
    pub(super) dbf: Vec<u8>,
}

/// A closed square, counter-clockwise, in thousandths of a degree from 121° E 31° N.
pub(super) fn ring(x: i32, y: i32, size: i32) -> Vec<(f64, f64)> {
    let at = |x: i32, y: i32| (f64::from(121_000 + x) / 1e3, f64::from(31_000 + y) / 1e3);
    let (e, n) = (x + size, y + size);
    vec![at(x, y), at(e, y), at(e, n), at(x, n), at(x, y)]
}

pub(super) fn turned(mut ring: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    ring.reverse();
    ring
}

/// Squares with holes, an island and a cell of several parts.
pub(super) fn cells() -> Vec<Given> {
    let given = |code, name, unit, polygons| Given {
        code,
        name,
        unit,
        valid: ["", ""],
        polygons,
    };
    vec![
        given(
            310_117_001.0,
            "方松街道",
            "第一网格",
            vec![
                vec![ring(0, 0, 10), turned(ring(2, 2, 6))],
                vec![ring(4, 4, 2)], // an island in the hole
            ],
        ),
        given(
            310_117_002.0,
            "中山街道",
            "",
            vec![vec![ring(2, 2, 6), turned(ring(4, 4, 2))]],
        ),
        given(
            310_117_103.0,
            "佘山镇",
            "第三网格",
            vec![vec![ring(20, 0, 5)], vec![ring(30, 0, 5)]],
        ),
    ]
}

pub(super) fn geojson(cells: &[Given]) -> Vec<u8> {
    let features: Vec<Value> = cells
        .iter()
        .map(|cell| {
            json!({
                "type": "Feature",
                "properties": {
                    "code": cell.code, "name": cell.name, "unit": cell.unit,
                    "from": cell.valid[0], "to": cell.valid[1],
                },
                "geometry": { "type": "MultiPolygon", "coordinates": cell.polygons },
            })
        })
        .collect();
    let collection = json!({ "type": "FeatureCollection", "features": features });
    collection.to_string().into_bytes()
}

struct Ground<'a>(&'a [Rings]);

impl GeozeroGeometry for Ground<'_> {
    fn process_geom<P: GeomProcessor>(&self, to: &mut P) -> GeozeroResult<()> {
        to.multipolygon_begin(self.0.len(), 0)?;
        for (part, rings) in self.0.iter().enumerate() {
            to.polygon_begin(false, rings.len(), part)?;
            for (number, ring) in rings.iter().enumerate() {
                to.linestring_begin(false, ring.len(), number)?;
                for (at, &(x, y)) in ring.iter().enumerate() {
                    to.xy(x, y, at)?;
                }
                to.linestring_end(false, number)?;
            }
            to.polygon_end(false, part)?;
        }
        to.multipolygon_end(0)
    }
}

/// FlatGeobuf, with or without its index, saying that it is in this system of the EPSG register.
pub(super) fn flatgeobuf(cells: &[Given], write_index: bool, epsg: i32) -> Vec<u8> {
    let options = FgbWriterOptions {
        write_index,
        crs: FgbCrs {
            code: epsg,
            ..FgbCrs::default()
        },
        ..FgbWriterOptions::default()
    };
    let mut writer = FgbWriter::create_with_options("cells", GeometryType::MultiPolygon, options).unwrap();
    writer.add_column("code", ColumnType::Double, |_, _| {});
    for name in ["name", "unit", "from", "to"] {
        writer.add_column(name, ColumnType::String, |_, _| {});
    }
    for cell in cells {
        let texts = [cell.name, cell.unit, cell.valid[0], cell.valid[1]];
        writer
            .add_feature_geom(Ground(&cell.polygons), |feature| {
                feature
                    .property(0, "code", &ColumnValue::Double(cell.code))
                    .unwrap();
                for (at, text) in texts.into_iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                    feature.property(at + 1, "", &ColumnValue::String(text)).unwrap();
                }
            })
            .unwrap();
    }
    let mut bytes = Vec::new();
    writer.write(&mut bytes).unwrap();
    bytes
}

/// A table in an encoding.
pub(super) fn dbf(cells: &[Given], encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let name = |name: &str| name.try_into().unwrap();
    let mut writer = TableWriterBuilder::with_encoding(EncodingRs::from(encoding))
        .add_numeric_field(name("code"), 18, 1)
        .add_character_field(name("name"), 40)
        .add_character_field(name("unit"), 40)
        .add_character_field(name("from"), 20)
        .add_character_field(name("to"), 20)
        .build_with_dest(&mut bytes);
    for cell in cells {
        let mut record = Record::default();
        record.insert("code".to_owned(), FieldValue::Numeric(Some(cell.code)));
        for (name, text) in ["name", "unit", "from", "to"].into_iter().zip([
            cell.name,
            cell.unit,
            cell.valid[0],
            cell.valid[1],
        ]) {
            let value = (!text.is_empty()).then(|| text.to_owned());
            record.insert(name.to_owned(), FieldValue::Character(value));
        }
        writer.write_record(&record).unwrap();
    }
    writer.finalize().unwrap();
    drop(writer);
    bytes.into_inner()
}

/// A shapefile of plain polygons, or of ones with heights and measures.
pub(super) fn shapefile(cells: &[Given], with_heights: bool) -> Shapefile {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = ShapeWriter::new(&mut bytes);
    for cell in cells {
        let rings = cell.polygons.iter().flat_map(|rings| rings.iter().enumerate());
        if with_heights {
            let rings = rings.map(|(number, ring)| {
                let points = ring.iter().map(|&(x, y)| PointZ::new(x, y, 4.5, 7.0)).collect();
                if number == 0 {
                    PolygonRing::Outer(points)
                } else {
                    PolygonRing::Inner(points)
                }
            });
            writer
                .write_shape(&PolygonZ::with_rings(rings.collect()))
                .unwrap();
        } else {
            let rings = rings.map(|(number, ring)| {
                let points = ring.iter().map(|&(x, y)| Point::new(x, y)).collect();
                if number == 0 {
                    PolygonRing::Outer(points)
                } else {
                    PolygonRing::Inner(points)
                }
            });
            writer.write_shape(&Polygon::with_rings(rings.collect())).unwrap();
        }
    }
    writer.finalize().unwrap();
    drop(writer);
    Shapefile {
        shp: bytes.into_inner(),
        dbf: dbf(cells, encoding_rs::UTF_8),
    }
}
