//! The city's coordinate systems: the SH2000 plane by control points or by parameters, and what the fit tells about them.

use city_grid::crs::{ControlPoint, FitError, Fitted, PlaneFit, Systems, outlier};
use city_rules::ConfigError;
use serde_json::json;

use super::table::Table;
use crate::config::Loaded;

/// Key of the file of control points.
const KEY: &str = "crs.sh2000.control_points";

/// The control points of a configuration and the fit through them.
#[derive(Debug, Clone)]
pub struct Control {
    /// What each point is called: its name, or its line.
    pub names: Vec<String>,
    /// The points.
    pub points: Vec<ControlPoint>,
    /// The fit.
    pub fitted: Fitted,
    /// Beyond so many metres a residual is doubtful.
    pub limit_m: f64,
}

/// The coordinate systems of a configuration.
///
/// # Errors
/// A [`ConfigError`] for control points that cannot be read or fix no plane.
pub fn systems(loaded: &Loaded) -> Result<Systems, ConfigError> {
    let fit = match control(loaded)? {
        Some(control) => Some(control.fitted.fit),
        None => loaded.config.crs.sh2000.parameters().map_err(|(key, message)| {
            let name = format!("crs.sh2000.{key}");
            ConfigError::new(&loaded.file, &name, format!("\"{name}\": {message}"))
        })?,
    };
    Ok(fit.map_or_else(Systems::default, Systems::with_sh2000))
}

/// The same; doubtful control points are told on the log, for a start must not be stopped by one of them.
pub(super) fn systems_told(loaded: &Loaded) -> Result<Systems, ConfigError> {
    if let Some(control) = control(loaded)? {
        for line in control.doubts() {
            tracing::warn!("{line}");
        }
    }
    systems(loaded)
}

/// The control points, where there are any, with their fit.
///
/// # Errors
/// As [`systems`].
pub fn control(loaded: &Loaded) -> Result<Option<Control>, ConfigError> {
    let section = &loaded.config.crs.sh2000;
    let Some(path) = &section.control_points else {
        return Ok(None);
    };
    let (mut names, mut points, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for row in Table::open(loaded, KEY, path, &["x", "y", "lon", "lat"])?.rows() {
        let row = row?;
        points.push(ControlPoint {
            x: row.number("x")?,
            y: row.number("y")?,
            lon: row.number("lon")?,
            lat: row.number("lat")?,
        });
        for column in ["x", "y", "lon", "lat"] {
            if !row.number(column)?.is_finite() {
                return Err(row.error(format!("\"{column}\" is not finite")));
            }
        }
        let name = row.text("name");
        names.push(match name {
            "" => format!("line {}", row.line()),
            name => name.to_owned(),
        });
        lines.push(row.line());
    }
    let fitted = PlaneFit::through(&points).map_err(|error| {
        let message = format!("{}: {error}", loaded.path(path).display());
        match error {
            // The file's own line says more than the configuration's.
            FitError::FarAway(at) => ConfigError {
                line: lines.get(at).map(|line| *line as usize),
                ..ConfigError::new(
                    &loaded.path(path).display().to_string(),
                    KEY,
                    format!("\"{KEY}\": {error}"),
                )
            },
            _ => loaded.error(KEY, path, message),
        }
    })?;
    Ok(Some(Control {
        names,
        points,
        fitted,
        limit_m: section.residual_limit_m,
    }))
}

impl Control {
    /// The points that are probably typed wrong.
    pub fn doubtful(&self) -> Vec<usize> {
        self.fitted.doubtful(self.limit_m)
    }

    /// A sentence for each doubtful point, and one for the point that would explain them all.
    pub fn doubts(&self) -> Vec<String> {
        let doubtful = self.doubtful();
        let mut told: Vec<String> = doubtful
            .iter()
            .filter_map(|at| Some((self.names.get(*at)?, self.fitted.residuals_m.get(*at)?)))
            .map(|(name, residual)| {
                format!(
                    "control point {name} lies {residual:.3} m from where the fit puts it (limit {} m, rms {:.3} m): \
                     probably a typing error",
                    self.limit_m, self.fitted.rms_m
                )
            })
            .collect();
        if !doubtful.is_empty()
            && let Some((at, rms_m)) = outlier(&self.points, self.limit_m)
            && let Some(name) = self.names.get(at)
        {
            told.push(format!(
                "without {name} all other control points fit, rms {rms_m:.3} m"
            ));
        }
        told
    }

    /// The fit as `check` prints it.
    pub fn report(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "SH2000 through {} control points: {}, rms {:.3} m",
            self.points.len(),
            parameters(&self.fitted.fit),
            self.fitted.rms_m
        )];
        let doubtful = self.doubtful();
        for (at, (name, residual)) in self.names.iter().zip(&self.fitted.residuals_m).enumerate() {
            let mark = if doubtful.contains(&at) { "  doubtful" } else { "" };
            lines.push(format!("  {name}: {residual:.3} m{mark}"));
        }
        lines.extend(self.doubts());
        lines
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        let doubtful = self.doubtful();
        let points: Vec<_> = self
            .names
            .iter()
            .zip(&self.fitted.residuals_m)
            .enumerate()
            .map(|(at, (name, residual_m))| {
                json!({ "name": name, "residual_m": residual_m, "doubtful": doubtful.contains(&at) })
            })
            .collect();
        let (fit, (dx, dy)) = (&self.fitted.fit, self.fitted.fit.shift_m());
        json!({
            "dx": dx, "dy": dy, "rotation_arcsec": fit.rotation_arcsec(), "scale_ppm": fit.scale_ppm(),
            "rms_m": self.fitted.rms_m, "points": points,
        })
    }
}

/// The four parameters, as they could be written into the configuration.
pub fn parameters(fit: &PlaneFit) -> String {
    let (dx, dy) = fit.shift_m();
    format!(
        "dx {dx:.4} m, dy {dy:.4} m, rotation {:.4}\", scale {:.4} ppm",
        fit.rotation_arcsec(),
        fit.scale_ppm()
    )
}
