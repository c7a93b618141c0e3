//! A seeded city: devices, callers, cameras, inspectors, storms, and the truth about every record they make.
//!
//! [`simulate`] hands out records in the shape of the input contract, by arrival, as many as asked for. The crate reads
//! and writes nothing: the program puts the lines into files or topics. The same seed gives the same bytes on every
//! machine: random numbers are ChaCha8 streams, logarithms and trigonometry come from `libm`, and nothing iterates a
//! hash map.
//!
//! # How a city comes about
//!
//! A *scene* is something that happens: one incident, a row of fallen trees, two covers 25 m apart, the same garbage
//! corner on several days, shop fronts side by side, a false alarm, a contact that reports nothing, announced works. The
//! plan decides in order what each scene is, when it begins and which device or camera it takes, so that none is in two
//! incidents at once. What is reported about it comes from the scene's own stream of random numbers, keyed by seed and
//! scene number: no scene's draws move another's, and a scene can be made again alone. Quiet readings fill the rest to the
//! exact count, each from its own stream, never from a device that is in an incident. Records are made when their time
//! comes, so memory does not grow with their number.
//!
//! The span follows from the count by a rate, unless told otherwise 1,500 records an hour on ordinary days from
//! 2026-07-10 07:00, 6,000 in a typhoon from 2026-08-25 06:00, Shanghai time. The storm always passes whole within the
//! span, its peak at 42 % of it. Stragglers (long incidents, late tickets) come after its end.
//!
//! # The error model
//!
//! All constants are in [`parameters`], fixed before correlation was tuned: position errors by source with heavy tails,
//! coordinate systems mixed by source system, tickets without coordinates whose address is typed in several ways, wrong
//! categories, late typing, resends, network gaps, wrong clocks, repeated alarms, false alarms.
//!
//! # Truth
//!
//! Every record that reports something real names its incident (`inc-…`), every false alarm its own (`false-…`). Quiet and
//! clear readings, the end of a video alert, contacts that report nothing, complaints about announced works and resends
//! have none.
//!
//! # What the sources call each kind
//!
//! Records never hold a kind's own name (only a silence names kinds, as its contract says). A ticket or report has either
//! names or one code; 6 % of tickets have another kind's.
//!
//! | kind | category names | 2013 / 2026 | video | sensor | callers' words |
//! |---|---|---|---|---|---|
//! | ads_illegal | 宣传广告 > 乱涂写、乱张贴、乱刻画 | 0201 / 07001 | EVENTSORT 674 | – | 墙面被贴满小广告 … |
//! | garbage_exposed | 市容环境 > 暴露垃圾 | 0110 / 06010 | EVENTSORT 640, EVENTSORT 683, DAHUA 890 | – | 路边一堆生活垃圾无人清理 … |
//! | bin_overflow | 市容环境 > 垃圾满溢 | 0198 / 06042 | EVENTSORT 630, DAHUA 895 | `fill_level` ≥ 95 % | 垃圾箱满溢,没有清运 … |
//! | rubble_pile | 市容环境 > 积存垃圾渣土 | 0111 / 06011 | EVENTSORT 686 | – | 装修的建筑垃圾堆在路边 … |
//! | parking_motor | 街面秩序 > 机动车乱停放 | 0409 / 09009 | EVENTSORT 603, EVENTSORT 624, DAHUA 893 | – | 有小汽车违停 … |
//! | parking_bike | 街面秩序 > 非机动车乱停放 | 0410 / 09010 | DAHUA 894, EVENTSORT 635 | – | 共享单车乱停放 … |
//! | vendor | 街面秩序 > 占道无证照经营 | 0401 / 09001 | EVENTSORT 661, EVENTSORT 646, DAHUA 887 | – | 有流动摊贩乱设摊 … |
//! | shop_spill | 街面秩序 > 跨门营业 | 0405 / 09005 | EVENTSORT 660, DAHUA 882 | – | 店家跨门营业 … |
//! | road_damage | 市容环境 > 道路破损 | – | EVENTSORT 698 | – | 路面破损严重 … |
//! | noise | 施工管理 > 施工扰民 | – | – | – | 夜间施工噪音很大 … |
//! | dust | 施工管理 > 工地扬尘 | – | CLASS84 67 | – | 工地扬尘很大 … |
//! | fume | 市容环境 > 油烟污染 | – | – | – | 饭店油烟直排 … |
//! | illegal_build | 市容环境 > 私搭乱建 | 0101 / 06001 | EVENTSORT 664 | – | 有人在楼顶违法搭建 … |
//! | street_light | 公用设施 > 路灯 | – | – | – | 路灯不亮 … |
//! | odor_water | 市容环境 > 水域不洁 | – | EVENTSORT 692 | – | 河水发黑,很臭 … |
//! | manhole_missing | 公用设施 > 雨水井盖 | – | – | `cover_tilt` > 15° | 井盖缺失 … |
//! | sewage_overflow | 市容环境 > 路面积水、污水冒溢、粪便冒溢 | – | EVENTSORT 690 | `water_level` with `alarm` | 污水冒溢 … |
//! | road_collapse | 突发事件 > 路面塌陷 | – | EVENTSORT 699 | – | 路面塌陷 … |
//! | gas_leak | 突发事件 > 燃气管道破裂 | – | – | `ch4` ≥ 20 %LEL | 有很重的煤气味 … |
//! | fire_smoke | – | – | EVENTSORT 619, DAHUA 881 | `smoke` 1 | 房子着火了 … |
//! | elec_hazard | – | – | – | `residual_current` ≥ 300 mA | 电线冒火花 … |
//! | water_burst | 突发事件 > 供水管道破裂 | – | – | – | 自来水爆管 … |
//! | hydrant_fault | 公用设施 > 消火栓 | – | – | `hydrant_pressure` < 0.14 MPa | 消防栓漏水 … |
//! | tree_fallen | 园林绿化 > 行道树 | – | CLASS84 46 | – | 树倒了,横在路上 … |
//! | falling_object | – | – | EVENTSORT 600 | – | 外墙砖掉落 … |
//! | cable_down | 公用设施 > 架空线坠落、乱设 | – | CLASS84 45 | – | 电线垂落到路面 … |
//! | power_outage | – | – | – | – | 小区停电了 … |
//! | traffic_signal | 道路交通 > 交通信号灯 | – | – | – | 红绿灯不亮 … |
//! | elevator_trap | – | – | – | – | 电梯困人 … |
//! | crowd | – | – | EVENTSORT 628 | – | 很多人聚集 … |
//! | fight | – | – | EVENTSORT 602 | – | 有人打架 … |
//! | fire_lane_blocked | – | – | – | – | 消防通道被堵 … |
//! | ebike_charging | – | – | EVENTSORT 629 | – | 电瓶车在楼道里飞线充电 … |
//! | billboard_risk | 宣传广告 > 广告招牌破损 | – | – | – | 店招广告牌松动 … |
//! | road_ponding | 突发事件 > 道路积水 | – | EVENTSORT 696, EVENTSORT 611 | `ponding_depth` ≥ 15 cm | 道路积水,车过不去 … |
//! | underpass_flood | 突发事件 > 道路积水 | – | EVENTSORT 696 | `ponding_depth` ≥ 15 cm at an underpass | 下立交积水,车熄火了 … |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod parameters;

mod kinds;
mod native;

mod chance;
mod city;
mod ground;
mod library;
mod registry;
mod tempo;

mod plan;
mod scene;

mod calls;
mod gauges;
mod rounds;
mod watch;
mod weather;
mod works;

mod config;
mod record;
mod stream;

use std::fmt;
use std::str::FromStr;

use city_grid::generate::{GeneratedGrid, GridSpec, generate};
pub use city_model::Source;
pub use record::{SimulatedRecord, Truth};

use city::City;
use ground::Ground;
use plan::Plan;
use registry::Registry;
use stream::Stream;

/// What happens to the city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Ordinary summer days: advertisements, garbage, parking, and now and then something serious.
    Normal,
    /// A typhoon with a rainstorm passes: warnings, water, trees, cables, outages, many callers, long delays.
    Typhoon,
}

impl Scenario {
    /// When the simulated span begins, unless told otherwise.
    pub fn start_ms(self) -> i64 {
        match self {
            Scenario::Normal => parameters::NORMAL_START_MS,
            Scenario::Typhoon => parameters::TYPHOON_START_MS,
        }
    }

    /// Records per hour of simulated time, unless told otherwise.
    pub fn events_per_hour(self) -> f64 {
        match self {
            Scenario::Normal => parameters::NORMAL_EVENTS_PER_HOUR,
            Scenario::Typhoon => parameters::TYPHOON_EVENTS_PER_HOUR,
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Normal => "normal",
            Scenario::Typhoon => "typhoon",
        }
    }
}

/// No scenario has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScenario(String);

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no scenario {:?}: it is normal or typhoon", self.0)
    }
}

impl std::error::Error for UnknownScenario {}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "normal" => Ok(Scenario::Normal),
            "typhoon" => Ok(Scenario::Typhoon),
            other => Err(UnknownScenario(other.to_owned())),
        }
    }
}

/// A simulated city and the stream of its records, which is the iterator.
pub struct Simulation {
    city: City,
    events: usize,
    left: usize,
    stream: Stream,
}

/// Plans `events` records of a scenario. The plan is made at once, the records while the iterator is pulled.
pub fn simulate(scenario: Scenario, seed: u64, events: usize) -> Simulation {
    simulate_from(scenario, seed, events, scenario.start_ms())
}

/// The same, with the span beginning at `start_ms`, in milliseconds since the Unix epoch.
pub fn simulate_from(scenario: Scenario, seed: u64, events: usize, start_ms: i64) -> Simulation {
    simulate_at(scenario, seed, events, scenario.events_per_hour(), start_ms)
}

/// The same with `rate` records per hour of simulated time: a hundred times a scenario's own is a storm of reports. Not
/// positive or not finite, it is the scenario's.
pub fn simulate_at(scenario: Scenario, seed: u64, events: usize, rate: f64, start_ms: i64) -> Simulation {
    let rate = if rate.is_finite() && rate > 0.0 {
        rate
    } else {
        scenario.events_per_hour()
    };
    let ground = Ground::of(grid().into_layer("duty"));
    let registry = Registry::new(seed, &ground);
    let city = City {
        seed,
        scenario,
        ground,
        registry,
    };
    let plan = Plan::new(&city, events, rate, start_ms);
    Simulation {
        city,
        events,
        left: events,
        stream: Stream::new(plan),
    }
}

/// The built-in grid.
fn grid() -> GeneratedGrid {
    generate(&GridSpec::default(), 1)
}

impl Iterator for Simulation {
    type Item = SimulatedRecord;

    fn next(&mut self) -> Option<SimulatedRecord> {
        let record = self.stream.next(&self.city)?;
        self.left = self.left.saturating_sub(1);
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Simulation {}

impl Simulation {
    /// The grid's files and their texts, relative to the configuration: that of the built-in grid, in whose towns the
    /// city plays.
    pub fn grid_files(&self) -> Vec<(String, String)> {
        grid()
            .geojson()
            .into_iter()
            .map(|(level, text)| (format!("grid/{level}.geojson"), text))
            .collect()
    }

    /// `devices.csv`: `device_id,lon,lat,crs,accuracy_m,component_id`.
    pub fn devices_csv(&self) -> String {
        self.city.registry.devices_csv(&self.city.ground)
    }

    /// `components.csv`: `component_id,class,lon,lat,crs,accuracy_m`.
    pub fn components_csv(&self) -> String {
        self.city.registry.components_csv(&self.city.ground)
    }

    /// `facilities.csv`: `facility_id,class,name,lon,lat,crs`.
    pub fn facilities_csv(&self) -> String {
        self.city.registry.facilities_csv(&self.city.ground)
    }

    /// `addresses.csv`: `address,lon,lat,crs,accuracy_m,spread_m`.
    pub fn addresses_csv(&self) -> String {
        library::csv(&self.city.ground)
    }

    /// `cityops.toml`, to be written beside the records.
    pub fn config_toml(&self) -> String {
        config::toml(self.city.scenario, self.city.seed, self.events)
    }
}
