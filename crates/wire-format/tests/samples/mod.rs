//! One full record of every input, as JSON text; what the golden files were made from.

use city_model::Source;

/// The JSON of a record with every field present.
pub(crate) fn full(source: Source) -> &'static str {
    match source {
        Source::Sensor => {
            r#"{"event_id":"r-1","source_system":"iot","device_id":"d-7","metric":"ponding_depth","value":18.5,"unit":"cm",
"alarm":true,"observed_at":1788739199123,"reported_at":1788739200000,"location":{"crs":"WGS84","x":121.2277,"y":31.0322,
"accuracy_m":5.0,"quality":"COMPONENT"},"component_id":"3101170101000001"}"#
        }
        Source::Hotline => {
            r#"{"event_id":"h-1","source_system":"12345","ticket_id":"T2","parent_ticket_id":"T1","appeal_type":"求助",
"urgency":"一般","category":["市政设施","道路积水"],"category_code":"0110","standard_ref":"GB/T 30428.2-2013","title":"沪松公路积水",
"content":"有车抛锚","called_at":1788739199123,"reported_at":1788739200000,"location":{"crs":"GCJ02","x":121.2277,"y":31.0322,
"accuracy_m":30.0,"quality":"DOOR"},"address":"沪松公路1500弄","town_code":"310117103","reporter_phone":"13800000000",
"reporter_name":"张三"}"#
        }
        Source::Video => {
            r#"{"event_id":"v-1","source_system":"vms","camera_id":"c-9","alert_code":"696","code_system":"EVENTSORT",
"confidence":0.86,"phase":"START","captured_at":1788739199123,"reported_at":1788739200000,"location":{"x":121.2277,"y":31.0322},
"target_location":{"crs":"WGS84","x":121.2278,"y":31.0323,"accuracy_m":15.0,"quality":"GNSS"},"snapshot_url":"https://vms.example/1.jpg",
"algorithm":{"vendor":"v","name":"ponding","version":"2.1"},"component_id":"3101170101000001"}"#
        }
        Source::Report => {
            r#"{"event_id":"p-1","source_system":"grid","channel":"inspector","report_id":"R1","category_code":"0110",
"standard_ref":"GB/T 30428.2-2013","category":["市容环境","暴露垃圾"],"title":"垃圾","content":"路边一堆","observed_at":1788739199123,
"reported_at":1788739200000,"location":{"crs":"CGCS2000","x":121.2277,"y":31.0322,"accuracy_m":15.0,"quality":"GNSS"},
"address":"谷阳北路1500弄","town_code":"310117001","component_id":"3101170101000001","reporter_phone":"13800000000","reporter_name":"李四"}"#
        }
        Source::Weather => {
            r#"{"warning_id":"w-1","revision":2,"signal":"RAINSTORM","severity":"ORANGE","region_codes":["310117"],
"status":"ISSUED","issued_at":1788739199123,"effective_at":1788739200000,"expires_at":1788760800000}"#
        }
        Source::Silence => {
            r#"{"silence_id":"s-1","kinds":["road_damage"],"area":["310117103"],"starts_at":1788739199123,"ends_at":1788760800000,
"reason":"路面大修","created_by":"duty","created_at":1788739200000}"#
        }
        Source::Command => {
            r#"{"command_id":"k-1","incident_id":"310117-bin_overflow-0123456789abcdef","action":"move","reason":"另一处",
"other_incident_id":"310117-bin_overflow-fedcba9876543210","event_ids":["iot/r-1"],"band":"P2","deadline":1788760800000,
"operator":"duty","issued_at":1788739200000}"#
        }
    }
}
