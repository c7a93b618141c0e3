//! One grid in every format, and files that are damaged.

use std::io::Write;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::written::{Given, Shapefile, cells, dbf, flatgeobuf, geojson, ring, shapefile, turned};
use super::*;

fn config() -> LayerConfig {
    let mut config = flat(Crs::Wgs84);
    config.levels[0].unit = Some("unit".to_owned());
    config
}

fn read(config: &LayerConfig, source: LevelSource<'_>) -> Result<(Layer, Vec<Finding>), GridError> {
    let (timeline, findings) = Timeline::load(config, &[source], false, &TimeZone::UTC)?;
    Ok((Layer::clone(timeline.newest()), findings))
}

fn of(files: &Shapefile) -> LevelSource<'_> {
    LevelSource {
        main: &files.shp,
        dbf: Some(&files.dbf),
        ..LevelSource::default()
    }
}

fn refusal(source: LevelSource<'_>) -> String {
    read(&config(), source).unwrap_err().to_string()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn the_same_cells_are_the_same_layer_in_every_format() {
    let cells = cells();
    let (layer, findings) = read(&config(), geojson(&cells).as_slice().into()).unwrap();
    assert_eq!(findings, []);
    let first = layer.find("310117001").unwrap();
    assert_eq!(&*layer.cell(first).name, "方松街道");
    assert_eq!(layer.cell(first).unit.as_deref(), Some("第一网格"));
    assert_eq!(
        code_at(&layer, 121.003, 31.003).as_deref(),
        Some("310117002"),
        "in the hole"
    );
    assert_eq!(
        code_at(&layer, 121.005, 31.005).as_deref(),
        Some("310117001"),
        "on the island"
    );

    let (indexed, plain) = (flatgeobuf(&cells, true, 4326), flatgeobuf(&cells, false, 4490));
    let (flat_shapes, high_shapes) = (shapefile(&cells, false), shapefile(&cells, true));
    let (packed, packed_shp) = (gzipped(&indexed), gzipped(&flat_shapes.shp));
    let packed_shapes = LevelSource {
        main: &packed_shp,
        ..of(&flat_shapes)
    };
    for (what, source) in [
        ("an indexed FlatGeobuf", indexed.as_slice().into()),
        ("a FlatGeobuf", plain.as_slice().into()),
        ("a gzipped FlatGeobuf", packed.as_slice().into()),
        ("a shapefile", of(&flat_shapes)),
        ("a shapefile with heights", of(&high_shapes)),
        ("a gzipped shapefile", packed_shapes),
    ] {
        let (other, findings) = read(&config(), source).unwrap();
        assert_eq!(findings, [], "{what}");
        assert_eq!(other.version(), layer.version(), "{what}");
    }
    let one = &cells[..1];
    let (single, _) = read(&config(), flatgeobuf(one, true, 0).as_slice().into()).unwrap();
    let (again, _) = read(&config(), geojson(one).as_slice().into()).unwrap();
    assert_eq!(
        single.version(),
        again.version(),
        "the index of one feature has two nodes"
    );
}

#[test]
fn a_ring_in_the_wrong_direction_turns_no_hole_into_ground() {
    let (layer, _) = read(&config(), geojson(&cells()).as_slice().into()).unwrap();
    // written with every ring as an outer one, in all orders
    let mut cells = cells();
    for cell in &mut cells {
        let mut rings: Vec<_> = cell.polygons.drain(..).flatten().map(|ring| vec![ring]).collect();
        rings.reverse();
        cell.polygons = rings;
    }
    let (other, findings) = read(&config(), of(&shapefile(&cells, false))).unwrap();
    assert_eq!(findings, []);
    assert_eq!(other.version(), layer.version());
}

#[test]
fn chinese_tables_are_read_in_their_encoding() {
    let cells = cells();
    let utf8 = shapefile(&cells, false);
    let (layer, _) = read(&config(), of(&utf8)).unwrap();
    let gbk = dbf(&cells, encoding_rs::GBK);
    assert_ne!(gbk, utf8.dbf);
    let mut unsaid = gbk.clone();
    unsaid[29] = 0;
    let mut mistaken = gbk.clone();
    mistaken[29] = 0x78; // Big5
    let source = |dbf| LevelSource {
        dbf: Some(dbf),
        ..of(&utf8)
    };
    let with_cpg = |dbf, cpg: &'static [u8]| LevelSource {
        cpg: Some(cpg),
        ..source(dbf)
    };
    let same = |config: &LayerConfig, source, what| {
        let (other, findings) = read(config, source).unwrap();
        assert_eq!(other.version(), layer.version(), "{what}");
        findings
    };
    assert_eq!(gbk[29], 0x7a, "the writer of the table says what it is");
    assert_eq!(same(&config(), source(&gbk), "by the language byte"), []);
    assert_eq!(
        same(&config(), with_cpg(&mistaken, b"936\n"), "the .cpg overrules it"),
        []
    );
    let mut configured = config();
    configured.levels[0].encoding = Some("gb18030".to_owned());
    let wrong_cpg = with_cpg(&mistaken, b"UTF-8");
    assert_eq!(
        same(&configured, wrong_cpg, "the configuration overrules both"),
        []
    );
    let findings = same(&config(), source(&unsaid), "taken for GBK, and told");
    assert_eq!(findings[0].what, What::EncodingAssumed);

    let findings = same(
        &config(),
        with_cpg(&gbk, b"klingon"),
        "by the language byte, and told",
    );
    assert!(findings[0].detail.contains("`klingon`"), "{findings:?}");
    let (_, findings) = read(&config(), wrong_cpg).unwrap();
    assert!(
        findings.iter().all(|finding| finding.what == What::BadText),
        "{findings:?}"
    );
    assert_eq!(findings.len(), 5, "three names and two units");
    configured.levels[0].encoding = Some("GKB".to_owned());
    let error = read(&configured, source(&gbk)).unwrap_err().to_string();
    assert!(error.contains("`GKB` is no encoding"), "{error}");
}

#[test]
fn rows_that_were_deleted_take_their_shapes_along() {
    let cells = cells();
    let mut files = shapefile(&cells, false);
    let first_row = usize::from(u16::from_le_bytes([files.dbf[8], files.dbf[9]]));
    files.dbf[first_row] = b'*';
    let (layer, _) = read(&config(), of(&files)).unwrap();
    let (rest, _) = read(&config(), of(&shapefile(&cells[1..], false))).unwrap();
    assert_eq!(layer.version(), rest.version());
}

#[test]
fn a_file_that_contradicts_the_configured_system_is_told() {
    let cells = cells();
    let mismatch = |source: LevelSource<'_>| {
        let (_, findings) = read(&config(), source).unwrap();
        findings.iter().any(|finding| finding.what == What::CrsMismatch)
    };
    let plane_fgb = flatgeobuf(&cells, true, 4549);
    assert!(mismatch(plane_fgb.as_slice().into()));
    let files = shapefile(&cells, false);
    let plane = LevelSource {
        prj: Some(br#"PROJCS["CGCS2000_3_Degree_GK_Zone_40",GEOGCS["x"]]"#),
        ..of(&files)
    };
    assert!(mismatch(plane));
    let text = String::from_utf8(geojson(&cells)).unwrap();
    let named = |urn: &str| {
        let member = format!(r#"{{"crs":{{"type":"name","properties":{{"name":"{urn}"}}}},"#);
        text.replacen('{', &member, 1)
    };
    assert!(mismatch(named("urn:ogc:def:crs:EPSG::4549").as_bytes().into()));
    assert!(!mismatch(
        named("urn:ogc:def:crs:OGC:1.3:CRS84").as_bytes().into()
    ));
    let strict = Timeline::load(&config(), &[plane], true, &TimeZone::UTC).unwrap_err();
    assert!(strict.to_string().contains("crs_mismatch"), "{strict}");
    // metres read as degrees are no place, and the file's own word is the reason
    let far = vec![Given {
        polygons: vec![vec![vec![
            (512_000.0, 3_430_000.0),
            (513_000.0, 3_430_000.0),
            (513_000.0, 3_431_000.0),
            (512_000.0, 3_430_000.0),
        ]]],
        ..cells[0].clone()
    }];
    let error = refusal(flatgeobuf(&far, true, 4549).as_slice().into());
    assert!(
        error.contains("is no place in WGS84; the file says it is in EPSG:4549"),
        "{error}"
    );
}

#[test]
fn unusable_files_say_what_and_where() {
    let cells = cells();
    let fgb = flatgeobuf(&cells, true, 4326);
    let files = shapefile(&cells, false);
    let with_shp = |shp: &[u8]| {
        refusal(LevelSource {
            main: shp,
            ..of(&files)
        })
    };
    let with_dbf = |dbf: &[u8]| {
        refusal(LevelSource {
            dbf: Some(dbf),
            ..of(&files)
        })
    };
    let spoilt = |bytes: &[u8], at: usize, with: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    };
    let check = |error: String, want: &str| assert!(error.contains(want), "{error}\nwanted {want}");
    check(refusal(fgb[..6].into()), "it ends within the header");
    check(refusal(fgb[..20].into()), "it ends within the header");
    check(
        refusal(fgb[..fgb.len() - 1].into()),
        "feature 2: not readable: the file ends within it",
    );
    check(
        refusal(spoilt(&fgb, 3, &[9]).as_slice().into()),
        "its version is 9, not 3",
    );
    check(refusal(b"PK\x03\x04abc"[..].into()), "is a zip archive");
    check(refusal(files.shp.as_slice().into()), "without its .dbf");
    check(with_shp(&files.shp[..50]), "it ends within the header");
    check(with_shp(&files.shp[..files.shp.len() - 8]), "the header counts");
    check(
        with_shp(&spoilt(&files.shp, 108, &[3])),
        "feature 0 (code 310117001): is a PolyLine, not a Polygon",
    );
    check(
        with_shp(&spoilt(&files.shp, 108, &[0])),
        "(code 310117001): has no geometry",
    );
    check(
        with_shp(&spoilt(&files.shp, 144, &[255; 3])),
        "rings of 15 points in",
    );
    check(with_shp(&spoilt(&files.shp, 148, &[255; 3])), "3 rings of");
    check(
        with_shp(&spoilt(&files.shp, 156, &[99])),
        "ring 0 of 3 is not within the 15 points",
    );
    check(
        with_dbf(&files.dbf[..20]),
        "the .dbf is not readable: it ends within the header",
    );
    check(
        with_dbf(&spoilt(&files.dbf, 4, &[255; 4])),
        "the header counts 4294967295 rows",
    );
    check(
        with_dbf(&dbf(&cells[..2], encoding_rs::UTF_8)),
        "the .dbf has 2 rows, and the .shp has more shapes",
    );
    let two = shapefile(&cells[..2], false);
    check(with_shp(&two.shp), "the .dbf has 3 rows, the .shp only 2 shapes");
    check(
        refusal(flatgeobuf(&[], true, 0).as_slice().into()),
        "there are no features",
    );
    let mut other = config();
    other.levels[0].code = "CODE".to_owned();
    for source in [fgb.as_slice().into(), of(&files)] {
        let error = read(&other, source).unwrap_err().to_string();
        check(
            error,
            "has no property `CODE`; it has: code, name, unit, from, to",
        );
    }
    let mut unclosed = cells.clone();
    unclosed[2].polygons = vec![vec![ring(20, 0, 5)[..4].to_vec()]];
    let (_, findings) = read(&config(), flatgeobuf(&unclosed, true, 0).as_slice().into()).unwrap();
    assert_eq!(findings[0].what, What::UnclosedRing);
    assert_eq!(turned(turned(ring(0, 0, 1))), ring(0, 0, 1));
}

static FGB: LazyLock<Vec<u8>> = LazyLock::new(|| flatgeobuf(&cells(), true, 4326));
static SHAPES: LazyLock<Shapefile> = LazyLock::new(|| shapefile(&cells(), true));

fn damage(bytes: &[u8], flips: &[(prop::sample::Index, u8)], keep: prop::sample::Index) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for (at, with) in flips {
        damaged[at.index(bytes.len())] ^= with;
    }
    // most of the time the whole file, as counts are only believed when the length is right
    damaged.truncate((keep.index(4 * bytes.len()) + 1).min(bytes.len()));
    damaged
}

fn flips() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    proptest::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damaged_flatgeobuf_never_panics(flips in flips(), keep in any::<prop::sample::Index>()) {
        let bytes = damage(&FGB, &flips, keep);
        let _ = read(&config(), bytes.as_slice().into());
    }

    #[test]
    fn damaged_shapefiles_never_panic(
        of_shp in flips(), of_dbf in flips(),
        keep_shp in any::<prop::sample::Index>(), keep_dbf in any::<prop::sample::Index>(),
        cpg in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..8)),
    ) {
        let files = Shapefile { shp: damage(&SHAPES.shp, &of_shp, keep_shp), dbf: damage(&SHAPES.dbf, &of_dbf, keep_dbf) };
        let source = LevelSource { cpg: cpg.as_deref(), prj: cpg.as_deref(), ..of(&files) };
        let _ = read(&config(), source);
    }

    #[test]
    fn any_bytes_behind_a_magic_number_give_an_answer(
        which in 0..3usize, bytes in proptest::collection::vec(any::<u8>(), 0..300), dbf in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let magic: [&[u8]; 3] = [b"fgb\x03fgb\x00", b"\x00\x00\x27\x0a", b""];
        let main = [magic[which], bytes.as_slice()].concat();
        let source = LevelSource { dbf: Some(&dbf), ..main.as_slice().into() };
        let _ = read(&config(), source);
    }
}
