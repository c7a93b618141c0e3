//! The fields of each record, listed once for those who go through all of them.

/// Gives `$with` every record that holds texts, with its fields.
macro_rules! each_record {
    ($with:ident) => {
        $with! {
            WireLocation { crs, x, y, accuracy_m, quality }
            Algorithm { vendor, name, version }
            SensorReading {
                event_id, source_system, device_id, metric, value, unit, alarm, observed_at, reported_at, location,
                component_id
            }
            HotlineTicket {
                event_id, source_system, ticket_id, parent_ticket_id, appeal_type, urgency, category, category_code,
                standard_ref, title, content, called_at, reported_at, location, address, town_code, reporter_phone,
                reporter_name
            }
            VideoAlert {
                event_id, source_system, camera_id, alert_code, code_system, confidence, phase, captured_at, reported_at,
                location, target_location, snapshot_url, algorithm, component_id
            }
            Report {
                event_id, source_system, channel, report_id, category_code, standard_ref, category, title, content,
                observed_at, reported_at, location, address, town_code, component_id, reporter_phone, reporter_name
            }
            WeatherWarning {
                warning_id, revision, signal, severity, region_codes, status, issued_at, effective_at, expires_at
            }
            Silence { silence_id, kinds, area, starts_at, ends_at, reason, created_by, created_at }
            IncidentCommand {
                command_id, incident_id, action, reason, other_incident_id, event_ids, band, deadline, operator, issued_at
            }
        }
    };
}

pub(crate) use each_record;
