//! Every constant of the error model and of the city's size, in one place: fixed before correlation was tuned, and never
//! changed to make a result look better.
//!
//! Arrays of two are (normal, typhoon). A position error is a root mean square distance.

/// Records per hour of simulated time on an ordinary day: 36,000 a day, of which about 21,000 are more than a quiet
/// reading, from about 4,000 incidents; a district of two million people opens 2,000 to 4,000 incidents a day.
pub const NORMAL_EVENTS_PER_HOUR: f64 = 1_500.0;
/// Records per hour while the typhoon passes, averaged over the storm; its peak is more than twice this. A storm day of such
/// a district has 8,000 to 15,000 incidents and five to eight times the calls.
pub const TYPHOON_EVENTS_PER_HOUR: f64 = 6_000.0;
/// 2026-07-10 07:00 in Shanghai: a Friday morning without weather.
pub const NORMAL_START_MS: i64 = 1_783_638_000_000;
/// 2026-08-25 06:00 in Shanghai: hours before the landfall.
pub const TYPHOON_START_MS: i64 = 1_787_608_800_000;
/// Shanghai is eight hours ahead of UTC and has had no daylight saving since 1991.
pub const ZONE_MS: i64 = 8 * 3_600_000;

/// Records of one scene on average. Measured on the tables of this crate; it only spreads the scenes over the span, the
/// count of records is exact without it.
pub const RECORDS_PER_SCENE: [f64; 2] = [4.0, 6.4];
/// Share of all records that scenes make; the rest are quiet readings.
pub const SCENE_SHARE: [f64; 2] = [0.625, 0.73];

/// A sensor's surveyed place.
pub const SENSOR_ERROR_M: f64 = 5.0;
/// A grid inspector's phone in a street canyon.
pub const INSPECTOR_ERROR_M: f64 = 15.0;
/// Video that computes where the target stands.
pub const VIDEO_TARGET_ERROR_M: f64 = 15.0;
/// Video that knows the pole only: the object stands this far in front, from and to.
pub const VIDEO_POLE_DISTANCE_M: (f64, f64) = (20.0, 100.0);
/// A ticket with a door number.
pub const DOOR_ERROR_M: f64 = 30.0;
/// A ticket with a crossing.
pub const INTERSECTION_ERROR_M: f64 = 50.0;
/// A ticket with the name of an estate.
pub const POI_ERROR_M: f64 = 150.0;
/// A citizen's phone in the app.
pub const APP_ERROR_M: f64 = 25.0;
/// Share of position errors drawn from a distribution that is wider by [`TAIL_FACTOR`]: wrong house, wrong estate.
pub const TAIL_SHARE: f64 = 0.03;
/// See [`TAIL_SHARE`].
pub const TAIL_FACTOR: f64 = 4.0;
/// Share of located records that say how accurate they are.
pub const ACCURACY_GIVEN_SHARE: f64 = 0.12;
/// Share of located records that name their coordinate system although the source's is configured.
pub const CRS_GIVEN_SHARE: f64 = 0.30;

/// Shares of DOOR, INTERSECTION, POI, and of tickets without usable coordinates. A city's monthly report counts 10.31 %
/// of cases without an address.
pub const HOTLINE_QUALITY_SHARES: [f64; 4] = [0.48, 0.19, 0.23, 0.10];
/// Share of tickets whose category contradicts the text; the text is right.
pub const WRONG_CATEGORY_SHARE: f64 = 0.06;
/// Share of callers who later send a ticket that cites their first (催办).
pub const CITING_SHARE: f64 = 0.03;
/// Share of callers who call once more from the same phone without citing.
pub const CALLS_AGAIN_SHARE: f64 = 0.05;
/// Share of tickets whose text gives away the phone number.
pub const PHONE_IN_TEXT_SHARE: f64 = 0.15;
/// Share of tickets whose text names the caller.
pub const NAME_IN_TEXT_SHARE: f64 = 0.40;
/// Share of tickets about cars whose text names the plate.
pub const PLATE_IN_TEXT_SHARE: f64 = 0.30;
/// Share of addresses that end in a flat number.
pub const FLAT_IN_ADDRESS_SHARE: f64 = 0.08;
/// Share of addresses typed with full-width digits.
pub const FULL_WIDTH_SHARE: f64 = 0.15;
/// Minutes from the call to the ticket, the median of a log-normal distribution.
pub const TYPING_MEDIAN_MIN: [f64; 2] = [3.0, 12.0];
/// The standard deviation of its logarithm.
pub const TYPING_SIGMA: [f64; 2] = [0.8, 1.2];
/// The longest: in a storm hours, never a day.
pub const TYPING_MAX_MIN: [f64; 2] = [120.0, 480.0];

/// Share of all records that a source sends twice, same bytes, seconds to minutes later.
pub const RESEND_SHARE: f64 = 0.01;
/// Share of alarming devices that lose the network and send the readings later in one burst.
pub const BACKFILL_SHARE: f64 = 0.03;
/// Share of alarming devices whose clock is wrong: half stand in 1970, half are eight hours ahead.
pub const BROKEN_CLOCK_SHARE: f64 = 0.006;

/// Share of scenes that are a contact which reports nothing at a place.
pub const CONTACT_SHARE: [f64; 2] = [0.16, 0.08];
/// Share of scenes that are one reading which jumps.
pub const FALSE_SENSOR_SHARE: [f64; 2] = [0.02, 0.02];
/// Share of scenes that are a reflection taken for water, or goods taken for garbage.
pub const FALSE_VIDEO_SHARE: [f64; 2] = [0.025, 0.025];
/// Share of scenes that are a row of fallen trees.
pub const TREE_ROW_SHARE: [f64; 2] = [0.001, 0.03];
/// Share of scenes that are two covers 25 m apart.
pub const MANHOLE_PAIR_SHARE: [f64; 2] = [0.004, 0.008];
/// Share of scenes that are the same garbage corner on several days, as far as the span goes.
pub const GARBAGE_AGAIN_SHARE: [f64; 2] = [0.008, 0.001];
/// Share of scenes that are shop fronts side by side.
pub const SHOP_ROW_SHARE: [f64; 2] = [0.006, 0.001];
/// Share of scenes that are announced works, about which people complain all the same.
pub const WORKS_SHARE: [f64; 2] = [0.002, 0.0005];

/// Trees of a row stand this far apart.
pub const TREE_SPACING_M: (f64, f64) = (55.0, 110.0);
/// Covers of a pair stand this far apart: covers in a street are 20 to 30 m apart.
pub const MANHOLE_SPACING_M: f64 = 25.0;
/// Shop fronts stand this far apart.
pub const SHOP_SPACING_M: (f64, f64) = (12.0, 18.0);

/// Devices of the city by class: ponding gauges, underpasses, cover pairs, smoke detectors, gas detectors, hydrants,
/// bins, electric boxes, wells. A small city's worth, large enough that one device rarely alarms twice a day.
pub const DEVICE_COUNTS: [usize; 9] = [1_200, 40, 1_500, 2_500, 600, 1_500, 2_000, 1_000, 200];
/// Cameras beside those that watch a gauge or an underpass.
pub const CAMERA_COUNT: usize = 5_000;
/// Roads form a lattice of this mesh; a block between them is one estate.
pub const BLOCK_M: f64 = 400.0;
/// So much of a road bears one number.
pub const DOOR_M: f64 = 30.0;
/// The address library lists every ninth number of a road, so both of its sides.
pub const LISTED_DOOR_STEP: i64 = 9;
/// People and things lie around the town centres: root mean square distance as a share of the town's reach.
pub const TOWN_SPREAD: f64 = 0.55;
